// SPDX-License-Identifier: Apache-2.0
// OperationChain: the layer operations of spec/learning_rules.md section 6, applied one after the other to a value, and
// their derivative. For a tensor v with the batch first, D all its other axes together:
//   FWMC   v_n - mean_D(v_n)
//   FWL2N  c_n / sqrt(max(sum_D c_n^2, 1e-12)), c_n = v_n - mean_D(v_n)
//   BWMC   v_n - mean over the batch of v
#pragma once

#include <functional>
#include <vector>

#include "engine/graph.h"

namespace chiasm {

class OperationChain {
 public:
  explicit OperationChain(Value start) : value_(start) {}

  void add_constant(Value c);
  void activate(OpPtr function);  // an element-wise op of one input
  void centre_features();         // FWMC
  void normalise_features();      // FWL2N
  void centre_batch();            // BWMC

  // After every operation so far.
  Value value() const { return value_; }
  // The gradient with respect to the start of something whose gradient with respect to value() is `gradient`.
  Value pull_back(Value gradient) const;

 private:
  Value value_;
  std::vector<std::function<Value(Value)>> pulls_;
};

}  // namespace chiasm
