// SPDX-License-Identifier: Apache-2.0
// The pass fuse_pointwise on graphs made to mislead it. What it does to a recurrent network is in
// tests/models/fuse_pointwise_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "engine/ops.h"
#include "engine/passes/pass.h"
#include "engine/program.h"
#include "kernels/elementwise/add_n.h"
#include "kernels/elementwise/fused_pointwise.h"
#include "kernels/elementwise/map.h"
#include "kernels/reduction/sum.h"
#include "kernels/softmax/softmax.h"
#include "tests/support/compare.h"

namespace chiasm::test {
namespace {

void randomise(const MutableView& view, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> real(-1.0, 1.0);
  visit_floating(view.dtype(), [&]<class T>() {
    for (std::int64_t i = 0; i < view.elements(); ++i) view.as<T>()[i] = static_cast<T>(real(random));
  });
}

// Every output of the graph on random inputs.
std::map<std::string, Tensor> results(const Graph& graph, const std::string& passes, int threads) {
  Program program(graph, {.threads = threads, .passes = passes});
  unsigned seed = 0;
  for (const auto& [name, id] : graph.inputs()) randomise(program.input(name), ++seed);
  program.run();
  std::map<std::string, Tensor> found;
  for (const auto& [name, id] : graph.outputs()) {
    const View view = program.output(name);
    Tensor& copy = found.emplace(name, Tensor(view.spec())).first->second;
    std::copy_n(static_cast<const std::byte*>(view.data()), copy.bytes().size(), copy.bytes().begin());
  }
  return found;
}

// Fused nodes also write over their inputs where the memory plan lets them; what they are compared with does not.
void expect_fusing_changes_no_bit(const Graph& graph, const std::string& before = "prune") {
  const auto plain = results(graph, before, 1);
  for (int threads : {1, 2}) {
    const auto fused = results(graph, before + ",fuse_pointwise,plan_memory", threads);
    for (const auto& [name, tensor] : plain) {
      EXPECT_TRUE(bit_equal(fused.at(name).view(), tensor.view())) << name << ", " << threads << " threads";
    }
  }
}

std::ptrdiff_t count(const Graph& graph, std::string_view op) {
  return std::count_if(graph.nodes().begin(), graph.nodes().end(), [&](const Node& n) { return n.op->name() == op; });
}

Value softmax(Value x) { return x.graph().apply(Softmax{}, {x}); }

struct Image {
  Graph graph;
  Value input(const std::string& name, Shape shape = {2, 3, 4}) {
    return graph.input(name, Spec{DType::kFloat32, shape});
  }
};

TEST(FusePointwise, MakesOneNodeOfAChain) {
  Image g;
  const Value x = g.input("x"), bias = g.input("bias", {4});
  g.graph.output("y", affine(elu(x + bias), 2.0, 1.0) * x);
  const Graph fused = fuse_pointwise(g.graph);
  ASSERT_EQ(fused.nodes().size(), 1u);
  EXPECT_EQ(fused.nodes()[0].inputs.size(), 2u);
  EXPECT_EQ(fused.nodes()[0].outputs.size(), 1u);
  expect_fusing_changes_no_bit(g.graph);
}

TEST(FusePointwise, KeepsWhatOthersRead) {
  Image g;
  const Value x = g.input("x");
  const Value a = sigmoid(x), b = tanh(a);
  g.graph.output("a", a);
  g.graph.output("s", softmax(b));
  g.graph.output("y", b * a);
  const Graph fused = fuse_pointwise(g.graph);
  EXPECT_EQ(count(fused, "fused_pointwise"), 1);
  EXPECT_EQ(fused.nodes()[0].outputs.size(), 3u);
  expect_fusing_changes_no_bit(g.graph);
}

// u -> softmax -> y and u -> y: in one node, the softmax would have to run before and after it.
TEST(FusePointwise, LeavesOutWhatANodeInBetweenNeeds) {
  Image g;
  const Value u = sigmoid(g.input("x"));
  g.graph.output("y", u * softmax(u));
  EXPECT_EQ(count(fuse_pointwise(g.graph), "fused_pointwise"), 0);
  expect_fusing_changes_no_bit(g.graph);
}

// {a1, a2} and {b1, b2} could each be one node, but not both: a1 -> softmax -> b2 and b1 -> softmax -> a2.
TEST(FusePointwise, TwoGroupsDoNotWaitForEachOther) {
  Image g;
  const Value a1 = sigmoid(g.input("a")), b1 = tanh(g.input("b"));
  const Value b2 = b1 + softmax(a1), a2 = a1 * softmax(b1);
  g.graph.output("a2", a2);
  g.graph.output("b2", b2);
  g.graph.output("c", a2 - b2);
  expect_fusing_changes_no_bit(g.graph);
}

// The gate's early parts wait for its last one.
TEST(FusePointwise, WaitsForOperandsThatComeLater) {
  Image g;
  const Value x = g.input("x"), bias = g.input("bias", {4}), c = g.input("c");
  const Value early = sigmoid(softmax(x) + bias);
  const Value late = tanh(softmax(softmax(softmax(softmax(x)))) + bias);
  g.graph.output("y", elu(early * c + late * x));
  const Graph fused = fuse_pointwise(g.graph);
  EXPECT_EQ(count(fused, "fused_pointwise"), 1);
  EXPECT_EQ(count(fused, "softmax"), 5);
  EXPECT_EQ(fused.nodes().size(), 6u);
  expect_fusing_changes_no_bit(g.graph);
}

// A running sum of what heavy nodes produce one after the other must not wait for all of them.
TEST(FusePointwise, RunningSumsDoNotKeepTheirTermsAlive) {
  Image g;
  Value h = g.input("x", {64, 64});
  Value sum = h;
  for (int i = 0; i < 40; ++i) {
    h = softmax(softmax(h));
    sum = sum + h;
  }
  g.graph.output("sum", sum);
  const auto arena = [&](const char* passes) {
    return Program(g.graph, {.threads = 1, .passes = passes}).arena_bytes();
  };
  EXPECT_LE(arena("prune,fuse_pointwise,plan_memory"), arena("prune,plan_memory") + 2 * 64 * 64 * 4);
  expect_fusing_changes_no_bit(g.graph);
}

// scale x + shift is read by a later group that has x at hand: it is computed there again, and not kept.
TEST(FusePointwise, ComputesCheapValuesAgain) {
  Image g;
  const Value x = sigmoid(g.input("x"));
  const Value factor = affine(x, 2.0, -1.0);
  const Value later = softmax(factor * x);
  g.graph.output("y", elu(later * factor + x));
  const Graph fused = fuse_pointwise(g.graph);
  ASSERT_EQ(fused.nodes().size(), 3u);
  EXPECT_EQ(fused.nodes()[0].outputs.size(), 2u);  // x and factor * x
  EXPECT_EQ(fused.nodes()[2].inputs.size(), 2u);   // x and later
  expect_fusing_changes_no_bit(g.graph);
}

TEST(FusePointwise, LeavesUpdatesOfStatesToTheCommitPhase) {
  Graph graph;
  const Value x = graph.input("x", Spec{DType::kFloat32, {5}}), s = graph.state("s", Spec{DType::kFloat32, {5}});
  const Value y = affine(x, 0.5, 0.0);
  graph.output("y", sigmoid(y));
  graph.assign(s, affine(s, 0.5, 0.0) + y);
  Program program(graph, {.threads = 1});
  Tensor state = Tensor::zeros(DType::kFloat32, {5});
  program.bind("s", state);
  randomise(program.input("x"), 1);
  program.run_compute();
  EXPECT_NE(program.output("y").as<float>()[0], 0.0f);
  EXPECT_EQ(state.values<float>()[0], 0.0f);
  program.run_commit();
  EXPECT_EQ(state.values<float>()[0], 0.5f * program.input("x").as<float>()[0]);
}

// A chain longer than one node may be.
TEST(FusePointwise, CutsLongChains) {
  Image g;
  Value x = g.input("x");
  for (int i = 0; i < 500; ++i) x = affine(x, -0.99, 0.01 * i);
  g.graph.output("y", x);
  EXPECT_LT(fuse_pointwise(g.graph).nodes().size(), 10u);
  expect_fusing_changes_no_bit(g.graph);
}

// Random graphs of everything that can be fused, with all kinds of operands, broadcasts that cannot be fused, nodes in
// between, and gradients.
class RandomGraph {
 public:
  RandomGraph(unsigned seed, DType dtype) : random_(seed), dtype_(dtype) {
    const Shape full = std::vector<Shape>{{2, 3, 5}, {3, 700, 3}, {7, 1}, {4, 1, 9}}[pick(4)];
    for (const char* name : {"a", "b", "c"}) add(graph_.input(name, {dtype, full}));
    add(graph_.input("bias", {dtype, {full[full.rank() - 1]}}));
    add(graph_.input("one", {dtype, full.with(0, 1)}));
    add(graph_.input("scalar", {dtype, {}}));
    add(graph_.input("column", {dtype, full.with(full.rank() - 1, 1)}));
    const std::vector<Value> inputs = values_;
    for (int i = 0; i < 30; ++i) add(node());
    Value loss;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (i >= inputs.size() && pick(4) == 0) graph_.output("v" + std::to_string(i), values_[i]);
      if (i + 5 < values_.size()) continue;
      const Value sum = graph_.apply(Sum{}, {values_[i]});
      loss = loss ? loss + sum : sum;
    }
    const std::vector<Value> g = gradients(loss, inputs);
    for (std::size_t i = 0; i < g.size(); ++i) graph_.output("gradient" + std::to_string(i), g[i]);
  }
  const Graph& graph() const { return graph_; }

 private:
  std::size_t pick(std::size_t count) { return random_() % count; }
  Value any() {
    return values_[pick(3) == 0 ? pick(values_.size())
                                : values_.size() - 1 - pick(std::min<std::size_t>(8, values_.size()))];
  }
  void add(Value value) { values_.push_back(value); }
  template <class F>
  Value map(F f, std::initializer_list<Value> in) {
    return graph_.apply(Map<F>{f}, in);
  }
  Value node() {
    const Value x = any(), y = any();
    switch (pick(20)) {
      case 0:
        return x + y;
      case 1:
        return x - y;
      case 2:
        return tanh(x) * y;
      case 3:
        return x / map(Exp{}, {tanh(y)});
      case 4:
        return -x;
      case 5:
        return affine(x, -0.6, 0.2);
      case 6:
        return map(Exp{}, {tanh(x)});
      case 7:
        return map(Log{}, {affine(sigmoid(x), 1.0, 0.1)});
      case 8:
        return map(Square{}, {tanh(x)});
      case 9:
        return map(Sqrt{}, {affine(sigmoid(x), 1.0, 0.1)});
      case 10:
        return map(Abs{}, {x});
      case 11:
        return sigmoid(x);
      case 12:
        return tanh(x);
      case 13:
        return relu(x);
      case 14:
        return elu(tanh(x));
      case 15:
        return map(Softplus{}, {tanh(x)});
      case 16:
        return map(Clip{-0.5, 0.4}, {x});
      case 17:
        return map(Select{}, {map(Sign{}, {relu(x)}), x, y});
      case 18:
        return graph_.apply(AddN{}, {x, x, sigmoid(x), relu(x)});
      default:
        return x.shape().rank() > 0 ? softmax(x) : x;
    }
  }

  std::mt19937 random_;
  DType dtype_;
  Graph graph_;
  std::vector<Value> values_;
};

TEST(FusePointwise, ChangesNoBitOfRandomGraphs) {
  std::set<std::string_view> functions;
  std::ptrdiff_t fused = 0, outputs = 0;
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    const RandomGraph random(seed, seed % 2 == 0 ? DType::kFloat32 : DType::kFloat64);
    expect_fusing_changes_no_bit(random.graph(), seed % 3 == 0 ? "prune,share" : "prune");
    if (testing::Test::HasFailure()) return;
    const Graph compiled = fuse_pointwise(prune(random.graph()));
    for (const Node& node : compiled.nodes()) {
      const FusedPointwise* op = op_cast<FusedPointwise>(*node.op);
      if (op == nullptr) continue;
      ++fused;
      outputs += static_cast<std::ptrdiff_t>(op->outputs.size());
      for (const auto& instruction : op->instructions) functions.insert(instruction.function.name);
    }
  }
  EXPECT_GE(functions.size(), 18u);  // all but a few of the functors
  EXPECT_GT(fused, 500);
  EXPECT_GT(outputs, fused);
}

}  // namespace
}  // namespace chiasm::test
