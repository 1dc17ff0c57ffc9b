// SPDX-License-Identifier: Apache-2.0
#include "kernels/loss/cross_entropy.h"

#include "kernels/loss/class_labels.h"
#include "kernels/softmax/rows.h"

namespace chiasm {
namespace {

constexpr std::string_view kName = CrossEntropy::kName;

template <class T>
void forward_naive(const View& logits, const View& labels, const MutableView& loss) {
  const auto x = logits.access<T, 2>();
  for (std::int64_t n = 0; n < logits.shape()[0]; ++n) {
    const std::int64_t label = class_label(kName, labels, n, logits.shape()[1]);
    const LogSum<T> row = log_sum(&x(n, 0), logits.strides()[1], logits.shape()[1]);
    loss.access<T, 1>()(n) = (row.largest - x(n, label)) + row.log_sum();
  }
}

template <class T>
void backward_naive(const View& logits, const View& labels, const View& dy, const MutableView& dx) {
  const auto x = logits.access<T, 2>();
  for (std::int64_t n = 0; n < logits.shape()[0]; ++n) {
    const std::int64_t label = class_label(kName, labels, n, logits.shape()[1]);
    const LogSum<T> row = log_sum(&x(n, 0), logits.strides()[1], logits.shape()[1]);
    for (std::int64_t c = 0; c < logits.shape()[1]; ++c) {
      const T probability = std::exp(x(n, c) - row.largest) / row.sum;
      dx.access<T, 2>()(n, c) = dy.access<T, 1>()(n) * (probability - (c == label ? T(1) : T(0)));
    }
  }
}

}  // namespace

std::vector<Spec> CrossEntropy::infer(std::span<const Spec> in) const { return {infer_class_loss(kName, in)}; }

void CrossEntropy::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const View &logits = in[0], &labels = in[1];
  if (logits.dtype() == DType::kFloat64) return forward_naive<double>(logits, labels, out[0]);
  if (!all_dense(in) || !all_dense(out)) return forward_naive<float>(logits, labels, out[0]);
  const std::int64_t classes = logits.shape()[1];
  stream.parallel_for(logits.shape()[0], row_grain(classes), [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t n = begin; n < end; ++n) {
        const float* x = logits.as<float>() + n * classes;
        const LogSum<float> row = log_sum_dense(x, classes);
        out[0].as<float>()[n] = (row.largest - x[class_label(kName, labels, n, classes)]) + row.log_sum();
      }
    });
  });
}

void CrossEntropy::backward(CpuStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  const View &logits = in[0], &labels = in[1];
  if (logits.dtype() == DType::kFloat64) return backward_naive<double>(logits, labels, dy, dx);
  if (!all_dense(in) || !all_dense(dy, dx)) return backward_naive<float>(logits, labels, dy, dx);
  const std::int64_t classes = logits.shape()[1];
  stream.parallel_for(logits.shape()[0], row_grain(classes), [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t n = begin; n < end; ++n) {
        const float* x = logits.as<float>() + n * classes;
        float* __restrict__ to = dx.as<float>() + n * classes;
        const LogSum<float> row = log_sum_dense(x, classes);
        const float weight = dy.as<float>()[n];
        const float scale = weight / row.sum;
        const std::int64_t label = class_label(kName, labels, n, classes);
        for (std::int64_t c = 0; c < classes; ++c) to[c] = approx::exp(x[c] - row.largest) * scale;
        to[label] -= weight;
      }
    });
  });
}

}  // namespace chiasm
