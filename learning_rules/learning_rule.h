// SPDX-License-Identifier: Apache-2.0
// LearningRule: how errors travel back through a layer, and what moves its backward weight. A rule is data; what it
// does is assembled from primitives (primitives/primitive.h) and feedback pathways (feedback.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "learning_rules/alignment_operations.h"
#include "learning_rules/coefficient.h"
#include "learning_rules/primitives/primitive.h"

namespace chiasm {

// What an error is multiplied by on its way through a layer.
enum class Feedback {
  kTied,    // the forward weight: backpropagation
  kOwn,     // a backward weight of its own, from its own random draw
  kSign,    // the signs of the forward weight, times magnitudes
  kDirect,  // nothing: the layer below receives the error of the output through a fixed random matrix
};

// Of kSign (Liao, Leibo and Poggio 2016). The root mean square of the forward weight, as it is at each step, gives
// feedback the scale that backpropagation would have; the paper leaves the scale to batch normalisation.
enum class SignMagnitude {
  kUniform,      // the root mean square of the forward weight
  kFixedRandom,  // that of the layer's backward weight, which never changes
  kBatchRandom,  // drawn anew at every step: |N(0, 1)| times the root mean square of the forward weight
};

struct RuleTerm {
  const Primitive* primitive = nullptr;
  Coefficient coefficient = {};
};

// The input of an alignment term, replaced by fresh noise of its shape (section 5, step 1).
struct InputNoise {
  enum class Kind { kNone, kNormal, kUniform };
  Kind kind = Kind::kNone;
  double deviation = 1.0;  // standard deviation
  bool operator==(const InputNoise&) const = default;
};

struct LearningRule {
  std::string name = "backprop";
  Feedback feedback = Feedback::kTied;
  SignMagnitude magnitude = SignMagnitude::kUniform;
  std::vector<RuleTerm> terms = {};
  AlignmentOperations operations = {};
  InputNoise noise = {};

  // Whether the layer has a backward weight of its own.
  bool untied() const;
  // Whether the terms move the backward weight by an optimizer and schedule of their own; with the primitive `angle`
  // they ride on the task's.
  bool aligns() const;
  bool rides_on_task() const;
  // Throws InputError: terms without a backward weight to move; `angle` beside a primitive that needs activity.
  void check() const;
};

// A rule by name, as people ask for it.
struct NamedRule {
  LearningRule rule;
  bool alternates = false;  // its alignment has steps of its own, unless a recipe says otherwise
  std::string_view abbreviation;
  std::string_view formula;  // of the gradient on the backward weight, or of the feedback
  std::string_view locality;
  std::string_view cost;  // beside backpropagation
  std::string_view reference;

  bool is_called(std::string_view name) const { return rule.name == name || abbreviation == name; }
};

const std::vector<const NamedRule*>& all_rules();
// By name or abbreviation; null: there is none.
const NamedRule* find_rule(std::string_view name);
// The same. Throws InputError with the known names.
const NamedRule& rule_of(std::string_view name);
// Everything that find_rule finds: the name and the abbreviation of each.
std::vector<std::string> rule_names();

}  // namespace chiasm
