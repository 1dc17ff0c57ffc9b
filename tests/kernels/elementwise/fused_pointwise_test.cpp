// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise/fused_pointwise.h"

#include <cmath>

#include "engine/tensor.h"
#include "kernels/elementwise/map.h"
#include "tests/support/compare.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

using Instruction = FusedPointwise::Instruction;

template <class F>
Instruction call(F function, std::vector<int> operands) {
  return {Map<F>{function}.pointwise(), std::move(operands)};
}

// A gate: y = sigmoid(a + bias) scaled and shifted, times c, plus s. Its factor and y leave the op.
FusedPointwise gate() {
  enum { kA, kBias, kC, kScale, kSum, kGate, kFactor, kProduct };
  return {.inputs = 4,
          .instructions = {call(Add{}, {kA, kBias}), call(Sigmoid{}, {kSum}), call(Affine{-0.7, 1.3}, {kGate}),
                           call(Multiply{}, {kFactor, kC}), call(Add{}, {kProduct, kScale})},
          .outputs = {2, 4}};
}

OpCase gate_row(const std::string& name, Shape a, Shape bias, Shape c, Shape s) {
  // k: sigmoid is bounded at 3 ulp, four roundings follow.
  return {.name = name, .op = make_op(gate()), .inputs = {{a}, {bias}, {c}, {s}}, .k = 8.0};
}

// Shapes: biases, a batch of one, scalars; periods shorter and longer than a tile that do not divide it; more than one
// tile and piece of work; a result that no input has the shape of.
CHIASM_OP_CASES(FusedPointwise, {gate_row("image", {2, 3, 5, 7}, {7}, {1, 3, 5, 7}, {}),
                                 gate_row("odd", {37}, {37}, {37}, {1}), gate_row("single", {1, 1}, {1}, {1, 1}, {}),
                                 gate_row("tiles", {3, 2753, 1}, {2753, 1}, {3, 2753, 1}, {1, 1, 1}),
                                 gate_row("pieces", {9, 157, 11}, {11}, {1, 157, 11}, {157, 11}),
                                 gate_row("channels", {3, 11, 8}, {8}, {1, 11, 8}, {8}),
                                 gate_row("tail", {257}, {257}, {257}, {}), gate_row("outer", {1, 1}, {5}, {5}, {})});

TEST(FusedPointwise, ComputesWhatItIsTold) {
  const OpCase row = gate_row("", {2, 3}, {3}, {1, 3}, {});
  const std::vector<Buffer> in = make_inputs(row, DType::kFloat64);
  const std::vector<Buffer> out = run_op(*row.op, views_of(in), CpuStream(1));
  for (int i = 0; i < 6; ++i) {
    const double x = value_at(in[0].view(), i) + value_at(in[1].view(), i % 3);
    const double factor = -0.7 / (1.0 + std::exp(-x)) + 1.3;
    // A few roundings of values below 2.
    EXPECT_NEAR(value_at(out[0].view(), i), factor, 1e-15);
    EXPECT_NEAR(value_at(out[1].view(), i), factor * value_at(in[2].view(), i % 3) + value_at(in[3].view(), 0), 2e-15);
  }
}

// A wrong period would read neighbours only in some tiles; the functions one by one on whole tensors say what is right.
TEST(FusedPointwise, HasTheBitsOfTheFunctionsOneByOne) {
  for (const OpCase& row : {gate_row("", {3, 2753, 1}, {2753, 1}, {3, 2753, 1}, {1, 1, 1}),
                            gate_row("", {9, 157, 11}, {11}, {1, 157, 11}, {157, 11})}) {
    for (const DType type : {DType::kFloat32, DType::kFloat64}) {
      const std::vector<Buffer> in = make_inputs(row, type);
      const CpuStream one(1);
      const auto map = [&](auto f, const std::vector<View>& x) { return run_op(*make_op(Map{f}), x, one); };
      const auto sum = map(Add{}, {in[0].view(), in[1].view()});
      const auto sigmoid = map(Sigmoid{}, {sum[0].view()});
      const auto factor = map(Affine{-0.7, 1.3}, {sigmoid[0].view()});
      const auto product = map(Multiply{}, {factor[0].view(), in[2].view()});
      const auto y = map(Add{}, {product[0].view(), in[3].view()});
      for (int threads : {1, 2, 3}) {
        const std::vector<Buffer> out = run_op(*row.op, views_of(in), CpuStream(threads));
        EXPECT_TRUE(bit_equal(out[0].view(), factor[0].view())) << threads;
        EXPECT_TRUE(bit_equal(out[1].view(), y[0].view())) << threads;
      }
    }
  }
}

// Either output may take the memory of any input of the full shape, also of one that is read after the output's value
// is known.
TEST(FusedPointwise, MayWriteOverAnyInput) {
  const FusedPointwise op{
      .inputs = 3,
      .instructions = {call(Add{}, {0, 1}), call(Multiply{}, {3, 2}), call(Subtract{}, {4, 0}), call(Add{}, {5, 3})},
      .outputs = {0, 3}};
  const OpCase row{.name = "", .op = make_op(op), .inputs = {{{3, 1500}}, {{3, 1500}}, {{3, 1500}}}};
  const std::vector<Buffer> in = make_inputs(row, DType::kFloat32);
  const std::vector<Buffer> expected = run_op(*row.op, views_of(in), CpuStream(1));
  for (std::size_t first = 0; first < 3; ++first) {
    for (std::size_t second = 0; second < 3; ++second) {
      if (first == second) continue;
      std::vector<Buffer> x = in;
      const std::vector<MutableView> out{x[first].view(), x[second].view()};
      std::vector<Spec> specs(3, in[0].view().spec());
      CpuStream stream(2);
      Tensor workspace(Spec{DType::kUInt8, {op.workspace_bytes(stream, specs)}});
      stream.lend_workspace(workspace.bytes());
      op.forward(stream, views_of(x), out);
      EXPECT_TRUE(bit_equal(x[first].view(), expected[0].view())) << first << second;
      EXPECT_TRUE(bit_equal(x[second].view(), expected[1].view())) << first << second;
    }
  }
}

TEST(FusedPointwise, AcceptsNothingToDo) {
  const OpCase row = gate_row("", {0, 7}, {7}, {1, 7}, {});
  const std::vector<Buffer> in = make_inputs(row, DType::kFloat32);
  EXPECT_EQ(run_op(*row.op, views_of(in), CpuStream(2))[1].view().shape(), (Shape{0, 7}));
}

TEST(FusedPointwise, RejectsWhatItCannotRead) {
  const auto infer = [](const FusedPointwise& op, std::vector<Shape> shapes) {
    std::vector<Spec> in;
    for (const Shape& shape : shapes) in.push_back({DType::kFloat32, shape});
    return op.infer(in);
  };
  EXPECT_EQ(infer(gate(), {{4, 3}, {3}, {1, 3}, {}}).size(), 2u);
  EXPECT_THROW(infer(gate(), {{4, 3}, {3}, {4, 1}, {}}), ShapeError);  // repeats along an inner axis
  EXPECT_THROW(infer(gate(), {{4, 3}, {3}, {1, 3}}), ShapeError);
  FusedPointwise op = gate();
  op.instructions[1].operands = {7};
  EXPECT_THROW(infer(op, {{4, 3}, {3}, {1, 3}, {}}), InternalError);
  op = gate();
  op.outputs = {4, 4};
  EXPECT_THROW(infer(op, {{4, 3}, {3}, {1, 3}, {}}), InternalError);
}

TEST(BroadcastPeriod, IsTheSizeOfTheInnermostAxes) {
  EXPECT_EQ(broadcast_period({4, 3}, {4, 3}), 12);
  EXPECT_EQ(broadcast_period({3}, {4, 3}), 3);
  EXPECT_EQ(broadcast_period({1, 1, 3}, {5, 4, 3}), 3);
  EXPECT_EQ(broadcast_period({1, 4, 3}, {5, 4, 3}), 12);
  EXPECT_EQ(broadcast_period({}, {5, 4, 3}), 1);
  EXPECT_EQ(broadcast_period({1, 4, 1}, {5, 4, 1}), 4);
  EXPECT_EQ(broadcast_period({4, 1}, {4, 3}), 0);
  EXPECT_EQ(broadcast_period({5, 1, 3}, {5, 4, 3}), 0);
  EXPECT_EQ(broadcast_period({1, 5, 4, 3}, {5, 4, 3}), 0);
}

}  // namespace
}  // namespace chiasm::test
