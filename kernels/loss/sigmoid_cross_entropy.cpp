// SPDX-License-Identifier: Apache-2.0
#include "kernels/loss/sigmoid_cross_entropy.h"

#include <algorithm>
#include <array>

#include "kernels/elementwise/approximations.h"
#include "kernels/loss/class_labels.h"
#include "kernels/reduction/lanes.h"
#include "kernels/softmax/rows.h"

namespace chiasm {
namespace {

constexpr std::string_view kName = SigmoidCrossEntropy::kName;

template <class T>
void forward_naive(const View& logits, const View& labels, const MutableView& loss) {
  const auto x = logits.access<T, 2>();
  for (std::int64_t n = 0; n < logits.shape()[0]; ++n) {
    const std::int64_t label = class_label(kName, labels, n, logits.shape()[1]);
    T sum = 0;
    for (std::int64_t c = 0; c < logits.shape()[1]; ++c) sum += approx::softplus(c == label ? -x(n, c) : x(n, c));
    loss.access<T, 1>()(n) = sum;
  }
}

template <class T>
void backward_naive(const View& logits, const View& labels, const View& dy, const MutableView& dx) {
  const auto x = logits.access<T, 2>();
  for (std::int64_t n = 0; n < logits.shape()[0]; ++n) {
    const std::int64_t label = class_label(kName, labels, n, logits.shape()[1]);
    const T weight = dy.access<T, 1>()(n);
    for (std::int64_t c = 0; c < logits.shape()[1]; ++c) {
      dx.access<T, 2>()(n, c) = weight * (c == label ? -approx::sigmoid(-x(n, c)) : approx::sigmoid(x(n, c)));
    }
  }
}

CHIASM_INLINE_LAMBDA inline float loss_of_row(const float* x, std::int64_t classes, std::int64_t label) {
  // The terms first, then their sum, as in log_sum_dense.
  constexpr std::int64_t kBlock = 256;
  float block[kBlock];
  float sum = 0.0f;
  for (std::int64_t start = 0; start < classes; start += kBlock) {
    const std::int64_t length = std::min(kBlock, classes - start);
    for (std::int64_t i = 0; i < length; ++i) block[i] = approx::softplus(x[start + i]);
    if (label >= start && label < start + length) block[label - start] = approx::softplus(-x[label]);
    const float* from = block;
    sum += reduce_run<1>(length, SumOf{},
                         [from](std::int64_t i) CHIASM_INLINE_LAMBDA { return std::array<float, 1>{from[i]}; })[0];
  }
  return sum;
}

}  // namespace

std::vector<Spec> SigmoidCrossEntropy::infer(std::span<const Spec> in) const { return {infer_class_loss(kName, in)}; }

void SigmoidCrossEntropy::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const View &logits = in[0], &labels = in[1];
  if (logits.dtype() == DType::kFloat64) return forward_naive<double>(logits, labels, out[0]);
  if (!all_dense(in) || !all_dense(out)) return forward_naive<float>(logits, labels, out[0]);
  const std::int64_t classes = logits.shape()[1];
  stream.parallel_for(logits.shape()[0], row_grain(classes), [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t n = begin; n < end; ++n) {
        const std::int64_t label = class_label(kName, labels, n, classes);
        out[0].as<float>()[n] = loss_of_row(logits.as<float>() + n * classes, classes, label);
      }
    });
  });
}

void SigmoidCrossEntropy::backward(CpuStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  const View &logits = in[0], &labels = in[1];
  if (logits.dtype() == DType::kFloat64) return backward_naive<double>(logits, labels, dy, dx);
  if (!all_dense(in) || !all_dense(dy, dx)) return backward_naive<float>(logits, labels, dy, dx);
  const std::int64_t classes = logits.shape()[1];
  stream.parallel_for(logits.shape()[0], row_grain(classes), [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t n = begin; n < end; ++n) {
        const float* x = logits.as<float>() + n * classes;
        float* __restrict__ to = dx.as<float>() + n * classes;
        const float weight = dy.as<float>()[n];
        const std::int64_t label = class_label(kName, labels, n, classes);
        for (std::int64_t c = 0; c < classes; ++c) to[c] = weight * approx::sigmoid(x[c]);
        to[label] = -weight * approx::sigmoid(-x[label]);
      }
    });
  });
}

}  // namespace chiasm
