// SPDX-License-Identifier: Apache-2.0
// Slice: `size` neighbouring indices of x along one axis, beginning at `start`. One axis at a time, so that the
// parameters do not mention the batch; a crop is two slices.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct Slice {
  static constexpr std::string_view kName = "slice";

  int axis = -1;  // negative: counted from the end
  std::int64_t start = 0;
  std::int64_t size = 0;
  bool operator==(const Slice&) const = default;

  // Input: x of any element type. Throws ShapeError unless 0 <= start, 0 <= size and start + size <= x's size.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  // dy inside the slice, zero elsewhere.
  GradientRule gradient(int) const { return GradientRule::kernel({}); }
  BatchRule batch_rule(std::span<const Spec> in) const {
    return BatchRule::each_if(normalise_axis(kName.data(), axis, in[0].shape.rank()) != 0);
  }
  // Along the outermost axis that has more than one index, a slice is one piece of memory.
  std::optional<std::int64_t> view_offset(std::span<const Spec> in) const;
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm
