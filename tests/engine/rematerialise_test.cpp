// SPDX-License-Identifier: Apache-2.0
#include "engine/passes/rematerialise.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/memory_plan.h"
#include "engine/ops.h"
#include "engine/optimizer.h"
#include "engine/passes/pass.h"
#include "engine/program.h"
#include "kernels/reduction/sum.h"
#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"

namespace chiasm::test {
namespace {

// A training step of a recurrent network over many steps: h <- tanh(x W + g(h) U), with several products a step.
Graph training_step(int steps, Parameters& parameters) {
  Graph graph;
  const Scope scope(graph, parameters, {.dtype = DType::kFloat32});
  const Value x = graph.input("x", Spec{DType::kFloat32, {32, 16}});
  const Weight w = scope.weight("w", {16, 64}, Initialiser::uniform(0.2));
  const Weight u = scope.weight("u", {64, 64}, Initialiser::uniform(0.2));
  const Weight v = scope.weight("v", {64, 64}, Initialiser::uniform(0.2));
  const Value driven = linear(x, w);
  Value h = fill(graph, driven.spec(), 0.0);
  for (int t = 0; t < steps; ++t) {
    const Value gate = sigmoid(linear(h, v));
    h = tanh(driven + linear(gate * h, u));
  }
  graph.output("loss", graph.apply(Sum{}, {h * h}));
  append_updates(Value(&graph, graph.outputs().at("loss")), parameters, {.rule = Sgd{.momentum = 0.9}});
  return graph;
}

std::int64_t planned(const Graph& graph) { return plan_memory(graph, CpuStream(1)).arena_bytes; }

// Of the nodes up to the loss.
std::int64_t forward_flops(const Graph& graph) {
  std::int64_t sum = 0;
  for (const Node& node : graph.nodes()) {
    if (node.op->is_gradient()) break;
    std::vector<Spec> in, out;
    for (ValueId id : node.inputs) in.push_back(graph.spec(id));
    for (ValueId id : node.outputs) out.push_back(graph.spec(id));
    sum += node.op->flops(in, out);
  }
  return sum;
}

std::map<std::string, Tensor> train(const Graph& graph, const Parameters& initial) {
  std::map<std::string, Tensor> states;
  for (const auto& [name, tensor] : initial.tensors()) states[name] = tensor.clone();
  Program program(graph, {.threads = 1, .passes = "plan_memory"});
  program.bind_all(states);
  const std::vector<float> rate{0.05f};
  program.set_input("learning_rate", Tensor::of<float>({}, rate).view());
  for (unsigned step = 0; step < 3; ++step) {
    program.set_input("x", random_tensor(DType::kFloat32, {32, 16}, step).view());
    program.run();
    states["loss " + std::to_string(step)] = Tensor::of<float>({}, {program.output("loss").as<float>(), 1});
  }
  return states;
}

TEST(Rematerialise, KeepsEveryBitWithinTheBudget) {
  Parameters parameters;
  const Graph graph = training_step(24, parameters);
  parameters.initialise(1);
  const std::map<std::string, Tensor> expected = train(graph, parameters);
  std::int64_t previous = 0;
  for (double share : {1.0, 0.9, 0.75, 0.6, 0.5}) {
    SCOPED_TRACE(share);
    const auto budget = static_cast<std::int64_t>(share * static_cast<double>(planned(graph)));
    const Rematerialised made = rematerialise(graph, budget, CpuStream(1));
    EXPECT_LE(made.peak_bytes, budget);
    EXPECT_EQ(made.peak_bytes, planned(made.graph));
    // A smaller budget costs more, and the whole memory nothing.
    EXPECT_GE(made.recomputed_flops, previous);
    EXPECT_EQ(made.recomputed_flops == 0, share == 1.0);
    EXPECT_LE(made.recomputed_flops, forward_flops(graph));
    previous = made.recomputed_flops;
    for (const auto& [name, tensor] : train(made.graph, parameters)) {
      EXPECT_TRUE(bit_equal(tensor.view(), expected.at(name).view())) << name;
    }
  }
}

// Of k cuts, k values of h are kept, and the values of T / k steps exist at once: at best the square root of T.
// Weights' gradients, a constant, are left out of the comparison. Whole numbers of cuts and steps make up to a fifth of
// difference at 16 steps.
TEST(Rematerialise, MemoryGrowsWithTheRootOfTime) {
  std::map<int, double> least;
  std::int64_t constant = 0;
  for (int steps : {1, 16, 64, 256}) {
    SCOPED_TRACE(steps);
    Parameters parameters;
    const Graph graph = training_step(steps, parameters);
    if (steps == 1) {
      constant = planned(graph);
      continue;
    }
    const Rematerialised made = rematerialise(graph, 0, CpuStream(1));  // as little as it can
    least[steps] = static_cast<double>(made.peak_bytes - constant);
    EXPECT_LE(made.recomputed_flops, forward_flops(graph));
    EXPECT_GT(made.recomputed_flops, 0);
    RecordProperty("peak" + std::to_string(steps), std::to_string(made.peak_bytes));
  }
  EXPECT_NEAR(least[64] / least[16], 2.0, 0.4);
  EXPECT_NEAR(least[256] / least[64], 2.0, 0.4);
}

TEST(Rematerialise, DoesItsBestWhereTheBudgetIsTooSmall) {
  Parameters parameters;
  const Graph graph = training_step(16, parameters);
  const Rematerialised made = rematerialise(graph, 1000, CpuStream(1));
  EXPECT_GT(made.peak_bytes, 1000);
  EXPECT_LT(made.peak_bytes, planned(graph) / 2);
  EXPECT_EQ(made.peak_bytes, planned(made.graph));
  // A graph without a backward pass has nothing to compute twice.
  Graph forward;
  forward.output("y", tanh(tanh(forward.input("x", Spec{DType::kFloat32, {4, 16}}))));
  const Rematerialised same = rematerialise(forward, 1, CpuStream(1));
  EXPECT_EQ(same.recomputed_flops, 0);
  EXPECT_EQ(same.graph.nodes().size(), forward.nodes().size());
}

// What the caller, a new value of a state or a later segment reads is computed once.
TEST(Rematerialise, KeepsWhatIsReadLater) {
  Graph graph;
  const Spec spec{DType::kFloat32, {64, 64}};
  const Value w = graph.state("w", spec), mean = graph.state("mean", spec);
  Value x = w;
  for (int i = 0; i < 12; ++i) {
    // Each of the two ops that are not tanh makes a value that somebody reads later.
    x = i == 3 ? sigmoid(x * w) : i == 5 ? elu(x * w) : tanh(x * w);
    if (i == 3) graph.output("middle", reshape(x, {4096}));
    if (i == 5) graph.assign(mean, affine(x, 0.1, 0.0));
  }
  graph.output("g", gradients(graph.apply(Sum{}, {x}), std::vector<Value>{w})[0]);
  const Rematerialised made = rematerialise(graph, 0, CpuStream(1));
  EXPECT_GT(made.recomputed_flops, 0);
  Tensor a = random_tensor(DType::kFloat32, spec.shape, 1);
  std::vector<Tensor> means;
  std::vector<Tensor> gradients;
  for (const Graph* g : std::vector<const Graph*>{&graph, &made.graph}) {
    means.push_back(Tensor(spec));
    Program program(*g, {.threads = 1, .passes = "plan_memory"});
    program.bind("w", a);
    program.bind("mean", means.back());
    program.run();
    const View view = program.output("g");
    gradients.push_back(Tensor::of<float>(view.shape(), {view.as<float>(), 4096}));
    for (const char* op : {"sigmoid", "elu"}) {
      const auto is_op = [&](const Node& node) { return node.op->name() == op; };
      EXPECT_EQ(std::count_if(g->nodes().begin(), g->nodes().end(), is_op), 1) << op;
    }
  }
  EXPECT_TRUE(bit_equal(means[1].view(), means[0].view()));
  EXPECT_TRUE(bit_equal(gradients[1].view(), gradients[0].view()));
  EXPECT_TRUE(not_vacuous(gradients[0].view()));
}

}  // namespace
}  // namespace chiasm::test
