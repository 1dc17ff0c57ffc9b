// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise/add_n.h"

#include "tests/support/compare.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

OpCase sum_of(const std::string& name, std::size_t count, Shape shape) {
  return {.name = name,
          .op = make_op(AddN{}),
          .inputs = std::vector<OpInput>(count, {shape}),
          .reduction = static_cast<double>(count),
          .may_be_vacuous = shape.elements() == 0};
}

CHIASM_OP_CASES(AddN, {sum_of("one", 1, {3, 5}), sum_of("two", 2, {2, 3, 5, 7}), sum_of("five", 5, {37}),
                       sum_of("blocks", 3, {2, 601}), sum_of("single", 3, {1, 1}), sum_of("many", 17, {257}),
                       sum_of("empty", 2, {0, 3})});

Buffer ramp(float first) {
  Buffer x(Spec{DType::kFloat32, {3, 5}});
  for (int i = 0; i < 15; ++i) x.view().as<float>()[i] = first + static_cast<float>(i);
  return x;
}

TEST(AddN, AddsInOrder) {
  const Buffer a = ramp(1.0f), b = ramp(10.0f), c = ramp(100.0f);
  const std::vector<View> in{a.view(), b.view(), c.view()};
  const auto out = run_op(*make_op(AddN{}), in, CpuStream(1));
  for (int i = 0; i < 15; ++i) EXPECT_EQ(value_at(out[0].view(), i), 111.0 + 3 * i);
}

TEST(AddN, MayWriteOverAnyInput) {
  for (std::size_t shared = 0; shared < 3; ++shared) {
    std::vector<Buffer> x{ramp(1.0f), ramp(10.0f), ramp(100.0f)};
    const std::vector<View> in = views_of(x);
    const std::vector<MutableView> out{x[shared].view()};
    CpuStream stream(1);
    AddN{}.forward(stream, in, out);
    for (int i = 0; i < 15; ++i) EXPECT_EQ(value_at(x[shared].view(), i), 111.0 + 3 * i) << shared;
  }
}

TEST(AddN, RejectsUnequalShapes) {
  EXPECT_THROW(make_op(AddN{})->infer({}), ShapeError);
  EXPECT_THROW(make_op(AddN{})->infer(std::vector<Spec>{{DType::kFloat32, {2, 3}}, {DType::kFloat32, {3}}}),
               ShapeError);
}

}  // namespace
}  // namespace chiasm::test
