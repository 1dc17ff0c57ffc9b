// SPDX-License-Identifier: Apache-2.0
// One weight in a graph of its own and the alignment term of a rule on it, for tests of what learning rules compute.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/program.h"
#include "learning_rules/learning_rule.h"

namespace chiasm::test {

struct LayerSetting {
  std::string name = "dense";
  OpPtr op = nullptr;  // null: Linear
  Shape x, weight;
  bool bias = false;
  OpPtr activation = nullptr;  // after the bias
  int applications = 1;        // of the weight, each to an input of its own
  DType dtype = DType::kFloat64;
};
inline void PrintTo(const LayerSetting& setting, std::ostream* out) { *out << setting.name; }

using Coefficients = std::initializer_list<std::pair<const Primitive*, double>>;
LearningRule rule_with(Coefficients coefficients, const std::vector<std::string>& operations = {});
std::vector<RuleTerm> terms_with(Coefficients coefficients);

// States "weight", "weight_backward" and "bias", inputs "x", "x1", ...: random numbers until they are set.
class AlignedLayer {
 public:
  AlignedLayer(const LayerSetting& setting, const LearningRule& rule);

  void set(const std::string& name, const std::vector<double>& values);
  std::vector<double> get(const std::string& name) const;
  Shape shape_of(const std::string& name) const { return tensors_.at(name).shape(); }

  // Of the rule, at the values that are set.
  double value();
  std::vector<double> gradient();
  // Another output of the graph: "z", and what primitives added.
  std::vector<double> output(const std::string& name);
  // Central differences of value() in the backward weight, in steps of 1e-5.
  std::vector<double> differences();

 private:
  void run(Program& program);

  std::map<std::string, Tensor> tensors_;
  std::optional<Program> value_, gradient_;
};

std::vector<double> values_of(const View& view);
// Largest absolute difference; infinite where sizes differ, or something is not a number.
double largest_difference(const std::vector<double>& a, const std::vector<double>& b);
double largest(const std::vector<double>& a);  // absolute value

}  // namespace chiasm::test
