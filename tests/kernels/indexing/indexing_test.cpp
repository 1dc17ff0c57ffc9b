// SPDX-License-Identifier: Apache-2.0
// Concat, slice, pad, transpose, gather.
#include <limits>
#include <numeric>

#include "kernels/indexing/concat.h"
#include "kernels/indexing/gather.h"
#include "kernels/indexing/pad.h"
#include "kernels/indexing/slice.h"
#include "kernels/indexing/transpose.h"
#include "tests/support/compare.h"
#include "tests/support/golden.h"
#include "tests/support/op_checks.h"
#include "tests/support/run.h"

namespace chiasm::test {
namespace {

// k = 0 where nothing is computed: float32 holds the same numbers as float64.
CHIASM_OP_CASES(Concat,
                {OpCase{.name = "concat_channels",
                        .op = make_op(Concat{-1}),
                        .inputs = {{{2, 3, 5, 7}}, {{2, 3, 5, 1}}, {{2, 3, 5, 4}}},
                        .k = 0},
                 OpCase{.name = "concat_batch", .op = make_op(Concat{0}), .inputs = {{{1, 9}}, {{3, 9}}}, .k = 0},
                 OpCase{.name = "concat_empty_part",
                        .op = make_op(Concat{1}),
                        .inputs = {{{3, 2, 5}}, {{3, 0, 5}}, {{3, 1, 5}}},
                        .k = 0},
                 OpCase{.name = "concat_one", .op = make_op(Concat{0}), .inputs = {{{1}}}, .k = 0}});
CHIASM_OP_CASES(Slice,
                {OpCase{.name = "slice_channels", .op = make_op(Slice{-1, 2, 4}), .inputs = {{{2, 3, 5, 7}}}, .k = 0},
                 OpCase{.name = "slice_batch", .op = make_op(Slice{0, 1, 1}), .inputs = {{{3, 11}}}, .k = 0},
                 OpCase{.name = "slice_all", .op = make_op(Slice{1, 0, 5}), .inputs = {{{3, 5, 2}}}, .k = 0}});
CHIASM_OP_CASES(
    Pad,
    {OpCase{
         .name = "pad_image", .op = make_op(Pad{{0, 1, 2, 0}, {0, 3, 0, 1}, 0.25}), .inputs = {{{2, 3, 5, 7}}}, .k = 0},
     OpCase{.name = "pad_nothing", .op = make_op(Pad{{0}, {0}}), .inputs = {{{5}}}, .k = 0},
     OpCase{.name = "pad_one", .op = make_op(Pad{{1, 0}, {0, 2}, 0.5}), .inputs = {{{1, 1}}}, .k = 0}});
CHIASM_OP_CASES(
    Transpose,
    {OpCase{.name = "transpose_nchw", .op = make_op(Transpose{{0, 3, 1, 2}}), .inputs = {{{2, 3, 5, 7}}}, .k = 0},
     OpCase{.name = "transpose_tiles", .op = make_op(Transpose{{1, 0}}), .inputs = {{{37, 53}}}, .k = 0},
     OpCase{.name = "transpose_reverse", .op = make_op(Transpose{{3, 2, 1, 0}}), .inputs = {{{2, 17, 3, 19}}}, .k = 0},
     OpCase{.name = "transpose_identity", .op = make_op(Transpose{{0, 1}}), .inputs = {{{3, 4}}}, .k = 0}});
// Each dx is a sum of the dy that picked it: 24 picks of 5 are about 5 each.
CHIASM_OP_CASES(
    Gather,
    {OpCase{.name = "gather_rows", .op = make_op(Gather{0}), .inputs = {{{5, 7}}, {{24}, indices(5)}}, .reduction = 12},
     OpCase{.name = "gather_middle",
            .op = make_op(Gather{1}),
            .inputs = {{{2, 5, 3}}, {{4, 3}, indices(5)}},
            .reduction = 12},
     OpCase{.name = "gather_last", .op = make_op(Gather{-1}), .inputs = {{{3, 6}}, {{5}, indices(6)}}, .reduction = 5},
     // Rows longer than what one warp of a GPU adds up, and an index that nothing picks.
     OpCase{.name = "gather_long_rows",
            .op = make_op(Gather{0}),
            .inputs = {{{5, 132}}, {{33}, indices(4)}},
            .reduction = 16},
     OpCase{.name = "gather_scalar_index", .op = make_op(Gather{0}), .inputs = {{{4, 9}}, {{}, indices(4)}}}});

TEST(Indexing, AgreesWithPyTorch) {
  const Golden golden("indexing");
  // Nothing but sums of at most six terms is computed.
  expect_golden(golden, "concat_channels", *make_op(Concat{3}), 1e-15);
  expect_golden(golden, "concat_batch", *make_op(Concat{0}), 1e-15);
  expect_golden(golden, "slice_channels", *make_op(Slice{3, 1, 3}), 1e-15);
  expect_golden(golden, "slice_rows", *make_op(Slice{1, 2, 2}), 1e-15);
  expect_golden(golden, "pad_image", *make_op(Pad{{0, 1, 2, 0}, {0, 0, 1, 0}, -0.5}), 1e-15);
  expect_golden(golden, "transpose_nchw", *make_op(Transpose{{0, 3, 1, 2}}), 1e-15);
  expect_golden(golden, "transpose_cycle", *make_op(Transpose{{2, 0, 1}}), 1e-15);
  expect_golden(golden, "gather_rows", *make_op(Gather{0}), 1e-15);
  expect_golden(golden, "gather_middle", *make_op(Gather{1}), 1e-15);
  expect_golden(golden, "gather_matrix", *make_op(Gather{0}), 1e-15);
}

// Long enough for several threads and, in the transpose, for full and cut tiles; every element is compared.
TEST(Indexing, LargeTensorsOnSeveralThreads) {
  constexpr std::int64_t kRows = 517, kColumns = 391;
  std::vector<float> values(kRows * kColumns);
  std::iota(values.begin(), values.end(), 0.0f);
  const Tensor x = tensor<float>({kRows, kColumns}, values);
  const std::vector<float> turned = list<float>(apply(*make_op(Transpose{{1, 0}}), {x}, 3));
  const std::vector<float> joined = list<float>(apply(*make_op(Concat{1}), {x, x}, 3));
  const std::vector<float> padded = list<float>(apply(*make_op(Pad{{1, 0}, {0, 1}, -1}), {x}, 3));
  std::vector<std::int32_t> order(kRows);
  for (std::int64_t i = 0; i < kRows; ++i) order[i] = static_cast<std::int32_t>(i * 100 % kRows);
  const std::vector<float> picked =
      list<float>(apply(*make_op(Gather{0}), {x, tensor<std::int32_t>({kRows}, order)}, 3));
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < kRows; ++i) {
    for (std::int64_t j = 0; j < kColumns; ++j) {
      const float value = values[i * kColumns + j];
      wrong += turned[j * kRows + i] != value;
      wrong += joined[i * 2 * kColumns + j] != value || joined[(i * 2 + 1) * kColumns + j] != value;
      wrong += padded[(i + 1) * (kColumns + 1) + j] != value;
      wrong += picked[i * kColumns + j] != values[order[i] * kColumns + j];
    }
    wrong += padded[(i + 1) * (kColumns + 1) + kColumns] != -1.0f;
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Indexing, MovesIntegers) {
  const Tensor a = tensor<std::int32_t>({2, 2}, {1, 2, 3, 4});
  const Tensor b = tensor<std::uint8_t>({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(list<std::int32_t>(apply(*make_op(Concat{0}), {a, a})),
            (std::vector<std::int32_t>{1, 2, 3, 4, 1, 2, 3, 4}));
  EXPECT_EQ(list<std::uint8_t>(apply(*make_op(Transpose{{1, 0}}), {b})), (std::vector<std::uint8_t>{1, 3, 2, 4}));
  EXPECT_EQ(list<std::uint8_t>(apply(*make_op(Gather{0}), {b, tensor<std::int32_t>({1}, {1})})),
            (std::vector<std::uint8_t>{3, 4}));
}

void expect_message(const AnyOp& op, const std::vector<Tensor>& inputs, const std::string& part) {
  try {
    apply(op, inputs);
    FAIL() << op.name() << " accepted what it should reject";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Indexing, RejectsWhatDoesNotFit) {
  const Tensor x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  expect_message(*make_op(Gather{0}), {x, tensor<std::int32_t>({3}, {0, 1, 2})},
                 "index 2 at position 2 is outside an axis of size 2");
  expect_message(*make_op(Gather{1}), {x, tensor<std::int32_t>({1}, {-1})}, "index -1");
  expect_message(*make_op(Gather{2}), {x, tensor<std::int32_t>({1}, {0})}, "gather");
  expect_message(*make_op(Concat{0}), {x, tensor<float>({1, 2}, {1, 2})}, "[2, 3] and [1, 2]");
  expect_message(*make_op(Concat{0}), {x, tensor<double>({1, 3}, {1, 2, 3})}, "float64");
  expect_message(*make_op(Slice{1, 2, 2}), {x}, "start 2 and size 2 leave axis 1 of shape [2, 3]");
  expect_message(*make_op(Slice{1, -1, 2}), {x}, "start -1");
  expect_message(*make_op(Slice{1, 1, std::numeric_limits<std::int64_t>::max()}), {x}, "leave axis 1");
  expect_message(*make_op(Pad{{0}, {0}}), {x}, "do not match the axes of shape [2, 3]");
  expect_message(*make_op(Pad{{0, -1}, {0, 0}}), {x}, "cannot add -1");
  expect_message(*make_op(Transpose{{0, 0}}), {x}, "{0, 0}");
  expect_message(*make_op(Transpose{{0}}), {x}, "{0}");
  expect_message(*make_op(Transpose{{0, 2}}), {x}, "{0, 2}");
}

}  // namespace
}  // namespace chiasm::test
