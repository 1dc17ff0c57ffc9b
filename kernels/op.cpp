// SPDX-License-Identifier: Apache-2.0
#include "kernels/op.h"

#include <algorithm>

namespace chiasm {

void throw_shape(std::string_view op, const std::string& what) {
  throw ShapeError("[" + std::string(op) + "] " + what);
}

void require_inputs(std::string_view op, std::span<const Spec> in, std::size_t count) {
  if (in.size() != count) {
    throw_shape(op, "takes " + std::to_string(count) + " inputs, found " + std::to_string(in.size()));
  }
}

void require_rank(std::string_view op, std::string_view input, const Spec& spec, int rank) {
  if (spec.shape.rank() != rank) {
    throw_shape(
        op, std::string(input) + " must have " + std::to_string(rank) + " axes, found shape " + to_string(spec.shape));
  }
}

void require_floating(std::string_view op, std::string_view input, const Spec& spec) {
  if (!is_floating(spec.dtype)) {
    throw_shape(op, std::string(input) + " must be float32 or float64, found " + std::string(name_of(spec.dtype)));
  }
}

void require_dtype(std::string_view op, std::string_view input, const Spec& spec, DType dtype) {
  if (spec.dtype != dtype) {
    throw_shape(op, std::string(input) + " must be " + std::string(name_of(dtype)) + ", found " +
                        std::string(name_of(spec.dtype)));
  }
}

void require_shape(std::string_view op, std::string_view input, const Spec& spec, const Shape& shape) {
  if (spec.shape != shape) {
    throw_shape(op, std::string(input) + " must have shape " + to_string(shape) + ", found " + to_string(spec.shape));
  }
}

bool all_dense(Inputs views) {
  return std::all_of(views.begin(), views.end(), [](const View& v) { return all_dense(v); });
}

bool all_dense(Outputs views) {
  return std::all_of(views.begin(), views.end(), [](const MutableView& v) { return all_dense(v); });
}

void require_cuda_views(std::string_view op, Inputs in, Outputs out) {
  const auto check = [&](const View& view) {
    if (!view.dense()) throw_shape(op, "CUDA kernels take dense tensors, found a strided " + to_string(view.spec()));
    if (view.dtype() == DType::kFloat64) {
      throw_shape(op, "CUDA kernels compute in float32, found " + to_string(view.spec()) +
                          "; float64 is the reference path of the CPU");
    }
  };
  for (const View& view : in) check(view);
  for (const MutableView& view : out) check(view);
}

}  // namespace chiasm
