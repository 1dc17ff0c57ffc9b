// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/gather.h"

#include <algorithm>
#include <cstring>

#include "kernels/indexing/copy.h"
#include "kernels/simd.h"

namespace chiasm {
namespace {

constexpr std::int64_t kGrain = 32768;

// x is outer x size x inner, y is outer x count x inner.
struct Extents {
  std::int64_t outer = 1, size = 1, inner = 1, count = 1;
};

Extents extents_of(const Shape& x, int axis, const Shape& indices) {
  Extents e{.size = x[axis], .count = indices.elements()};
  for (int i = 0; i < axis; ++i) e.outer *= x[i];
  for (int i = axis + 1; i < x.rank(); ++i) e.inner *= x[i];
  return e;
}

void check_indices(const View& indices, std::int64_t size) {
  std::int64_t position = 0;
  for_each_offset(
      indices.shape(),
      [&](std::int64_t offset) {
        const std::int32_t index = indices.as<std::int32_t>()[offset];
        if (index < 0 || index >= size) {
          throw InputError("[gather] index " + std::to_string(index) + " at position " + std::to_string(position) +
                           " is outside an axis of size " + std::to_string(size));
        }
        ++position;
      },
      indices.strides());
}

// Calls body(x offset, y offset) for each element of y in row-major order. The reference.
template <class Body>
void for_each_pair(const View& x, int axis, const View& indices, const View& y, Body&& body) {
  const int rank = indices.shape().rank();
  Strides x_strides{}, index_strides{};
  for (int i = 0; i < axis; ++i) x_strides[i] = x.strides()[i];
  for (int i = 0; i < rank; ++i) index_strides[axis + i] = indices.strides()[i];
  for (int i = axis + 1; i < x.shape().rank(); ++i) x_strides[i + rank - 1] = x.strides()[i];
  for_each_offset(
      y.shape(),
      [&](std::int64_t y_offset, std::int64_t x_offset, std::int64_t index) {
        body(x_offset + indices.as<std::int32_t>()[index] * x.strides()[axis], y_offset);
      },
      y.strides(), x_strides, index_strides);
}

// Dense float32: whole rows of `inner` elements.
void scatter_add(const CpuStream& stream, const Extents& e, const std::int32_t* indices, const float* dy, float* dx) {
  // Threads share out the elements of [outer, inner]; each adds along `count` in order, so the bits do not depend on
  // them.
  stream.parallel_for(e.outer * e.inner, std::max<std::int64_t>(kGrain / (e.count + e.size), 1),
                      [&](std::int64_t begin, std::int64_t end) {
                        with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
                          while (begin < end) {
                            const std::int64_t outer = begin / e.inner, column = begin % e.inner;
                            const std::int64_t width = std::min(e.inner - column, end - begin);
                            float* to = dx + outer * e.size * e.inner + column;
                            const float* from = dy + outer * e.count * e.inner + column;
                            for (std::int64_t i = 0; i < e.size; ++i) std::fill_n(to + i * e.inner, width, 0.0f);
                            for (std::int64_t j = 0; j < e.count; ++j) {
                              float* __restrict__ sum = to + indices[j] * e.inner;
                              const float* __restrict__ term = from + j * e.inner;
                              for (std::int64_t i = 0; i < width; ++i) sum[i] += term[i];
                            }
                            begin += width;
                          }
                        });
                      });
}

}  // namespace

std::vector<Spec> Gather::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 2);
  require_dtype(kName, "indices", in[1], DType::kInt32);
  const Shape& x = in[0].shape;
  const int along = normalise_axis(kName.data(), axis, x.rank());
  std::vector<std::int64_t> sizes(x.begin(), x.begin() + along);
  sizes.insert(sizes.end(), in[1].shape.begin(), in[1].shape.end());
  sizes.insert(sizes.end(), x.begin() + along + 1, x.end());
  return {Spec{in[0].dtype, Shape(sizes)}};
}

void Gather::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const View& x = in[0];
  const View& indices = in[1];
  const MutableView& y = out[0];
  const int along = normalise_axis(kName.data(), axis, x.shape().rank());
  check_indices(indices, x.shape()[along]);
  if (x.dtype() == DType::kFloat64 || !all_dense(x, indices, y)) {
    visit_any(x.dtype(), [&]<class T>() {
      for_each_pair(x, along, indices, y, [&](std::int64_t i, std::int64_t j) { y.as<T>()[j] = x.as<T>()[i]; });
    });
    return;
  }
  const Extents e = extents_of(x.shape(), along, indices.shape());
  const std::int64_t row = e.inner * static_cast<std::int64_t>(size_of(x.dtype()));
  const auto* from = static_cast<const std::byte*>(x.data());
  auto* to = static_cast<std::byte*>(y.data());
  const std::int32_t* index = indices.as<std::int32_t>();
  stream.parallel_for(e.outer * e.count, std::max<std::int64_t>(kGrain / std::max<std::int64_t>(e.inner, 1), 1),
                      [&](std::int64_t begin, std::int64_t end) {
                        for (std::int64_t i = begin; i < end; ++i) {
                          const std::int64_t source = i / e.count * e.size + index[i % e.count];
                          std::memcpy(to + i * row, from + source * row, static_cast<std::size_t>(row));
                        }
                      });
}

void Gather::backward(CpuStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  const View& indices = in[1];
  const int along = normalise_axis(kName.data(), axis, dx.shape().rank());
  if (dx.dtype() == DType::kFloat32 && all_dense(dy, indices, dx)) {
    scatter_add(stream, extents_of(dx.shape(), along, indices.shape()), indices.as<std::int32_t>(), dy.as<float>(),
                dx.as<float>());
    return;
  }
  fill_elements(stream, dx, 0.0);
  visit_floating(dx.dtype(), [&]<class T>() {
    for_each_pair(dx, along, indices, dy, [&](std::int64_t i, std::int64_t j) { dx.as<T>()[i] += dy.as<T>()[j]; });
  });
}

}  // namespace chiasm
