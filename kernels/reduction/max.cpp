// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/max.h"

#include "kernels/reduction/reduce.h"

namespace chiasm {
namespace {

template <class T>
void forward_naive(const View& x, AxisMask reduced, const MutableView& y) {
  const int rank = x.shape().rank();
  const Shape outputs = reduced_shape(x.shape(), reduced, true), terms = reduced_shape(x.shape(), ~reduced, true);
  for_each_offset(
      outputs,
      [&](std::int64_t start, std::int64_t k) {
        T largest = x.as<T>()[start];
        for_each_offset(
            terms,
            [&](std::int64_t i) {
              const T value = x.as<T>()[start + i];
              if (value > largest || value != value) largest = value;
            },
            x.strides());
        y.as<T>()[k] = largest;
      },
      x.strides(), strides_over_input(y.shape(), y.strides(), reduced, rank));
}

// Serves float32 as well: no model here spends time in it.
template <class T>
void backward_naive(const View& x, AxisMask reduced, const View& y, const View& dy, const MutableView& dx) {
  const int rank = x.shape().rank();
  const Shape outputs = reduced_shape(x.shape(), reduced, true), terms = reduced_shape(x.shape(), ~reduced, true);
  for_each_offset(
      outputs,
      [&](std::int64_t start, std::int64_t to, std::int64_t k, std::int64_t g) {
        const T largest = y.as<T>()[k];
        bool found = false;
        for_each_offset(
            terms,
            [&](std::int64_t i, std::int64_t j) {
              const T value = x.as<T>()[start + i];
              const bool first = !found && (value == largest || (value != value && largest != largest));
              dx.as<T>()[to + j] = first ? dy.as<T>()[g] : T(0);
              found = found || first;
            },
            x.strides(), dx.strides());
      },
      x.strides(), dx.strides(), strides_over_input(y.shape(), y.strides(), reduced, rank),
      strides_over_input(dy.shape(), dy.strides(), reduced, rank));
}

}  // namespace

std::vector<Spec> Max::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  require_floating(kName, "the input", in[0]);
  const AxisMask reduced = reduced_axes(kName, axes, in[0].shape.rank());
  if (reduced_count(in[0].shape, reduced) == 0) {
    throw_shape(kName, "the input " + to_string(in[0].shape) + " has no element along the reduced axes");
  }
  return {{in[0].dtype, reduced_shape(in[0].shape, reduced, keep_axes)}};
}

void Max::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const AxisMask reduced = reduced_axes(kName, axes, in[0].shape().rank());
  if (in[0].dtype() == DType::kFloat64) return forward_naive<double>(in[0], reduced, out[0]);
  if (!all_dense(in) || !all_dense(out)) return forward_naive<float>(in[0], reduced, out[0]);
  const ReducePlan plan(in[0].shape(), reduced);
  const float* x = in[0].as<float>();
  float* y = out[0].as<float>();
  plan.reduce<1>(
      stream, stream.workspace(plan.workspace_bytes(1)), MaxOf{},
      [x](std::int64_t i, std::int64_t) CHIASM_INLINE_LAMBDA { return std::array<float, 1>{x[i]}; },
      [y](std::int64_t k, const auto& largest) CHIASM_INLINE_LAMBDA { y[k] = largest[0]; });
}

void Max::backward(CpuStream&, int, Inputs in, Inputs out, View dy, MutableView dx) const {
  const AxisMask reduced = reduced_axes(kName, axes, dx.shape().rank());
  visit_floating(dx.dtype(), [&]<class T>() { backward_naive<T>(in[0], reduced, out[0], dy, dx); });
}

std::int64_t Max::workspace_bytes(const CpuStream&, std::span<const Spec> in) const {
  if (in[0].dtype != DType::kFloat32) return 0;
  return ReducePlan(in[0].shape, reduced_axes(kName, axes, in[0].shape.rank())).workspace_bytes(1);
}

}  // namespace chiasm
