// SPDX-License-Identifier: Apache-2.0
#include "tests/support/run.h"

#include <cstring>

#include "tests/support/op_checks.h"

namespace chiasm::test {

std::vector<Tensor> outputs_of(const AnyOp& op, const std::vector<Tensor>& inputs, int threads) {
  std::vector<View> views;
  for (const Tensor& tensor : inputs) views.push_back(tensor.view());
  std::vector<Tensor> results;
  for (const Buffer& buffer : run_op(op, views, CpuStream(threads))) {
    Tensor& result = results.emplace_back(buffer.view().spec());
    if (result.elements() > 0) std::memcpy(result.bytes().data(), buffer.view().data(), result.bytes().size());
  }
  return results;
}

Tensor apply(const AnyOp& op, const std::vector<Tensor>& inputs, int threads) {
  return outputs_of(op, inputs, threads).at(0);
}

}  // namespace chiasm::test
