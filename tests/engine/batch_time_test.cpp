// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/ops.h"
#include "engine/passes/pass.h"
#include "engine/passes/time_schedule.h"
#include "engine/passes/timestep_label.h"
#include "engine/program.h"
#include "kernels/reduction/sum.h"
#include "tests/support/compare.h"

namespace chiasm::test {
namespace {

constexpr DType kType = DType::kFloat64;

std::ptrdiff_t count(const Graph& graph, std::string_view op) {
  return std::count_if(graph.nodes().begin(), graph.nodes().end(), [&](const Node& n) { return n.op->name() == op; });
}

// h <- tanh(x_t W + h U) over six steps with an input of its own at each.
struct Recurrent {
  Graph graph;
  Recurrent() {
    const Value w = graph.state("w", Spec{kType, {20, 16}}), u = graph.state("u", Spec{kType, {16, 16}});
    Value h = graph.input("h", Spec{kType, {3, 16}});
    for (int t = 0; t < 6; ++t) {
      const LabelScope label(graph, "layer @t" + std::to_string(t));
      const Value x = graph.input("x" + std::to_string(t), Spec{kType, {3, 20}});
      h = tanh(linear(x, {w, w}) + linear(h, {u, u}));
    }
    const Value loss = graph.apply(Sum{}, {h * h});
    const std::vector<Value> g = gradients(loss, std::vector<Value>{w, u});
    graph.output("dw", g[0]);
    graph.output("du", g[1]);
    graph.output("loss", loss);
  }
};

TEST(BatchTime, MergesWhatDoesNotWait) {
  const Recurrent r;
  ASSERT_EQ(count(r.graph, "linear"), 12);
  ASSERT_EQ(count(r.graph, "linear.gradient[1]"), 12);
  const Graph merged = batch_time(r.graph);
  EXPECT_EQ(count(merged, "linear"), 1 + 6);  // x W at once, h U step by step
  EXPECT_EQ(count(merged, "linear.gradient[0]"), count(r.graph, "linear.gradient[0]"));
  EXPECT_EQ(count(merged, "linear.gradient[1]"), 2);  // one product over time for each weight
  const auto widest = std::max_element(merged.nodes().begin(), merged.nodes().end(), [&](const Node& a, const Node& b) {
    const auto rows = [&](const Node& n) { return n.op->name() == "linear" ? merged.spec(n.outputs[0]).shape[0] : 0; };
    return rows(a) < rows(b);
  });
  EXPECT_EQ(merged.spec(widest->outputs[0]).shape, (Shape{18, 16}));
  EXPECT_EQ(widest->label, "layer @t0,1,2,3,4,5");
}

TEST(BatchTime, KnowsHowFarStepsDependOnEachOther) {
  const Recurrent r;
  const TimeFamilies found = find_time_families(r.graph);
  std::vector<std::size_t> windows;
  for (const TimeFamily& family : found.families) {
    if (!family.sum && r.graph.nodes()[family.members[0]].op->name() == "linear") windows.push_back(family.window);
  }
  std::sort(windows.begin(), windows.end());
  EXPECT_EQ(windows, (std::vector<std::size_t>{1, 6}));
}

// Random graphs of products with few weights, in which members of one family depend on members of another and the
// reverse, with batches of one and more. A merge of nodes that depend on each other would leave nodes out.
Graph random_graph(unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Graph graph;
  std::vector<Value> weights, values;
  for (int i = 0; i < 3; ++i) weights.push_back(graph.state("w" + std::to_string(i), Spec{kType, {16, 16}}));
  for (int i = 0; i < 3; ++i) {
    values.push_back(graph.input("x" + std::to_string(i), Spec{kType, {i == 0 ? 1 : 2, 16}}));
  }
  for (int step = 0; step < 40; ++step) {
    const LabelScope label(graph, "node @t" + std::to_string(step));
    const Value x = values[below(values.size())];
    const Value w = weights[below(weights.size())];
    switch (below(5)) {
      case 0:
      case 1:
        values.push_back(tanh(linear(x, {w, w})));
        break;
      case 2:
        values.push_back(tanh(x + linear(x, {w, w})));
        break;
      case 3:
        values.push_back(x * values[below(values.size())]);
        break;
      default:
        values.push_back(sigmoid(x + values[below(values.size())]));
    }
  }
  Value loss;
  for (const Value& value : values) {
    const Value sum = graph.apply(Sum{}, {value * value});
    loss = loss ? loss + sum : sum;
  }
  graph.output("loss", loss);
  const std::vector<Value> g = gradients(loss, weights);
  for (std::size_t i = 0; i < g.size(); ++i) graph.output("g" + std::to_string(i), g[i]);
  return graph;
}

class RandomGraphs : public testing::TestWithParam<unsigned> {};

TEST_P(RandomGraphs, GiveTheSameGradientsMerged) {
  const Graph graph = random_graph(GetParam());
  const auto run = [&](const std::string& passes) {
    Program program(graph, {.threads = 1, .passes = passes});
    std::mt19937 random(GetParam() + 1000);
    std::normal_distribution<double> normal(0.0, 0.3);
    std::map<std::string, Tensor> states;
    for (const auto& [name, id] : graph.states()) {
      Tensor& tensor = states[name] = Tensor(graph.spec(id));
      for (double& v : tensor.values<double>()) v = normal(random);
    }
    program.bind_all(states);
    for (const auto& [name, id] : graph.inputs()) {
      const MutableView in = program.input(name);
      for (std::int64_t i = 0; i < in.elements(); ++i) in.as<double>()[i] = normal(random);
    }
    program.run();
    std::map<std::string, Tensor> outputs;
    for (const auto& [name, id] : graph.outputs()) {
      const View out = program.output(name);
      outputs[name] = Tensor(out.spec());
      std::copy_n(out.as<double>(), out.elements(), outputs[name].values<double>().begin());
    }
    return outputs;
  };
  const auto plain = run("none");
  ASSERT_TRUE(not_vacuous(plain.at("g0").view()));
  // Sums over samples and uses in another order: some thousand roundings at most.
  for (const char* passes : {"batch_time", "prune,share,hoist,batch_time", "all"}) {
    for (const auto& [name, tensor] : run(passes)) {
      EXPECT_TRUE(near(tensor.view(), plain.at(name).view(), {1e-12, 1e-14})) << passes << " " << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(BatchTime, RandomGraphs, testing::Range(0U, 40U));

TEST(TimestepLabel, IsReadAndWritten) {
  const TimestepLabel label = parse_label("conv4/cell @t3,5,12");
  EXPECT_EQ(label.place, "conv4/cell");
  EXPECT_EQ(label.steps, (std::vector<int>{3, 5, 12}));
  EXPECT_EQ(label_of(label.place, label.steps), "conv4/cell @t3,5,12");
  EXPECT_TRUE(parse_label("loss").steps.empty());
  EXPECT_EQ(parse_label("at @time").place, "at @time");
}

}  // namespace
}  // namespace chiasm::test
