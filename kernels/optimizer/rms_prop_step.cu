// SPDX-License-Identifier: Apache-2.0
// RmsPropStep on CUDA: update_many.cuh says who computes what.
#include "kernels/optimizer/rms_prop_step.h"
#include "kernels/optimizer/rms_prop_update.h"
#include "kernels/optimizer/update_many.cuh"

namespace chiasm {
namespace {

struct RmsPropRule {
  using Update = RmsPropUpdate<float>;
  RmsPropStep op;

  __device__ Update update(const optimizer::Scalar& learning_rate, const optimizer::Scalar&) const {
    return Update(op, learning_rate.read());
  }
};

optimizer::Call call_of(Inputs in, Outputs out) {
  require_cuda_views(RmsPropStep::kName, in.first(4), out);
  return {in.first(4), out, {in[4].data(), in[4].dtype()}, {}};
}

}  // namespace

void RmsPropStep::forward(CudaStream& stream, Inputs in, Outputs out) const {
  optimizer::update_many(stream, RmsPropRule{*this}, {call_of(in, out)});
}

void RmsPropStep::forward_many(CudaStream& stream, std::span<const OpCall> calls) const {
  std::vector<optimizer::Call> list;
  for (const OpCall& call : calls) list.push_back(call_of(call.in, call.out));
  optimizer::update_many(stream, RmsPropRule{*this}, std::move(list));
}

}  // namespace chiasm
