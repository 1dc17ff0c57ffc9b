// SPDX-License-Identifier: Apache-2.0
// Running an op on a few hand-written values.
#pragma once

#include <vector>

#include "engine/any_op.h"
#include "engine/tensor.h"

namespace chiasm::test {

template <class T>
Tensor tensor(const Shape& shape, const std::vector<T>& values) {
  return Tensor::of<T>(shape, values);
}

template <class T>
std::vector<T> list(const Tensor& tensor) {
  return {tensor.values<T>().begin(), tensor.values<T>().end()};
}

// All outputs of the op.
std::vector<Tensor> outputs_of(const AnyOp& op, const std::vector<Tensor>& inputs, int threads = 1);
// Output 0.
Tensor apply(const AnyOp& op, const std::vector<Tensor>& inputs, int threads = 1);

}  // namespace chiasm::test
