// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/pick.h"

#include "tests/support/compare.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

OpCase pick(const std::string& name, Shape x, Fill fill = uniform()) {
  return {.name = name, .op = make_op(Pick{}), .inputs = {{x, fill}, {{x[0]}, indices(x[1])}}};
}

CHIASM_OP_CASES(Pick, {pick("logits", {5, 4, 11}), pick("scalars", {7, 3}), pick("images", {3, 2, 5, 4, 3}),
                       pick("one_part", {4, 1, 6})});

// x[n, k, c] = 100 n + 10 k + c: every value says where it comes from.
TEST(Pick, TakesEachSamplesOwnPart) {
  Buffer x(Spec{DType::kFloat32, {3, 4, 2}});
  for (std::int64_t i = 0; i < 24; ++i) {
    set_value(x.view(), i, static_cast<double>(100 * (i / 8) + 10 * (i / 2 % 4) + i % 2));
  }
  Buffer index(Spec{DType::kInt32, {3}});
  const std::int32_t chosen[] = {2, 0, 3};
  std::copy_n(chosen, 3, index.view().as<std::int32_t>());
  const std::vector<View> in{x.view(), index.view()};
  const auto out = run_op(*make_op(Pick{}), in, CpuStream(2));
  const double expected[] = {20, 21, 100, 101, 230, 231};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(value_at(out[0].view(), i), expected[i]) << i;
}

TEST(Pick, RefusesAnIndexOutOfRange) {
  Buffer x(Spec{DType::kFloat32, {1, 2}});
  Buffer index(Spec{DType::kInt32, {1}});
  for (std::int32_t wrong : {-1, 2}) {
    *index.view().as<std::int32_t>() = wrong;
    EXPECT_THROW(run_op(*make_op(Pick{}), std::vector<View>{x.view(), index.view()}, CpuStream(1)), InputError);
  }
  EXPECT_THROW(Pick{}.infer(std::vector<Spec>{{DType::kFloat32, {2}}, {DType::kInt32, {2}}}), ShapeError);
  EXPECT_THROW(Pick{}.infer(std::vector<Spec>{{DType::kFloat32, {2, 3}}, {DType::kInt32, {3}}}), ShapeError);
}

}  // namespace
}  // namespace chiasm::test
