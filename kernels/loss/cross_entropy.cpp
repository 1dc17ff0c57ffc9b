// SPDX-License-Identifier: Apache-2.0
#include "kernels/loss/cross_entropy.h"

#include "kernels/softmax/rows.h"

namespace chiasm {
namespace {

std::int64_t label_of(const View& labels, std::int64_t sample, std::int64_t classes) {
  const std::int64_t label = labels.as<std::int32_t>()[sample * labels.strides()[0]];
  if (label < 0 || label >= classes) {
    throw InputError("[cross_entropy] sample " + std::to_string(sample) + " has label " + std::to_string(label) +
                     ", and the logits have " + std::to_string(classes) + " classes");
  }
  return label;
}

template <class T>
void forward_naive(const View& logits, const View& labels, const MutableView& loss) {
  const auto x = logits.access<T, 2>();
  for (std::int64_t n = 0; n < logits.shape()[0]; ++n) {
    const std::int64_t label = label_of(labels, n, logits.shape()[1]);
    const LogSum<T> row = log_sum(&x(n, 0), logits.strides()[1], logits.shape()[1]);
    loss.access<T, 1>()(n) = (row.largest - x(n, label)) + row.log_sum();
  }
}

template <class T>
void backward_naive(const View& logits, const View& labels, const View& dy, const MutableView& dx) {
  const auto x = logits.access<T, 2>();
  for (std::int64_t n = 0; n < logits.shape()[0]; ++n) {
    const std::int64_t label = label_of(labels, n, logits.shape()[1]);
    const LogSum<T> row = log_sum(&x(n, 0), logits.strides()[1], logits.shape()[1]);
    for (std::int64_t c = 0; c < logits.shape()[1]; ++c) {
      const T probability = std::exp(x(n, c) - row.largest) / row.sum;
      dx.access<T, 2>()(n, c) = dy.access<T, 1>()(n) * (probability - (c == label ? T(1) : T(0)));
    }
  }
}

}  // namespace

std::vector<Spec> CrossEntropy::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 2);
  require_floating(kName, "logits", in[0]);
  require_rank(kName, "logits", in[0], 2);
  require_dtype(kName, "labels", in[1], DType::kInt32);
  require_shape(kName, "labels", in[1], Shape{in[0].shape[0]});
  if (in[0].shape[1] == 0) throw_shape(kName, "logits " + to_string(in[0].shape) + " have no classes");
  return {{in[0].dtype, in[1].shape}};
}

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
        out[0].as<float>()[n] = (row.largest - x[label_of(labels, n, classes)]) + row.log_sum();
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
        const std::int64_t label = label_of(labels, n, classes);
        for (std::int64_t c = 0; c < classes; ++c) to[c] = approx::exp(x[c] - row.largest) * scale;
        to[label] -= weight;
      }
    });
  });
}

}  // namespace chiasm
