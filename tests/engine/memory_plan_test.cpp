// SPDX-License-Identifier: Apache-2.0
// The planner against models that are too simple to be wrong: every value in a tensor of its own, and an owner for each
// line of the arena.
#include "engine/memory_plan.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <map>
#include <random>

#include "engine/arena_layout.h"
#include "engine/ops.h"
#include "engine/program.h"
#include "kernels/indexing/concat.h"
#include "kernels/indexing/slice.h"
#include "kernels/normalization/batch_norm.h"
#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"
#include "tests/support/run.h"

namespace chiasm::test {
namespace {

Value slice(Value x, std::int64_t start, std::int64_t size) { return x.graph().apply(Slice{0, start, size}, {x}); }

// A graph of ops that share memory in every way there is: views, parts, results over dying inputs, results nobody
// reads, scratch memory, updates over states and states that are read as views.
class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : random_(seed), columns_(pick(3) == 0 ? 6 : 32) {
    values_ = {graph_.input("x", spec(4)), graph_.input("y", spec(1))};
    for (int i = 0; i < 4; ++i) values_.push_back(graph_.state("s" + std::to_string(i), spec(1 + i % 3)));
    const std::size_t given = values_.size();
    const int nodes = 5 + pick(40);
    for (int i = 0; i < nodes; ++i) add_node();
    for (int i = 0; i < 3; ++i) graph_.output("out" + std::to_string(i), values_[given + pick(values_.size() - given)]);
    for (int i = 0; i < 4; ++i) {
      const Value state = graph_.state("s" + std::to_string(i), spec(1 + i % 3));
      const Value value = any_like(state.spec());
      if (pick(4) != 0) graph_.assign(state, value);
    }
  }

  const Graph& graph() const { return graph_; }

 private:
  int pick(std::size_t count) { return static_cast<int>(random_() % count); }
  Spec spec(std::int64_t rows) const { return Spec{DType::kFloat32, {rows, columns_}}; }
  Value any() {
    // Rather a late one, so that chains grow long.
    const std::size_t window = std::min<std::size_t>(values_.size(), 8);
    return pick(4) == 0 ? values_[pick(values_.size())] : values_[values_.size() - 1 - pick(window)];
  }
  Value any_like(const Spec& wanted) {
    std::vector<Value> fitting;
    for (const Value& value : values_) {
      if (value.spec() == wanted) fitting.push_back(value);
    }
    return fitting[pick(fitting.size())];
  }

  void add_node() {
    const Value x = any();
    const std::int64_t rows = x.shape()[0], columns = x.shape()[1];
    switch (pick(8)) {
      case 0:
        return values_.push_back(tanh(x));
      case 1:
        return values_.push_back(affine(x, -0.5, 0.25));
      case 2:
        return values_.push_back(affine(x, 0.5, 0.0) - any_like(x.spec()));
      case 3:
        return values_.push_back(tanh(x + slice(any_like(x.spec()), pick(rows), 1)));  // broadcast
      case 4: {
        const int start = pick(rows);
        return values_.push_back(slice(x, start, 1 + pick(rows - start)));
      }
      case 5: {
        const bool narrow = columns < columns_;
        if (narrow && rows % 2 != 0) return values_.push_back(sigmoid(x));
        return values_.push_back(reshape(x, narrow ? Shape{rows / 2, columns * 2} : Shape{rows * 2, columns / 2}));
      }
      case 6: {
        std::vector<Value> parts{x};
        for (int i = 1 + pick(3); i > 0; --i) {
          const Value part = any();
          if (part.shape()[1] == columns && parts.size() * part.shape()[0] < 16) parts.push_back(part);
        }
        return values_.push_back(concat(parts, 0));
      }
      default: {
        const Shape channel{columns};
        const Value gain = fill(graph_, Spec{DType::kFloat32, channel}, 0.7);
        const Value offset = fill(graph_, Spec{DType::kFloat32, channel}, 0.1);
        const auto out = graph_.apply_all(make_op(BatchNorm{}), std::vector<Value>{x, gain, offset});
        return values_.push_back(pick(2) == 0 ? out[0] : out[0] + out[2]);
      }
    }
  }

  std::mt19937 random_;
  std::int64_t columns_;  // 32: slices begin at multiples of a line; 6: they do not
  Graph graph_;
  std::vector<Value> values_;
};

using Tensors = std::map<std::string, Tensor>;

// Every value in a tensor of its own; new values of states appear at the end.
Tensors evaluate(const Graph& graph, const Tensors& inputs, Tensors& states) {
  std::vector<Tensor> value(graph.value_count());
  for (const auto& [name, id] : graph.inputs()) value[id] = inputs.at(name);
  for (const auto& [name, id] : graph.states()) value[id] = states.at(name).clone();
  for (const Node& node : graph.nodes()) {
    std::vector<Tensor> in;
    for (ValueId id : node.inputs) in.push_back(value[id]);
    const std::vector<Tensor> out = outputs_of(*node.op, in);
    for (std::size_t i = 0; i < out.size(); ++i) value[node.outputs[i]] = out[i];
  }
  Tensors outputs;
  for (const auto& [name, id] : graph.outputs()) outputs[name] = value[id];
  for (const auto& [name, id] : graph.states()) {
    for (const Assignment& a : graph.assignments()) {
      if (a.state == id) states[name] = value[a.value].clone();
    }
  }
  return outputs;
}

void expect_same_bits(const Graph& graph, const std::string& passes, unsigned seed) {
  Tensors states, bound;
  for (const auto& [name, id] : graph.states()) {
    states[name] = random_tensor(graph.spec(id).dtype, graph.spec(id).shape, seed++);
    bound[name] = states[name].clone();
  }
  Program program(graph, {.threads = 1, .passes = passes});
  program.bind_all(bound);
  for (int run = 0; run < 3; ++run) {
    Tensors inputs;
    for (const auto& [name, id] : graph.inputs()) {
      inputs[name] = random_tensor(graph.spec(id).dtype, graph.spec(id).shape, seed++);
      program.set_input(name, inputs[name].view());
    }
    program.run();
    for (const auto& [name, value] : evaluate(graph, inputs, states)) {
      ASSERT_TRUE(bit_equal(program.output(name), value.view())) << name << " in run " << run;
    }
    for (const auto& [name, value] : states) ASSERT_TRUE(bit_equal(bound[name].view(), value.view())) << name;
  }
}

TEST(MemoryPlan, ChangesNoBitOfARandomGraph) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    const RandomGraph random(seed);
    for (const char* passes : {"none", "plan_memory"}) {
      SCOPED_TRACE(std::string(passes) + ", seed " + std::to_string(seed));
      expect_same_bits(random.graph(), passes, 7 * seed);
      if (testing::Test::HasFailure()) return;
    }
  }
}

// Replays a plan with a note on each 64-byte line of memory of what was written there last.
class Replay {
 public:
  Replay(const Graph& graph, const MemoryPlan& plan) : graph_(graph), plan_(plan) {
    for (const auto& [name, id] : graph.states()) write(id);
    for (const auto& [name, id] : graph.inputs()) write(id);
    for (NodeId n : plan.order) {
      const Node& node = graph.nodes()[n];
      for (ValueId id : node.inputs) expect_whole(id, node.op->name());
      if (plan.is_view[n]) {
        // What it shows is what is there.
        note_[node.outputs[0]] = read(node.outputs[0]);
        ++views;
        continue;
      }
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        for (ValueId out : node.outputs) overwritten(node, node.inputs[i], out);
      }
      // Parts that lie in place keep their notes.
      std::map<std::int64_t, Note> kept;
      if (op_cast<Concat>(*node.op)) {
        std::int64_t begin = plan.offset[node.outputs[0]];
        for (ValueId id : node.inputs) {
          if (plan.state_of[id] < 0 && plan.offset[id] == begin) {
            for (std::int64_t line : lines(id)) kept[line] = memory_[{-1, line}];
            parts += !kept.empty();
          }
          begin += graph.spec(id).bytes();
        }
      }
      for (ValueId id : node.outputs) write(id);
      for (const auto& [line, note] : kept) memory_[{-1, line}] = note;
      if (!kept.empty()) note_[node.outputs[0]] = read(node.outputs[0]);
    }
    for (const auto& [name, id] : graph.outputs()) expect_whole(id, name);
  }

  int views = 0, parts = 0;

 private:
  using Note = std::pair<ValueId, std::int64_t>;  // a value, and a line of it

  std::vector<std::int64_t> lines(ValueId id) const {
    std::vector<std::int64_t> result;
    if (plan_.offset[id] == MemoryPlan::kNone) return result;
    for (std::int64_t b = 0; b < graph_.spec(id).bytes(); b += ArenaLayout::kAlignment) {
      EXPECT_EQ((plan_.offset[id] + b) % ArenaLayout::kAlignment, 0);
      result.push_back((plan_.offset[id] + b) / ArenaLayout::kAlignment);
    }
    return result;
  }
  std::vector<Note> read(ValueId id) {
    std::vector<Note> notes;
    for (std::int64_t line : lines(id)) notes.push_back(memory_[{plan_.state_of[id], line}]);
    return notes;
  }
  void write(ValueId id) {
    std::int64_t index = 0;
    for (std::int64_t line : lines(id)) memory_[{plan_.state_of[id], line}] = {id, index++};
    note_[id] = read(id);
  }
  void expect_whole(ValueId id, const std::string& reader) {
    EXPECT_EQ(read(id), note_[id]) << reader << " reads value " << id << ", which was written over";
  }
  // An op may write over an input only where both are the same elements, and the planner's arena has room for all.
  void overwritten(const Node& node, ValueId in, ValueId out) {
    EXPECT_LE(plan_.state_of[out] < 0 ? plan_.offset[out] + graph_.spec(out).bytes() : 0, plan_.arena_bytes);
    if (plan_.state_of[in] != plan_.state_of[out] || op_cast<Concat>(*node.op)) return;
    if (plan_.offset[in] == MemoryPlan::kNone || plan_.offset[out] == MemoryPlan::kNone) return;
    const bool apart = plan_.offset[in] + graph_.spec(in).bytes() <= plan_.offset[out] ||
                       plan_.offset[out] + graph_.spec(out).bytes() <= plan_.offset[in];
    const bool same = plan_.offset[in] == plan_.offset[out] && graph_.spec(in) == graph_.spec(out);
    EXPECT_TRUE(apart || (same && node.op->in_place())) << node.op->name();
  }

  const Graph& graph_;
  const MemoryPlan& plan_;
  std::map<std::pair<ValueId, std::int64_t>, Note> memory_;  // by state (-1: the arena) and line
  std::map<ValueId, std::vector<Note>> note_;                // what each value was when it was written
};

TEST(MemoryPlan, LivingValuesNeverOverlap) {
  int views = 0, parts = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    const RandomGraph random(seed);
    const MemoryPlan plan = plan_memory(random.graph(), CpuStream(1));
    const Replay replay(random.graph(), plan);
    views += replay.views;
    parts += replay.parts;
    EXPECT_LE(plan.arena_bytes, plan_memory(random.graph(), CpuStream(1), false).arena_bytes);
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(views, 300);  // the graphs are about something
  EXPECT_GT(parts, 100);
}

TEST(MemoryPlan, PlannedPeakIsWhatIsTouched) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    // Without assignments: those write after what measure_touched_bytes() runs.
    Graph graph;
    const Value x = graph.input("x", Spec{DType::kFloat32, {6, 32}});
    std::mt19937 random(seed);
    std::vector<Value> values{x};
    for (int i = 0; i < 12; ++i) {
      const Value a = values[random() % values.size()], b = values[values.size() - 1];
      values.push_back(i % 3 == 0 ? concat(std::vector<Value>{sigmoid(a), sigmoid(b)}, 0)
                                  : slice(tanh(b), static_cast<std::int64_t>(random() % 2), b.shape()[0] - 1));
    }
    graph.output("y", values.back());
    Program program(graph, {.threads = 1, .passes = "plan_memory"});
    program.set_input("x", random_tensor(DType::kFloat32, {6, 32}, seed).view());
    EXPECT_EQ((program.measure_touched_bytes() + ArenaLayout::kAlignment - 1) / ArenaLayout::kAlignment,
              program.arena_bytes() / ArenaLayout::kAlignment);
  }
}

// What merging an op over time steps needs: the joined tensor is made where its parts are, and taken apart for nothing.
TEST(MemoryPlan, JoiningAndTakingApartCopiesNothing) {
  Graph graph;
  const Spec image{DType::kFloat32, {2, 64}};
  std::vector<Value> parts;
  for (int t = 0; t < 4; ++t) parts.push_back(tanh(graph.input("x" + std::to_string(t), image)));
  const Value joined = sigmoid(concat(parts, 0));
  for (int t = 0; t < 4; ++t) graph.output("y" + std::to_string(t), slice(joined, 2 * t, 2));
  const MemoryPlan plan = plan_memory(graph, CpuStream(1));
  for (int t = 1; t < 4; ++t) {
    EXPECT_EQ(plan.offset[parts[t].id()], plan.offset[parts[0].id()] + t * image.bytes());
    EXPECT_EQ(plan.offset[graph.outputs().at("y" + std::to_string(t))], plan.offset[joined.id()] + t * image.bytes());
  }
  // The four inputs, and one buffer: the sigmoid is written over the joined tensor.
  EXPECT_EQ(plan.arena_bytes, 8 * image.bytes());
  expect_same_bits(graph, "plan_memory", 1);
}

TEST(MemoryPlan, StatesMayTradePlaces) {
  Graph graph;
  const Spec spec{DType::kFloat32, {2, 16}};
  const Value a = graph.state("a", spec), b = graph.state("b", spec), c = graph.state("c", {spec.dtype, {4, 16}});
  graph.assign(a, b);
  graph.assign(b, slice(c, 2, 2));
  graph.assign(c, concat(std::vector<Value>{b, a}, 0));
  graph.output("old", slice(c, 0, 1));
  expect_same_bits(graph, "plan_memory", 1);
}

// A training step of 20 layers over 400 steps has some 500,000 nodes.
TEST(MemoryPlan, PlansHalfAMillionNodesInSeconds) {
  Graph graph;
  const Spec spec{DType::kFloat32, {1, 16}};
  std::vector<Value> layer(20, graph.input("x", spec));
  std::vector<Value> kept;
  for (int t = 0; t < 2500; ++t) {
    for (std::size_t i = 0; i < layer.size(); ++i) {
      const Value in = layer[(i + layer.size() - 1) % layer.size()];
      const Value joined = concat(std::vector<Value>{tanh(in), sigmoid(layer[i])}, 0);
      layer[i] = slice(joined, 0, 1) + slice(joined, 1, 1);
      kept.push_back(joined);
    }
  }
  Value sum = layer[0];
  for (std::size_t i = kept.size(); i-- > 0;) sum = sum + slice(kept[i], 0, 1);
  graph.output("y", sum);
  ASSERT_GT(graph.nodes().size(), 390'000u);
  const auto begin = std::chrono::steady_clock::now();
  const MemoryPlan plan = plan_memory(graph, CpuStream(1));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  // Half a second on two busy cores; anything that grows faster than nodes x log(nodes) takes minutes. The bound has
  // room for sanitizers.
  EXPECT_LT(seconds, 10.0);
  EXPECT_GE(plan.arena_bytes, static_cast<std::int64_t>(kept.size()) * 2 * spec.bytes());
  RecordProperty("seconds", std::to_string(seconds));
}

}  // namespace
}  // namespace chiasm::test
