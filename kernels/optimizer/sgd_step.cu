// SPDX-License-Identifier: Apache-2.0
// SgdStep on CUDA: update_many.cuh says who computes what.
#include "kernels/optimizer/sgd_step.h"
#include "kernels/optimizer/sgd_update.h"
#include "kernels/optimizer/update_many.cuh"

namespace chiasm {
namespace {

struct SgdRule {
  using Update = SgdUpdate<float>;
  SgdStep op;

  __device__ Update update(const optimizer::Scalar& learning_rate, const optimizer::Scalar&) const {
    return Update(op, learning_rate.read());
  }
};

optimizer::Call call_of(Inputs in, Outputs out) {
  require_cuda_views(SgdStep::kName, in.first(3), out);
  return {in.first(3), out, {in[3].data(), in[3].dtype()}, {}};
}

}  // namespace

void SgdStep::forward(CudaStream& stream, Inputs in, Outputs out) const {
  optimizer::update_many(stream, SgdRule{*this}, {call_of(in, out)});
}

void SgdStep::forward_many(CudaStream& stream, std::span<const OpCall> calls) const {
  std::vector<optimizer::Call> list;
  for (const OpCall& call : calls) list.push_back(call_of(call.in, call.out));
  optimizer::update_many(stream, SgdRule{*this}, std::move(list));
}

}  // namespace chiasm
