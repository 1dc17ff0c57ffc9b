// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/copy.h"

#include <algorithm>
#include <cstring>

#include "kernels/elementwise/loop_nest.h"

namespace chiasm {
namespace {

constexpr std::int64_t kGrain = 32768;

template <class T>
void copy_runs(const CpuStream& stream, const View& from, const MutableView& to) {
  const T* x = from.as<T>();
  T* y = to.as<T>();
  const LoopNest<2> nest(to.shape(), {from.strides(), to.strides()});
  const std::int64_t x_step = nest.row_stride(0);
  const std::int64_t y_step = nest.row_stride(1);
  stream.parallel_for(to.elements(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    nest.for_rows(begin, end, [&](std::int64_t count, const auto& offset) {
      const T* a = x + offset[0];
      T* b = y + offset[1];
      if (x_step == 1 && y_step == 1) {
        std::memcpy(b, a, static_cast<std::size_t>(count) * sizeof(T));
      } else if (x_step == 0 && y_step == 1) {
        std::fill_n(b, count, *a);
      } else {
        for (std::int64_t i = 0; i < count; ++i) b[i * y_step] = a[i * x_step];
      }
    });
  });
}

}  // namespace

void copy_elements(const CpuStream& stream, const View& from, const MutableView& to) {
  assert(from.spec() == to.spec());
  visit_any(to.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, double>) {
      for_each_offset(
          to.shape(), [&](std::int64_t x, std::int64_t y) { to.as<T>()[y] = from.as<T>()[x]; }, from.strides(),
          to.strides());
    } else {
      copy_runs<T>(stream, from, to);
    }
  });
}

void fill_elements(const CpuStream& stream, const MutableView& to, double value) {
  visit_any(to.dtype(), [&]<class T>() {
    const T element = static_cast<T>(value);
    copy_elements(stream, View(&element, to.spec(), Strides{}), to);
  });
}

}  // namespace chiasm
