// SPDX-License-Identifier: Apache-2.0
// Relayout: the order of axes in which other programs keep the weights of linear operators, brought to that of chiasm
// (kernels [kh, kw, Cin / groups, Cout], matrices [in, out], images flattened as H, W, C). Tensors of one axis or none
// are the same everywhere.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/tensor.h"

namespace chiasm {

struct Relayout {
  enum class Source : std::uint8_t {
    kTorch,       // kernels [Cout, Cin / groups, kh, kw], matrices [out, in]; PyTorch, Caffe and ONNX
    kTensorflow,  // kernels [kh, kw, Cin, Cout], of one channel each [kh, kw, C, 1], matrices [in, out]
  };
  Source source = Source::kTorch;
  bool reverse_input_channels = false;  // of a kernel: weights trained on BGR, used on RGB
  std::optional<Shape> flattened = {};  // C, H, W of the image whose flattening a matrix [out, C H W] reads

  // The values of `from` as chiasm keeps them, of the type and shape of `to`. A kernel that covers its whole image may
  // fill a matrix, and a matrix a kernel: their order of values is the same. Throws InputError naming both shapes when
  // they do not fit, and for tensors of integers.
  Tensor apply(const Tensor& from, const Spec& to) const;
};

}  // namespace chiasm
