// SPDX-License-Identifier: Apache-2.0
// The gate arithmetic of every cell, forward and backward, as the fused programs that two steps of it compile to: on
// CUDA against float64 on the CPU.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/ops.h"
#include "engine/passes/pass.h"
#include "kernels/elementwise/fused_pointwise.h"
#include "kernels/reduction/sum_to.h"
#include "tests/support/compare.h"
#include "tests/support/cuda.h"
#include "tests/support/vectors.h"

namespace chiasm::test {
namespace {

// An odd number of elements in all, so that every program has a tail.
const Shape kInput{3, 5, 3, 3};

// Two steps of a cell, the gradients of all its leaves, and what the passes make of them.
Graph two_steps(const Cell& cell) {
  Graph graph;
  Parameters parameters;
  const Scope scope(graph, parameters, {.dtype = DType::kFloat32});
  std::vector<Value> leaves, state;
  const auto leaf = [&](const std::string& name, const Shape& shape) {
    leaves.push_back(graph.input(name, Spec{DType::kFloat32, shape}));
    return leaves.back();
  };
  for (const Shape& shape : cell.state_shapes(kInput)) state.push_back(leaf(numbered("s", state.size()), shape));
  Value loss = fill(graph, Spec{DType::kFloat32, {}}, 0.0);
  const auto add = [&](Value v) { loss = loss + graph.apply(SumTo{Shape{}}, {v * v}); };
  for (int t = 0; t < 2; ++t) {
    CellInput in;
    in.x = leaf(numbered("x", static_cast<std::size_t>(t)), kInput);
    in.feedforward = leaf(numbered("r", static_cast<std::size_t>(t)), kInput);
    CellStep step = cell.step(scope.at_step(t), in, state);
    state = std::move(step.state);
    add(step.output);
  }
  for (Value s : state) add(s);
  graph.output("loss", loss);
  const std::vector<Value> found = gradients(loss, leaves);
  for (std::size_t i = 0; i < found.size(); ++i) graph.output(numbered("gradient", i), found[i]);
  return fuse_pointwise(prune(share(graph)));
}

class FusedCells : public testing::TestWithParam<const char*> {};

TEST_P(FusedCells, RunOnCuda) {
  CHIASM_NEEDS_CUDA();
  const Graph graph = two_steps(*cell_of(std::string(R"({"type": ")") + GetParam() + "\"}"));
  CudaStream stream;
  std::size_t programs = 0, longest = 0;
  bool backward = false;
  for (const Node& node : graph.nodes()) {
    const auto* op = op_cast<FusedPointwise>(*node.op);
    if (op == nullptr) continue;
    ++programs;
    longest = std::max(longest, op->instructions.size());
    backward = backward || op->is_gradient();
    OpCase row{.name = "", .op = node.op, .inputs = {}};
    for (ValueId id : node.inputs) row.inputs.push_back({graph.spec(id).shape, uniform(-0.9, 0.9)});
    const std::vector<Buffer> reference = run_op(*node.op, views_of(make_inputs(row, DType::kFloat64)), CpuStream(1));
    const std::vector<Buffer> x = make_inputs(row, DType::kFloat32);
    for (const bool misaligned : {false, true}) {
      const std::vector<Buffer> y = run_op_on_cuda(*node.op, views_of(x), stream, misaligned);
      for (std::size_t o = 0; o < y.size(); ++o) {
        // Functions of up to 4 ulp one after the other, each of which the next may amplify by a small factor.
        EXPECT_TRUE(near(y[o].view(), reference[o].view(), rounding_tolerance(DType::kFloat32, 32.0)))
            << node.label << ", output " << o;
      }
    }
  }
  EXPECT_GE(programs, 2u);
  EXPECT_GE(longest, 4u);
  EXPECT_TRUE(backward);
}

INSTANTIATE_TEST_SUITE_P(Cells, FusedCells,
                         testing::Values("rgc", "rgc_shallow", "gru", "lstm", "ugrnn", "intersection_rnn",
                                         "time_decay"));

}  // namespace
}  // namespace chiasm::test
