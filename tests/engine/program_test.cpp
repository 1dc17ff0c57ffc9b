// SPDX-License-Identifier: Apache-2.0
#include "engine/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "engine/arena_layout.h"
#include "engine/ops.h"
#include "engine/optimizer.h"
#include "engine/passes/pass.h"
#include "kernels/elementwise/map.h"
#include "kernels/loss/cross_entropy.h"
#include "kernels/reduction/mean.h"
#include "kernels/reduction/sum.h"
#include "tests/support/compare.h"
#include "tests/support/random_names.h"
#include "tests/support/random_tensor.h"

namespace chiasm::test {
namespace {

// A recurrent toy: h <- tanh(x W + h U), three steps, with work that nobody needs and work that is done twice.
Graph recurrent(DType dtype, Parameters& parameters) {
  Graph graph;
  const Scope scope(graph, parameters, {.dtype = dtype});
  const Value x = graph.input("x", Spec{dtype, {4, 5}});
  Value h = fill(graph, Spec{dtype, {4, 6}}, 0.0);
  for (int t = 0; t < 3; ++t) {
    const LabelScope label(graph, "step" + std::to_string(t));
    const Weight w = scope.weight("w", {5, 6}, Initialiser::uniform(0.7));
    const Weight u = scope.weight("u", {6, 6}, Initialiser::uniform(0.7));
    h = tanh(linear(x, w) + linear(h, u));  // linear(x, w) is the same at every step
    sigmoid(h);                             // never used
  }
  const Value loss = graph.apply(Sum{}, {h * h});
  graph.output("loss", loss);
  graph.output("h", h);
  append_updates(loss, parameters, {.rule = Sgd{.momentum = 0.9}});
  return graph;
}

struct Trained {
  Tensor h;
  std::map<std::string, Tensor> states;
};

Trained train(const std::string& passes, DType dtype, int steps) {
  Parameters parameters;
  const Graph graph = recurrent(dtype, parameters);
  parameters.initialise(3);
  Program program(graph, {.threads = 2, .passes = passes});
  program.bind_all(parameters.tensors());
  Tensor rate(Spec{dtype, {}});
  visit_floating(dtype, [&]<class T>() { rate.values<T>()[0] = T(0.05); });
  program.set_input("learning_rate", rate.view());
  for (int i = 0; i < steps; ++i) {
    program.set_input("x", random_tensor(dtype, {4, 5}, static_cast<unsigned>(i)).view());
    program.run();
  }
  Tensor h(program.output("h").spec());
  std::memcpy(h.bytes().data(), program.output("h").data(), h.bytes().size());
  return {h, parameters.tensors()};
}

TEST(Passes, KeepForwardBitsAndGradientsToRounding) {
  // One forward: the bits are the same. After three steps: gradients were summed in another order.
  const Trained plain = train("none", DType::kFloat64, 1);
  for (const char* passes : {"prune", "share", "prune,share", "all"}) {
    EXPECT_TRUE(bit_equal(train(passes, DType::kFloat64, 1).h.view(), plain.h.view())) << passes;
  }
  const Trained longer = train("none", DType::kFloat64, 3);
  const Trained compiled = train("all", DType::kFloat64, 3);
  for (const auto& [name, tensor] : longer.states) {
    EXPECT_TRUE(near(compiled.states.at(name).view(), tensor.view(), {1e-12, 0.0})) << name;
    EXPECT_TRUE(not_vacuous(tensor.view())) << name;
  }
}

TEST(Passes, PruneDropsAndShareMerges) {
  Parameters parameters;
  const Graph graph = recurrent(DType::kFloat32, parameters);
  const auto count = [](const Graph& g, std::string_view op) {
    return std::count_if(g.nodes().begin(), g.nodes().end(), [&](const Node& n) { return n.op->name() == op; });
  };
  EXPECT_EQ(count(graph, "sigmoid"), 3);
  EXPECT_EQ(count(prune(graph), "sigmoid"), 0);
  EXPECT_EQ(count(graph, "linear"), 6);
  EXPECT_EQ(count(share(graph), "linear"), 4);  // x W once, h U three times
  const Graph pruned = prune(graph);
  ASSERT_EQ(pruned.states().size(), graph.states().size());
  for (const auto& [name, id] : graph.states()) EXPECT_TRUE(pruned.states().contains(name)) << name;
  EXPECT_THROW(select_passes("prune,nonsense"), InputError);
  EXPECT_EQ(select_passes("plan_memory").size(), 0u);
  EXPECT_TRUE(selects("prune,plan_memory", kPlanMemory));
  EXPECT_FALSE(selects("prune,share", kPlanMemory));
  EXPECT_THROW(selects("plan", kPlanMemory), InputError);
}

TEST(Gradients, OfUnreachedValuesAreZero) {
  Graph graph;
  const Value a = graph.state("a", Spec{DType::kFloat64, {3}});
  const Value b = graph.state("b", Spec{DType::kFloat64, {2}});
  const Value loss = graph.apply(Sum{}, {a * a});
  const std::vector<Value> g = gradients(loss, std::vector<Value>{a, b});
  graph.output("ga", g[0]);
  graph.output("gb", g[1]);
  Program program(graph);
  const std::vector<double> values{1.0, -2.0, 3.0};
  program.bind("a", Tensor::of<double>({3}, values));
  program.bind("b", Tensor::zeros(DType::kFloat64, {2}));
  program.run();
  EXPECT_EQ(program.output("ga").as<double>()[1], -4.0);
  EXPECT_EQ(program.output("gb").as<double>()[0], 0.0);
}

TEST(Gradients, ReachThroughALongChainWithoutRecursion) {
  Graph graph;
  const Value w = graph.state("w", Spec{DType::kFloat64, {1}});
  Value x = w;
  // A recursive walk overflows the default stack at 30,000 (unoptimised) to 120,000 nodes.
  for (int i = 0; i < 300'000; ++i) x = affine(x, 1.0, 1e-6);
  graph.output("g", gradients(graph.apply(Sum{}, {x}), std::vector<Value>{w})[0]);
  Program program(graph, {.threads = 1, .passes = "none"});
  program.bind("w", Tensor::zeros(DType::kFloat64, {1}));
  program.run();
  EXPECT_EQ(program.output("g").as<double>()[0], 1.0);
}

TEST(Program, PlannedPeakIsWhatIsTouched) {
  Parameters parameters;
  const Graph graph = recurrent(DType::kFloat32, parameters);
  parameters.initialise(1);
  for (const char* passes : {"plan_memory", "all"}) {
    Program program(graph, {.threads = 1, .passes = passes});
    program.bind_all(parameters.tensors());
    program.set_input("learning_rate", Tensor::zeros(DType::kFloat32, {}).view());
    const std::int64_t touched = program.measure_touched_bytes();
    EXPECT_LE(touched, program.arena_bytes());
    EXPECT_GT(touched, program.arena_bytes() - ArenaLayout::kAlignment);
  }
}

TEST(Program, StepwiseNamesTheFirstBadNode) {
  Graph graph;
  const Value x = graph.input("x", Spec{DType::kFloat32, {3}});
  graph.relabel("layer7");
  const Value y = graph.apply(Map<Log>{}, {x});
  graph.relabel("layer8");
  graph.output("z", y * y);
  Program program(graph, {.threads = 1, .passes = "prune,share"});  // not fused: each function by its name
  const std::vector<float> bad{1.0f, -1.0f, 2.0f};
  program.set_input("x", Tensor::of<float>({3}, bad).view());
  try {
    program.run_stepwise();
    FAIL() << "no error";
  } catch (const NumericalError& error) {
    EXPECT_EQ(error.node(), "layer7: log");
    EXPECT_NE(std::string(error.what()).find("NaN"), std::string::npos) << error.what();
  }
}

TEST(Program, ComputeLeavesStatesAlone) {
  Parameters parameters;
  const Graph graph = recurrent(DType::kFloat32, parameters);
  parameters.initialise(1);
  std::map<std::string, Tensor> before;
  for (const auto& [name, tensor] : parameters.tensors()) before[name] = tensor.clone();
  Program program(graph, {.threads = 1});
  program.bind_all(parameters.tensors());
  const std::vector<float> rate{0.1f};
  program.set_input("learning_rate", Tensor::of<float>({}, rate).view());
  program.set_input("x", random_tensor(DType::kFloat32, {4, 5}, 1).view());
  program.run_compute();
  for (const auto& [name, tensor] : before) EXPECT_TRUE(bit_equal(parameters.tensors()[name].view(), tensor.view()));
  program.run_commit();
  EXPECT_FALSE(bit_equal(parameters.tensors()["w"].view(), before["w"].view()));
}

TEST(Program, SaysWhatItDoesNotHave) {
  Graph graph;
  const Value x = graph.input("x", Spec{DType::kFloat32, {3}});
  const Value s = graph.state("s", Spec{DType::kFloat32, {3}});
  graph.output("y", x * s);
  Program program(graph);
  EXPECT_THROW(program.input("z"), InputError);
  EXPECT_THROW(program.output("z"), InputError);
  EXPECT_THROW(program.run(), InputError);  // s is not bound
  EXPECT_THROW(program.bind("s", Tensor::zeros(DType::kFloat32, {4})), ShapeError);
  EXPECT_THROW(program.set_input("x", Tensor::zeros(DType::kFloat64, {3}).view()), ShapeError);
}

TEST(Program, AssignmentsSeeOldValues) {
  // a <- a + b and b <- a * b: both read the old a and b.
  Graph graph;
  const Value a = graph.state("a", Spec{DType::kFloat64, {1}});
  const Value b = graph.state("b", Spec{DType::kFloat64, {1}});
  graph.assign(a, a + b);
  graph.assign(b, a * b);
  Program program(graph);
  const std::vector<double> two{2.0}, five{5.0};
  Tensor ta = Tensor::of<double>({1}, two), tb = Tensor::of<double>({1}, five);
  program.bind("a", ta);
  program.bind("b", tb);
  program.run();
  EXPECT_EQ(ta.values<double>()[0], 7.0);
  EXPECT_EQ(tb.values<double>()[0], 10.0);
}

TEST(Program, RefusesOneTensorForTwoStatesOfWhichOneIsWritten) {
  Graph graph;
  const Spec spec{DType::kFloat32, {2}};
  const Value a = graph.state("a", spec), b = graph.state("b", spec), c = graph.state("c", spec);
  graph.output("sum", a + b + c);
  graph.assign(a, affine(a, 1.0, 1.0));
  Program program(graph);
  const Tensor first(spec), second(spec);
  program.bind("a", first);
  program.bind("b", second);
  program.bind("c", second);  // both are only read
  EXPECT_NO_THROW(program.run());
  program.bind("c", first);
  EXPECT_THAT([&] { program.run(); }, testing::ThrowsMessage<InputError>(testing::AllOf(
                                          testing::HasSubstr("\"a\" and \"c\""), testing::HasSubstr("the first"))));
  program.bind("a", Tensor(spec));
  EXPECT_NO_THROW(program.run());
}

TEST(Graph, RefusesLabelsThatWouldDrawTheSameNumbers) {
  const auto [a, b] = two_names_of_one_random_op();
  Graph graph;
  EXPECT_EQ(graph.random_op(a), graph.random_op(a));
  EXPECT_THAT([&] { graph.random_op(b); },
              testing::ThrowsMessage<InputError>(testing::AllOf(testing::HasSubstr(a), testing::HasSubstr(b))));
  Graph made = prune(graph);
  EXPECT_THROW(made.random_op(b), InputError);
}

TEST(Passes, HoistLeavesNothingThatNobodyNeeds) {
  Graph graph;
  const Value x = graph.input("x", Spec{DType::kFloat32, {4, 3}});
  // A joined constant is needed for all four samples, and not for one.
  graph.output("y", concat(std::array{x, fill(graph, Spec{DType::kFloat32, {4, 3}}, 1.0)}, 1));
  const Graph hoisted = hoist(graph);
  EXPECT_EQ(hoisted.nodes().size(), prune(hoisted).nodes().size());
}

}  // namespace
}  // namespace chiasm::test
