// SPDX-License-Identifier: Apache-2.0
// Golden values made by an independent program: tests/oracles/golden/<topic>.txt, written by tests/oracles/<topic>.py
// through golden.py, which defines the format and the names.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/any_op.h"
#include "engine/tensor.h"
#include "tests/support/compare.h"

namespace chiasm::test {

class Golden {
 public:
  explicit Golden(const std::string& topic);
  bool has(const std::string& name) const { return tensors_.contains(name); }
  // Fails the test (throws) when there is no such tensor.
  const Tensor& at(const std::string& name) const;
  std::vector<std::string> names() const;  // sorted

 private:
  std::string topic_;
  std::map<std::string, Tensor> tensors_;
};

// Runs `op` in float64 on <name>/in0.., and compares <name>/out0.. and <name>/grad0.. (those present, at least one
// tensor) with a relative tolerance for float64 rounding in two different orders of summation.
void expect_golden(const Golden& golden, const std::string& name, const AnyOp& op, double tolerance = 1e-12);

}  // namespace chiasm::test
