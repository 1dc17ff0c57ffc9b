// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/concat.h"

#include "kernels/indexing/copy.h"

namespace chiasm {
namespace {

template <class AnyView>
AnyView part_of(const AnyView& whole, int axis, std::int64_t start, std::int64_t size) {
  std::array<std::int64_t, kMaxRank> starts{};
  starts[axis] = start;
  return box_of(whole, starts, whole.shape().with(axis, size));
}

}  // namespace

std::vector<Spec> Concat::infer(std::span<const Spec> in) const {
  if (in.empty()) throw_shape(kName, "takes at least one input, found none");
  const int along = normalise_axis(kName.data(), axis, in[0].shape.rank());
  std::int64_t size = 0;
  for (const Spec& spec : in) {
    require_dtype(kName, "each input", spec, in[0].dtype);
    if (spec.shape.rank() != in[0].shape.rank() || spec.shape.with(along, in[0].shape[along]) != in[0].shape) {
      throw_shape(kName, "inputs may differ along axis " + std::to_string(along) + " only, found " +
                             to_string(in[0].shape) + " and " + to_string(spec.shape));
    }
    size += spec.shape[along];
  }
  return {Spec{in[0].dtype, in[0].shape.with(along, size)}};
}

std::optional<std::int64_t> Concat::part_offset(std::span<const Spec> in, int input) const {
  const int along = normalise_axis(kName.data(), axis, in[0].shape.rank());
  if (!outermost(in[0].shape, along)) return std::nullopt;
  std::int64_t offset = 0;
  for (int i = 0; i < input; ++i) offset += in[i].bytes();
  return offset;
}

void Concat::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const int along = normalise_axis(kName.data(), axis, out[0].shape().rank());
  std::int64_t start = 0;
  for (const View& x : in) {
    const MutableView part = part_of(out[0], along, start, x.shape()[along]);
    // The memory plan may have put the input where it belongs.
    if (part.data() != x.data()) copy_elements(stream, x, part);
    start += x.shape()[along];
  }
}

void Concat::backward(CpuStream& stream, int input, Inputs in, Inputs, View dy, MutableView dx) const {
  const int along = normalise_axis(kName.data(), axis, dy.shape().rank());
  std::int64_t start = 0;
  for (int i = 0; i < input; ++i) start += in[i].shape()[along];
  copy_elements(stream, part_of(dy, along, start, dx.shape()[along]), dx);
}

}  // namespace chiasm
