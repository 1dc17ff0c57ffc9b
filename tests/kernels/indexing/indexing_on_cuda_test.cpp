// SPDX-License-Identifier: Apache-2.0
// What the op rows do not show of moving elements on CUDA: every element type and alignment, indices that repeat or do
// not exist, and parts that lie in place already.
#include <cmath>

#include "kernels/elementwise/cast.h"
#include "kernels/indexing/broadcast.h"
#include "kernels/indexing/concat.h"
#include "kernels/indexing/gather.h"
#include "kernels/indexing/pad.h"
#include "kernels/indexing/pick.h"
#include "kernels/indexing/slice.h"
#include "kernels/indexing/transpose.h"
#include "tests/support/compare.h"
#include "tests/support/cuda.h"
#include "tests/support/device_copy.h"

namespace chiasm::test {
namespace {

// Element i is i, or i mod 256, of each type.
Buffer numbered(DType type, const Shape& shape) {
  Buffer buffer(Spec{type, shape});
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    set_value(buffer.view(), i, static_cast<double>(type == DType::kUInt8 ? i % 251 : i));
  }
  return buffer;
}

void expect_like_cpu(const OpPtr& op, const std::vector<Buffer>& in, const std::string& what) {
  const std::vector<Buffer> expected = run_op(*op, views_of(in), CpuStream(1));
  for (const bool misaligned : {false, true}) {
    CudaStream stream;
    const std::vector<Buffer> y = run_op_on_cuda(*op, views_of(in), stream, misaligned);
    EXPECT_TRUE(bit_equal(y[0].view(), expected[0].view())) << op->name() << ": " << what << " " << misaligned;
  }
}

// Channels of 4 and 16 elements become words of 16 bytes, 3 and 5 stay elements; 0 is nothing to do.
TEST(IndexingOnCuda, MovesEveryTypeAsTheCpuDoes) {
  CHIASM_NEEDS_CUDA();
  for (const DType type : {DType::kFloat32, DType::kInt32, DType::kUInt8}) {
    for (const std::int64_t channels : {1, 3, 4, 5, 8, 16, 33, 0}) {
      const std::string what = std::string(name_of(type)) + ", " + std::to_string(channels) + " channels";
      std::vector<Buffer> x;
      x.push_back(numbered(type, {2, 3, 5, channels}));
      expect_like_cpu(make_op(Slice{1, 1, 2}), x, what);
      expect_like_cpu(make_op(Slice{-1, channels / 4, channels / 2}), x, what);
      expect_like_cpu(make_op(Transpose{{0, 3, 1, 2}}), x, what);
      expect_like_cpu(make_op(Transpose{{2, 1, 0, 3}}), x, what);
      if (type == DType::kFloat32) expect_like_cpu(make_op(Pad{{0, 1, 2, 0}, {1, 0, 3, 4}, 7}), x, what);
      expect_like_cpu(make_op(Broadcast{{4, 2, 3, 5, channels}}), x, what);
      x.push_back(numbered(type, {2, 3, 5, 4}));
      x.push_back(numbered(type, {2, 3, 5, channels}));
      expect_like_cpu(make_op(Concat{-1}), x, what);
      std::vector<Buffer> rows;
      rows.push_back(numbered(type, {2, 6, channels}));
      Buffer index(Spec{DType::kInt32, {7}});
      for (int i = 0; i < 7; ++i) index.view().as<std::int32_t>()[i] = i * 4 % 6;  // repeats
      rows.push_back(index);
      expect_like_cpu(make_op(Gather{1}), rows, what);
    }
  }
}

TEST(IndexingOnCuda, JoinsManyParts) {
  CHIASM_NEEDS_CUDA();
  std::vector<Buffer> parts;
  for (int k = 0; k < 70; ++k) parts.push_back(numbered(DType::kFloat32, {3, k % 4}));  // more than a launch takes
  expect_like_cpu(make_op(Concat{1}), parts, "70 parts");
}

// Every pair of types, with fractions, values beyond the smaller types, and tails.
TEST(IndexingOnCuda, CastsEveryPairOfTypes) {
  CHIASM_NEEDS_CUDA();
  constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat64, DType::kInt32, DType::kUInt8};
  for (const DType from : kTypes) {
    for (const DType to : kTypes) {
      for (const std::int64_t count : {1, 3, 5, 33, 257}) {
        std::vector<Buffer> x;
        x.emplace_back(Spec{from, {count}});
        for (std::int64_t i = 0; i < count; ++i) {
          const double value =
              from == DType::kUInt8 ? static_cast<double>(i % 256) : 1.75 * static_cast<double>(i) - 99.0;
          set_value(x[0].view(), i,
                    value * (from != DType::kUInt8 && i % 5 == 4 ? (is_floating(from) ? 1e8 : 1e6) : 1.0));
        }
        expect_like_cpu(make_op(Cast{to}), x, std::string(name_of(from)) + " to " + std::string(name_of(to)));
      }
    }
  }
}

// Gather and pick leave a mark where an index is outside; the others are unharmed.
TEST(IndexingOnCuda, MarksIndicesThatDoNotExist) {
  CHIASM_NEEDS_CUDA();
  CudaStream stream;
  const Buffer x = numbered(DType::kFloat32, {3, 4}), bytes = numbered(DType::kUInt8, {3, 4});
  Buffer index(Spec{DType::kInt32, {3}});
  for (int i = 0; i < 3; ++i) index.view().as<std::int32_t>()[i] = std::vector<int>{2, -1, 1000000000}[i];
  const auto run = [&](const OpPtr& op, const Buffer& from) {
    return run_op_on_cuda(*op, std::vector<View>{from.view(), index.view()}, stream);
  };
  const auto gathered = run(make_op(Gather{0}), x), picked = run(make_op(Pick{}), x);
  const auto gathered_bytes = run(make_op(Gather{0}), bytes);
  for (int c = 0; c < 4; ++c) {
    EXPECT_EQ(value_at(gathered[0].view(), c), 8.0 + c);
    EXPECT_TRUE(std::isnan(value_at(gathered[0].view(), 4 + c)) && std::isnan(value_at(gathered[0].view(), 8 + c)));
    EXPECT_EQ(value_at(gathered_bytes[0].view(), c), 8.0 + c);
    EXPECT_EQ(value_at(gathered_bytes[0].view(), 8 + c), 0.0);
  }
  EXPECT_EQ(value_at(picked[0].view(), 0), 2.0);
  EXPECT_TRUE(std::isnan(value_at(picked[0].view(), 1)) && std::isnan(value_at(picked[0].view(), 2)));
}

// Gradients of repeated indices, for rows of one element up to more than a warp's 128, with gaps between the picks.
TEST(IndexingOnCuda, AddsUpRepeatedIndicesInOrder) {
  CHIASM_NEEDS_CUDA();
  for (const std::int64_t inner : {1, 5, 31, 32, 33, 128, 132, 257}) {
    for (const int count : {1, 7, 32, 65, 200}) {
      const OpCase row{.name = "", .op = make_op(Gather{1}), .inputs = {{{2, 5, inner}}, {{count}, indices(4)}}};
      const std::vector<Buffer> in = make_inputs(row, DType::kFloat32);
      const std::vector<View> views = views_of(in);
      const std::vector<Buffer> out = run_op(*row.op, views, CpuStream(1));
      const Buffer dy = weights_like(out[0].view());
      const auto expected = gradient_of(*row.op, 0, views, views_of(out), dy.view(), CpuStream(1));
      for (const bool misaligned : {false, true}) {
        const RunOp run = [&](const AnyOp& op, std::span<const View> x) {
          CudaStream stream;
          return run_op_on_cuda(op, x, stream, misaligned);
        };
        const auto found = gradient_of(*row.op, 0, views, views_of(out), dy.view(), run);
        // The same sums in the same order: nothing else is computed.
        EXPECT_TRUE(bit_equal(found->view(), expected->view())) << inner << " elements, " << count << " indices";
      }
    }
  }
}

// The memory plan may put a part where it belongs; the concat leaves it alone and writes the others.
TEST(IndexingOnCuda, LeavesPartsThatLieInPlace) {
  CHIASM_NEEDS_CUDA();
  CudaStream stream;
  const Concat op{0};
  const Buffer a = numbered(DType::kFloat32, {2, 5}), b = numbered(DType::kFloat32, {3, 5});
  const std::vector<Buffer> expected = run_op(*make_op(op), std::vector<View>{a.view(), b.view()}, CpuStream(1));
  for (int in_place = 0; in_place < 2; ++in_place) {
    Buffer start(Spec{DType::kFloat32, {5, 5}});
    const Buffer& kept = in_place == 0 ? a : b;
    const std::int64_t begin = in_place == 0 ? 0 : 10;
    for (std::int64_t i = 0; i < kept.view().elements(); ++i) {
      set_value(start.view(), begin + i, value_at(kept.view(), i));
    }
    const DeviceCopy whole(stream, start.view()), other(stream, (in_place == 0 ? b : a).view());
    const View part(whole.view().as<float>() + begin, kept.view().spec());
    const std::vector<View> in =
        in_place == 0 ? std::vector<View>{part, other.view()} : std::vector<View>{other.view(), part};
    const std::vector<MutableView> out{whole.view()};
    make_op(op)->run(stream, in, out);
    EXPECT_TRUE(bit_equal(whole.on_host(stream).view(), expected[0].view())) << in_place;
  }
}

}  // namespace
}  // namespace chiasm::test
