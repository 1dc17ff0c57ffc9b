// SPDX-License-Identifier: Apache-2.0
// What the op rows do not show of FusedPointwise on CUDA: equal bits with Map, results over inputs, programs of several
// launches, and the schedule itself.
#include <string>

#include "kernels/elementwise/functor_list.h"
#include "kernels/elementwise/map.h"
#include "kernels/elementwise/pointwise_program.h"
#include "tests/support/compare.h"
#include "tests/support/cuda.h"
#include "tests/support/device_copy.h"

namespace chiasm::test {
namespace {

using Instruction = FusedPointwise::Instruction;

template <class F>
Instruction call(F function, std::vector<int> operands) {
  return {Map<F>{function}.pointwise(), std::move(operands)};
}

// Every function of one argument on input 0 (and its gradient with dy in input 1 and y in its result), then sums and
// products of two: each result leaves the op.
template <class F>
void append_function(FusedPointwise& op, F function) {
  const Map<F> map{function};
  const int y = op.inputs + static_cast<int>(op.instructions.size());
  if constexpr (F::kArity == 1) op.instructions.push_back({map.pointwise(), {0}});
  if constexpr (F::kArity == 2) op.instructions.push_back({map.pointwise(), {0, 1}});
  if constexpr (F::kArity == 3) op.instructions.push_back({map.pointwise(), {2, 0, 1}});
  for (int input = 0; input < F::kArity; ++input) {
    if (F::gradient(input).kind != GradientRule::Kind::kKernel) continue;
    const PointwiseFunction gradient = map.pointwise_gradient(input);
    std::vector<int> operands(static_cast<std::size_t>(gradient.arguments), 1);
    for (int k = 0; k < F::kArity; ++k) operands[k] = op.instructions[y - op.inputs].operands[k];
    operands[F::kArity] = y;
    op.instructions.push_back({gradient, operands});
  }
}

FusedPointwise every_function() {
  FusedPointwise op;
  op.inputs = 3;
#define CHIASM_APPEND(F) append_function(op, F{});
  CHIASM_FOR_EACH_FUNCTOR(CHIASM_APPEND)
#undef CHIASM_APPEND
  for (int k = 0; k < static_cast<int>(op.instructions.size()); ++k) op.outputs.push_back(k);
  return op;
}

std::vector<Buffer> run_cuda(const FusedPointwise& op, const std::vector<Buffer>& in, bool misaligned = false) {
  CudaStream stream;
  return run_op_on_cuda(*make_op(op), views_of(in), stream, misaligned);
}

// 37 elements: a tail, and with a period of 37 a repeat at every alignment.
TEST(FusedPointwiseOnCuda, ComputesEveryFunction) {
  CHIASM_NEEDS_CUDA();
  const FusedPointwise op = every_function();
  ASSERT_GE(op.instructions.size(), 35u);
  const OpCase row{.name = "",
                   .op = make_op(op),
                   .inputs = {{{5, 37}, uniform(0.2, 2.0)}, {{37}, uniform(0.5, 1.5)}, {{5, 37}, mask()}}};
  const std::vector<Buffer> reference = run_op(*row.op, views_of(make_inputs(row, DType::kFloat64)), CpuStream(1));
  for (const bool misaligned : {false, true}) {
    const std::vector<Buffer> out = run_cuda(op, make_inputs(row, DType::kFloat32), misaligned);
    ASSERT_EQ(out.size(), reference.size());
    for (std::size_t k = 0; k < out.size(); ++k) {
      // The functions are bounded at 4 ulp (approximations.h); a gradient reads a rounded y.
      EXPECT_TRUE(near(out[k].view(), reference[k].view(), rounding_tolerance(DType::kFloat32, 8.0)))
          << op.instructions[k].function.name << ", instruction " << k;
    }
  }
}

// The same bits as Map, whose kernels are compiled from the same functors.
TEST(FusedPointwiseOnCuda, HasTheBitsOfMap) {
  CHIASM_NEEDS_CUDA();
  const FusedPointwise op{.inputs = 3,
                          .instructions = {call(Add{}, {0, 1}), call(Sigmoid{}, {3}), call(Affine{-0.7, 1.3}, {4}),
                                           call(Multiply{}, {5, 2}), call(Softplus{}, {6}), call(Tanh{}, {7})},
                          .outputs = {1, 3, 5}};
  const OpCase row{.name = "", .op = make_op(op), .inputs = {{{9, 157, 11}, uniform(-6, 6)}, {{11}}, {{1, 157, 11}}}};
  const std::vector<Buffer> in = make_inputs(row, DType::kFloat32);
  const std::vector<Buffer> out = run_cuda(op, in);
  CudaStream stream;
  const auto map = [&](auto f, const std::vector<View>& x) { return run_op_on_cuda(*make_op(Map{f}), x, stream); };
  const auto sigmoid = map(Sigmoid{}, {map(Add{}, {in[0].view(), in[1].view()})[0].view()});
  const auto product = map(Multiply{}, {map(Affine{-0.7, 1.3}, {sigmoid[0].view()})[0].view(), in[2].view()});
  const auto tanh = map(Tanh{}, {map(Softplus{}, {product[0].view()})[0].view()});
  EXPECT_TRUE(bit_equal(out[0].view(), sigmoid[0].view()));
  EXPECT_TRUE(bit_equal(out[1].view(), product[0].view()));
  EXPECT_TRUE(bit_equal(out[2].view(), tanh[0].view()));
}

// Runs the op with output o in the memory of input shared[o], or in its own where that is negative.
std::vector<Buffer> run_in_place(const FusedPointwise& op, const std::vector<Buffer>& in,
                                 const std::vector<int>& shared) {
  const OpPtr node = make_op(op);
  CudaStream stream;
  std::vector<DeviceCopy> x, own;
  std::vector<View> views;
  std::vector<Spec> specs;
  for (const Buffer& buffer : in) {
    x.emplace_back(stream, buffer.view());
    views.emplace_back(x.back().view());
    specs.push_back(buffer.view().spec());
  }
  std::vector<MutableView> out;
  for (int input : shared) {
    own.emplace_back(stream, Buffer(op.infer(specs)[0]).view());
    out.push_back(input < 0 ? own.back().view() : x[input].view());
  }
  const DeviceMemory workspace(stream, node->workspace_bytes(stream, specs));
  stream.lend_workspace({workspace.data(), static_cast<std::size_t>(workspace.bytes())});
  node->run(stream, views, out);
  std::vector<Buffer> results;
  for (std::size_t o = 0; o < out.size(); ++o) {
    results.push_back((shared[o] < 0 ? own[o] : x[shared[o]]).on_host(stream));
  }
  return results;
}

// An early result over an input that the last instruction reads.
TEST(FusedPointwiseOnCuda, MayWriteOverAnyInput) {
  CHIASM_NEEDS_CUDA();
  const FusedPointwise op{
      .inputs = 3,
      .instructions = {call(Add{}, {0, 1}), call(Multiply{}, {3, 2}), call(Subtract{}, {4, 0}), call(Add{}, {5, 3})},
      .outputs = {0, 3}};
  const OpCase row{.name = "", .op = make_op(op), .inputs = {{{3, 457}}, {{3, 457}}, {{3, 457}}}};
  const std::vector<Buffer> in = make_inputs(row, DType::kFloat32);
  const std::vector<Buffer> expected = run_op(*row.op, views_of(in), CpuStream(1));
  for (int first = -1; first < 3; ++first) {
    for (int second = -1; second < 3; ++second) {
      if (first == second && first >= 0) continue;
      const std::vector<Buffer> out = run_in_place(op, in, {first, second});
      // Sums and products alone: nothing to contract, so both devices round alike.
      EXPECT_TRUE(bit_equal(out[0].view(), expected[0].view())) << first << second;
      EXPECT_TRUE(bit_equal(out[1].view(), expected[1].view())) << first << second;
    }
  }
}

// Programs with too many inputs, results or steps for one launch: x[k] += x[k - 1] x[k + 1] over `count` inputs, all of
// which are read again at the end, in the other order.
FusedPointwise long_program(int count) {
  FusedPointwise op;
  op.inputs = count;
  const auto append = [&](Instruction instruction) {
    op.instructions.push_back(std::move(instruction));
    return count + static_cast<int>(op.instructions.size()) - 1;
  };
  int sum = 0;
  for (int k = 1; k + 1 < count; ++k) {
    const int product = append(call(Multiply{}, {k - 1, k + 1}));
    sum = append(call(Add{}, {product, sum}));
    if (k % 5 == 0) op.outputs.push_back(sum - count);
  }
  for (int k = count - 1; k >= 0; --k) sum = append(call(Subtract{}, {sum, k}));
  op.outputs.push_back(sum - count);
  return op;
}

TEST(FusedPointwiseOnCuda, RunsProgramsThatNeedSeveralLaunches) {
  CHIASM_NEEDS_CUDA();
  for (const int count : {5, 20, 41, 90}) {
    const FusedPointwise op = long_program(count);
    OpCase row{.name = "", .op = make_op(op), .inputs = {}};
    for (int k = 0; k < count; ++k) row.inputs.push_back({k % 7 == 3 ? Shape{29} : Shape{3, 29}});
    const std::vector<Buffer> in = make_inputs(row, DType::kFloat32);
    const std::vector<Buffer> expected = run_op(*row.op, views_of(in), CpuStream(1));
    const std::vector<Buffer> out = run_cuda(op, in);
    // Early results over inputs that are first read later, by this launch or by another.
    std::vector<int> shared(op.outputs.size(), -1);
    for (std::size_t o = 0; o < shared.size(); ++o) {
      const int input = count - 1 - static_cast<int>(o) * 3;
      if (input % 7 != 3) shared[o] = input;
    }
    const std::vector<Buffer> in_place = run_in_place(op, in, shared);
    for (std::size_t o = 0; o < out.size(); ++o) {
      EXPECT_TRUE(bit_equal(out[o].view(), expected[o].view())) << count << " inputs, output " << o;
      EXPECT_TRUE(bit_equal(in_place[o].view(), expected[o].view())) << count << " inputs, in place, output " << o;
    }
  }
}

TEST(PointwiseSchedule, CutsOnlyWhatDoesNotFit) {
  const auto schedule = [](int count) {
    const FusedPointwise op = long_program(count);
    return schedule_pointwise(op, std::vector<std::vector<int>>(op.outputs.size()));
  };
  EXPECT_EQ(schedule(20).size(), 1u);
  const std::vector<PointwiseProgram> cut = schedule(90);
  EXPECT_GT(cut.size(), 1u);
  using namespace pointwise_limits;
  for (const PointwiseProgram& program : cut) {
    EXPECT_LE(program.steps.size(), std::size_t{kSteps});
    EXPECT_LE(program.inputs.size(), std::size_t{kInputs});
    EXPECT_LE(program.outputs.size(), std::size_t{kOutputs});
    EXPECT_LE(program.slots, kSlots);
  }
}

// A chain needs the slots of what it reads, not of what it computes.
TEST(PointwiseSchedule, KeepsChainsInRegisters) {
  FusedPointwise op{.inputs = 1, .instructions = {call(Sigmoid{}, {0})}, .outputs = {29}};
  for (int k = 1; k < 30; ++k) op.instructions.push_back(call(Tanh{}, {k}));
  const std::vector<PointwiseProgram> programs = schedule_pointwise(op, {{}});
  ASSERT_EQ(programs.size(), 1u);
  EXPECT_EQ(programs[0].slots, 1);
  EXPECT_EQ(programs[0].steps.size(), 32u);  // a load, 30 calls, a store
}

}  // namespace
}  // namespace chiasm::test
