// SPDX-License-Identifier: Apache-2.0
// AdamStep on CUDA: update_many.cuh says who computes what.
#include <limits>

#include "kernels/optimizer/adam_step.h"
#include "kernels/optimizer/adam_update.h"
#include "kernels/optimizer/update_many.cuh"

namespace chiasm {
namespace {

struct AdamRule {
  using Update = AdamUpdate<float>;
  AdamStep op;

  __device__ Update update(const optimizer::Scalar& learning_rate, const optimizer::Scalar& step) const {
    const double t = step.read();
    Update update(op, learning_rate.read(), t);
    // Nothing can be thrown here: a step that does not exist makes all results NaN.
    if (!(t >= 1.0)) update.b1 = update.b2 = update.rate = std::numeric_limits<float>::quiet_NaN();
    return update;
  }
};

optimizer::Call call_of(Inputs in, Outputs out) {
  require_cuda_views(AdamStep::kName, in.first(4), out);
  return {in.first(4), out, {in[4].data(), in[4].dtype()}, {in[5].data(), in[5].dtype()}};
}

}  // namespace

void AdamStep::forward(CudaStream& stream, Inputs in, Outputs out) const {
  optimizer::update_many(stream, AdamRule{*this}, {call_of(in, out)});
}

void AdamStep::forward_many(CudaStream& stream, std::span<const OpCall> calls) const {
  std::vector<optimizer::Call> list;
  for (const OpCall& call : calls) list.push_back(call_of(call.in, call.out));
  optimizer::update_many(stream, AdamRule{*this}, std::move(list));
}

}  // namespace chiasm
