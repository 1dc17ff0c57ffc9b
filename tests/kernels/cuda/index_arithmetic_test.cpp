// SPDX-License-Identifier: Apache-2.0
// The index arithmetic of CUDA kernels, which is plain C++.
#include <gtest/gtest.h>

#include <vector>

#include "kernels/cuda/fast_division.h"
#include "kernels/cuda/strided_index.h"
#include "kernels/view.h"

namespace chiasm::test {
namespace {

TEST(FastDivision, IsDivision) {
  constexpr std::uint32_t kLast = 0x7fffffffu;
  std::vector<std::uint32_t> divisors{1, 2, 3, 5, 7, 641, 65535, 65536, 65537, 0x3fffffffu, 0x40000000u, 0x40000001u};
  for (std::uint32_t d = 8; d < 600; ++d) divisors.push_back(d);
  divisors.push_back(kLast);
  for (std::uint32_t d : divisors) {
    const FastDivision division(d);
    std::vector<std::uint32_t> numbers{0, 1, kLast, kLast - 1, d - 1, d};
    // Quotients change at multiples of d: the numbers beside them are where a rounded multiplier shows.
    for (std::uint64_t k : {1u, 2u, 3u, 1000u, kLast / d - 1, kLast / d}) {
      for (std::int64_t beside : {-1, 0, 1}) {
        const std::int64_t n = static_cast<std::int64_t>(k * d) + beside;
        if (n >= 0 && n <= kLast) numbers.push_back(static_cast<std::uint32_t>(n));
      }
    }
    for (std::uint32_t n : numbers) {
      ASSERT_EQ(division.quotient(n), n / d) << n << " / " << d;
      ASSERT_EQ(division.remainder(n), n % d) << n << " % " << d;
    }
  }
}

// Pieces of a shape against for_each_offset, which says what is right.
TEST(StridedIndex, FindsEachElement) {
  const Shape shape{2, 3, 5, 7};
  for (const Shape& other :
       {Shape{2, 3, 5, 7}, Shape{7}, Shape{2, 1, 1, 7}, Shape{3, 1, 7}, Shape{2, 3, 5, 1}, Shape{}}) {
    const Strides strides = broadcast_view(View(nullptr, Spec{DType::kFloat32, other}), shape).strides();
    const LoopNest<2> nest(shape, {shape.row_major(), strides});
    std::vector<std::int64_t> expected, found;
    for_each_offset(
        shape, [&](std::int64_t, std::int64_t x) { expected.push_back(x); }, shape.row_major(), strides);
    for_each_piece(nest,
                   [&](const StridedIndex<2>& index, std::int64_t count, const std::array<std::int64_t, 2>& base) {
                     for (std::int64_t i = 0; i < count; ++i) {
                       std::int64_t offset[2];
                       index.offsets(static_cast<std::uint32_t>(i), offset);
                       EXPECT_EQ(base[0] + offset[0], static_cast<std::int64_t>(found.size()));
                       found.push_back(base[1] + offset[1]);
                     }
                   });
    EXPECT_EQ(found, expected);
  }
}

// Tensors too large for 32-bit indices, of which no element is needed: pieces follow each other, and their first and
// last elements lie where 64-bit arithmetic puts them.
TEST(StridedIndex, CutsLargeTensorsIntoPieces) {
  for (const Shape& shape : {Shape{5, std::int64_t{1} << 31, 3}, Shape{3, 7, 100000, 60000},
                             Shape{std::int64_t{1} << 33}, Shape{4, (std::int64_t{1} << 30) - 1}}) {
    // The innermost axis is broadcast in the second tensor, so that axes do not merge into one.
    Strides strides{};
    std::int64_t step = 1;
    for (int axis = shape.rank() - 2; axis >= 0; --axis) {
      strides[axis] = step;
      step *= shape[axis];
    }
    const LoopNest<2> nest(shape, {shape.row_major(), strides});
    const std::int64_t inner = shape[shape.rank() - 1];
    std::int64_t done = 0;
    for_each_piece(nest,
                   [&](const StridedIndex<2>& index, std::int64_t count, const std::array<std::int64_t, 2>& base) {
                     ASSERT_LT(count, std::int64_t{1} << 31);
                     for (std::int64_t i : {std::int64_t{0}, count / 2, count - 1}) {
                       std::int64_t offset[2];
                       index.offsets(static_cast<std::uint32_t>(i), offset);
                       ASSERT_EQ(base[0] + offset[0], done + i);
                       ASSERT_EQ(base[1] + offset[1], shape.rank() == 1 ? 0 : (done + i) / inner);
                     }
                     done += count;
                   });
    EXPECT_EQ(done, shape.elements());
  }
}

TEST(StridedIndex, HasNoPieceWithoutElements) {
  const Shape shape{3, 0, 5};
  for_each_piece(LoopNest<1>(shape, {shape.row_major()}),
                 [](const auto&, std::int64_t, const auto&) { ADD_FAILURE(); });
}

}  // namespace
}  // namespace chiasm::test
