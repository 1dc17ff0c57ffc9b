// SPDX-License-Identifier: Apache-2.0
// Parameters: the named tensors of a model, addressed by path ("conv4/cell/tau/pointwise"). They are declared while a
// graph is built, which costs nothing, and allocated when the model is going to run.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/initialiser.h"

namespace chiasm {

enum class ParameterRole : std::uint8_t {
  kForward,    // trained by the gradient of the loss
  kBackward,   // the backward weight of a linear operator: no gradient flows to it, a learning rule may move it
  kStatistic,  // running statistics: moved by assignments of the graph
};

struct Parameter {
  std::string name;
  Spec spec;
  Initialiser initialiser = Initialiser::constant(0.0);
  double l2 = 0.0;  // adds l2 / 2 * sum w^2 to the loss, once per step (spec/convrnn.md 7.1)
  ParameterRole role = ParameterRole::kForward;
  std::string copy_of = {};  // starts as that parameter, which was declared before, instead of by its initialiser
};

// Of the forward weight of that name.
inline std::string backward_weight_name(std::string_view forward) { return std::string(forward) + "_backward"; }

class Parameters {
 public:
  // Adds a parameter. Asking again for a name is the normal case in an unrolled network and must ask for the same spec
  // (ShapeError otherwise).
  const Parameter& declare(const Parameter& parameter);

  const Parameter* find(std::string_view name) const;
  // In the order of their declaration.
  const std::vector<Parameter>& all() const { return list_; }
  // Trainable scalars (role kForward) whose path starts with `prefix`: the size of the model as papers count it.
  std::int64_t count(std::string_view prefix = "") const;

  // Allocates and initialises every parameter that has no tensor yet. Throws InputError when the names of two would
  // draw the same random numbers.
  void initialise(std::uint64_t seed);
  // By name. Tensors are shared with programs that bind them.
  std::map<std::string, Tensor>& tensors() { return tensors_; }
  const std::map<std::string, Tensor>& tensors() const { return tensors_; }

 private:
  std::vector<Parameter> list_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace chiasm
