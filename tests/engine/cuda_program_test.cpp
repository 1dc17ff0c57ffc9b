// SPDX-License-Identifier: Apache-2.0
// Programs on a CUDA device: against the CPU, captured against enqueued, on one stream against several, and the traffic
// between tensors and the device.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "engine/moving_copy.h"
#include "engine/ops.h"
#include "engine/optimizer.h"
#include "engine/program.h"
#include "kernels/elementwise/map.h"
#include "kernels/reduction/sum.h"
#include "tests/support/compare.h"
#include "tests/support/cuda.h"
#include "tests/support/random_tensor.h"
#include "tests/support/training.h"

namespace chiasm::test {
namespace {

constexpr Device kCuda{Device::Kind::kCuda, 0};

// Three steps of a recurrent toy with two paths that do not need each other.
Graph two_paths(Parameters& parameters, const Optimizer& optimizer = {.rule = Sgd{.momentum = 0.9}}) {
  Graph graph;
  const Scope scope(graph, parameters, {.dtype = DType::kFloat32});
  const Value x = graph.input("x", Spec{DType::kFloat32, {4, 5}});
  Value h = fill(graph, Spec{DType::kFloat32, {4, 6}}, 0.0);
  Value k = fill(graph, Spec{DType::kFloat32, {4, 6}}, 0.5);
  for (int t = 0; t < 3; ++t) {
    const LabelScope label(graph, "step" + std::to_string(t));
    const Weight w = scope.weight("w", {5, 6}, Initialiser::uniform(0.7));
    const Weight u = scope.weight("u", {6, 6}, Initialiser::uniform(0.7));
    const Weight v = scope.weight("v", {6, 6}, Initialiser::uniform(0.7));
    h = tanh(linear(x, w) + linear(h, u));
    k = tanh(linear(x, w) * linear(k, v));
  }
  const Value loss = graph.apply(Sum{}, {h * h + k});
  graph.output("loss", loss);
  graph.output("h", h);
  append_updates(loss, parameters, optimizer);
  return graph;
}

struct RunResult {
  std::vector<Tensor> h;  // by step
  std::map<std::string, Tensor> states;
};

RunResult run_steps(const ProgramOptions& options, int steps, bool stage = false) {
  Parameters parameters;
  const Graph graph = two_paths(parameters);
  parameters.initialise(3);
  Program program(graph, options);
  program.bind_all(parameters.tensors());
  const float rate = 0.05f;
  const auto fill_inputs = [&](int step) {
    program.set_input("learning_rate", Tensor::of<float>({}, std::span(&rate, 1)).view());
    program.set_input("x", random_tensor(DType::kFloat32, {4, 5}, static_cast<unsigned>(step)).view());
  };
  RunResult run;
  fill_inputs(0);
  for (int i = 0; i < steps; ++i) {
    program.run_compute();
    if (stage && program.stages_inputs()) {
      fill_inputs(i + 1);
      program.stage_inputs();
    }
    run.h.push_back(copy_of(program.output("h")));
    program.run_commit();
    if (!stage) fill_inputs(i + 1);
  }
  for (const auto& [name, tensor] : parameters.tensors()) run.states[name] = tensor.clone();
  return run;
}

void expect_same(const RunResult& a, const RunResult& b) {
  ASSERT_EQ(a.h.size(), b.h.size());
  for (std::size_t i = 0; i < a.h.size(); ++i) EXPECT_TRUE(bit_equal(a.h[i].view(), b.h[i].view())) << "step " << i;
  for (const auto& [name, tensor] : a.states) EXPECT_TRUE(bit_equal(tensor.view(), b.states.at(name).view())) << name;
}

TEST(CudaProgram, AgreesWithTheCpu) {
  CHIASM_NEEDS_CUDA();
  const RunResult cpu = run_steps({.threads = 1}, 5);
  const RunResult cuda = run_steps({.device = kCuda}, 5);
  // Five steps of sums over at most 24 products, each step's rounding carried to the next.
  const Tolerance tolerance = rounding_tolerance(DType::kFloat32, 16.0, 24.0);
  for (std::size_t i = 0; i < cpu.h.size(); ++i) {
    EXPECT_TRUE(near(cuda.h[i].view(), cpu.h[i].view(), tolerance)) << "step " << i;
  }
  for (const auto& [name, tensor] : cpu.states) {
    EXPECT_TRUE(near(cuda.states.at(name).view(), tensor.view(), tolerance)) << name;
    EXPECT_TRUE(not_vacuous(tensor.view())) << name;
  }
}

// Every optimizer with every way of limiting gradients, and a moving copy.
TEST(CudaProgram, OptimizersAgreeWithTheCpu) {
  CHIASM_NEEDS_CUDA();
  const auto steps = [](const Optimizer& optimizer, const ProgramOptions& options) {
    Parameters parameters;
    Graph graph = two_paths(parameters, optimizer);
    const MovingCopy copy{.patterns = {"*"}};
    append_moving_copies(graph, parameters, copy);
    parameters.initialise(3);
    Program program(graph, options);
    program.bind_all(parameters.tensors());
    for (int i = 0; i < 3; ++i) {
      const float rate = 0.05f, move = 0.1f;
      program.set_input("learning_rate", Tensor::of<float>({}, std::span(&rate, 1)).view());
      program.set_input(copy.input(), Tensor::of<float>({}, std::span(&move, 1)).view());
      const std::int32_t step = i + 1;
      if (graph.inputs().contains("step")) program.set_input("step", Tensor::of({}, std::span(&step, 1)).view());
      program.set_input("x", random_tensor(DType::kFloat32, {4, 5}, static_cast<unsigned>(i)).view());
      program.run();
    }
    std::map<std::string, Tensor> states;
    for (const auto& [name, tensor] : parameters.tensors()) states[name] = tensor.clone();
    return states;
  };
  using By = GradientLimit::By;
  for (const Optimizer& optimizer :
       {Optimizer{.rule = Lars{.coefficient = 0.1},
       .clip = GradientLimit{.limit = 0.5, .by = By::kNorm},
       .weight_decay = 0.01},
        Optimizer{.rule = RmsProp{.momentum = 0.5, .epsilon = 1e-2},
        .clip = GradientLimit{.limit = 0.5, .by = By::kGlobalNorm}},
        Optimizer{
            .rule = Adam{.epsilon = 1e-2}, .clip = GradientLimit{.limit = 0.5}, .weight_decay = 0.1, .decoupled = true},
        Optimizer{.rule = Sgd{.momentum = 0.9}, .weight_decay = 0.1, .decoupled = true}}) {
    const std::map<std::string, Tensor> cpu = steps(optimizer, {.threads = 1}),
                                        cuda = steps(optimizer, {.device = kCuda});
    EXPECT_TRUE(cpu.contains("target/w"));
    // Three steps; sums over 36 elements and quotients by their roots.
    const Tolerance tolerance = rounding_tolerance(DType::kFloat32, 32.0, 36.0);
    for (const auto& [name, tensor] : cpu) {
      EXPECT_TRUE(near(cuda.at(name).view(), tensor.view(), tolerance)) << name << ", rule " << optimizer.rule.index();
      EXPECT_TRUE(not_vacuous(tensor.view())) << name;
    }
  }
}

TEST(CudaProgram, CaptureBranchesAndStagingKeepBits) {
  CHIASM_NEEDS_CUDA();
  const RunResult plain = run_steps({.device = kCuda, .branches = 1, .capture = false}, 4);
  expect_same(run_steps({.device = kCuda, .branches = 1}, 4), plain);
  expect_same(run_steps({.device = kCuda, .branches = 4, .capture = false}, 4), plain);
  expect_same(run_steps({.device = kCuda, .branches = 3}, 4), plain);
  expect_same(run_steps({.device = kCuda}, 4, /*stage=*/true), plain);
  expect_same(run_steps({.device = kCuda}, 4), plain);
}

TEST(CudaProgram, StatesFollowWhoWroteThemLast) {
  CHIASM_NEEDS_CUDA();
  Graph graph;
  const Value a = graph.state("a", Spec{DType::kFloat32, {3}});
  graph.output("twice", affine(a, 2.0, 0.0));
  graph.assign(a, affine(a, 1.0, 1.0));
  Tensor tensor = Tensor::of<float>({3}, std::vector<float>{1.0f, 2.0f, 3.0f});
  Program first(graph, {.device = kCuda}), second(graph, {.device = kCuda});
  first.bind("a", tensor);
  second.bind("a", tensor);
  for (int i = 0; i < 3; ++i) first.run();
  EXPECT_EQ(std::as_const(tensor).values<float>()[0], 4.0f);  // fetched
  second.run();                                               // where the first one left it
  EXPECT_EQ(second.output("twice").as<float>()[2], 12.0f);
  first.run_compute();
  EXPECT_EQ(first.output("twice").as<float>()[1], 12.0f);
  tensor.values<float>()[1] = 10.0f;  // sent before the next run
  first.run();
  EXPECT_EQ(first.output("twice").as<float>()[1], 20.0f);
  EXPECT_EQ(std::as_const(tensor).values<float>()[1], 11.0f);
  Program cpu(graph, {.threads = 1});
  cpu.bind("a", tensor);
  cpu.run();
  EXPECT_EQ(cpu.output("twice").as<float>()[1], 22.0f);
  first.run();
  EXPECT_EQ(first.output("twice").as<float>()[1], 24.0f);
}

TEST(CudaProgram, OutputsBeyondWhatEveryRunFetchesAreFetched) {
  CHIASM_NEEDS_CUDA();
  Graph graph;
  const Value x = graph.input("x", Spec{DType::kFloat32, {300, 301}});
  graph.output("y", affine(x, 3.0, 1.0));
  Program program(graph, {.device = kCuda});
  for (unsigned i = 0; i < 4; ++i) {
    const Tensor in = random_tensor(DType::kFloat32, {300, 301}, i);
    program.set_input("x", in.view());
    program.run();
    const View y = program.output("y");
    for (std::int64_t k = 0; k < y.elements(); k += 997) {
      ASSERT_NEAR(y.as<float>()[k], 3.0f * in.values<float>()[k] + 1.0f, 1e-6) << k;
    }
  }
}

TEST(CudaProgram, OutputsAreThoseOfTheLastRunAfterAStateIsBoundAnew) {
  CHIASM_NEEDS_CUDA();
  Graph graph;
  const Shape shape{300, 301};  // more than what every run fetches
  const Value a = graph.state("a", Spec{DType::kFloat32, shape});
  graph.output("twice", affine(a, 2.0, 0.0));
  graph.output("a", a);
  Program program(graph, {.device = kCuda});
  const Tensor first = random_tensor(DType::kFloat32, shape, 1);
  program.bind("a", first);
  program.run_compute();
  program.bind("a", Tensor::zeros(DType::kFloat32, shape));
  EXPECT_EQ(program.output("twice").as<float>()[7], 2.0f * first.values<float>()[7]);
  EXPECT_TRUE(bit_equal(program.output("a"), first.view()));
  program.run_compute();
  EXPECT_EQ(program.output("twice").as<float>()[7], 0.0f);
  EXPECT_EQ(program.output("a").as<float>()[7], 0.0f);
}

TEST(CudaProgram, StatesThatTheCpuOnlyReadsAreNotSentAgain) {
  CHIASM_NEEDS_CUDA();
  Graph graph;
  const Value a = graph.state("a", Spec{DType::kFloat32, {3}});
  graph.output("twice", affine(a, 2.0, 0.0));
  const Tensor tensor = Tensor::of<float>({3}, std::vector<float>{1.0f, 2.0f, 3.0f});
  Program cuda(graph, {.device = kCuda}), cpu(graph, {.threads = 1});
  cuda.bind("a", tensor);
  cpu.bind("a", tensor);
  cuda.run();
  cpu.run();
  EXPECT_TRUE(tensor.storage().device_is_current());
}

TEST(CudaProgram, StepwiseNamesTheFirstBadNode) {
  CHIASM_NEEDS_CUDA();
  Graph graph;
  const Value x = graph.input("x", Spec{DType::kFloat32, {2}});
  Value y;
  {
    const LabelScope label(graph, "layer");
    y = graph.apply(Map<Log>{}, {x});
  }
  graph.output("y", y * y);
  Program program(graph, {.device = kCuda, .passes = "prune,share"});
  const std::vector<float> values{1.0f, -1.0f};
  program.set_input("x", Tensor::of<float>({2}, values).view());
  program.run();
  try {
    program.run_stepwise();
    ADD_FAILURE() << "accepted NaN";
  } catch (const NumericalError& error) {
    EXPECT_STREQ(error.what(), "layer: log: element 1 is NaN (1 of 2 are not finite)");
  }
}

TEST(CudaProgram, UpdatesThatAreNotFiniteAreSeen) {
  CHIASM_NEEDS_CUDA();
  Parameters parameters;
  const Graph graph = two_paths(parameters);
  parameters.initialise(3);
  Program program(graph, {.device = kCuda});
  program.bind_all(parameters.tensors());
  Tensor x = random_tensor(DType::kFloat32, {4, 5}, 1);
  for (int i = 0; i < 3; ++i) {  // also when replayed
    program.set_input("x", x.view());
    program.run_compute();
    EXPECT_TRUE(program.updates_are_finite());
  }
  x.values<float>()[7] = std::numeric_limits<float>::infinity();
  program.set_input("x", x.view());
  program.run_compute();
  EXPECT_FALSE(program.updates_are_finite());
}

TEST(CudaProgram, PlannedPeakIsWhatIsTouched) {
  CHIASM_NEEDS_CUDA();
  Parameters parameters;
  const Graph graph = two_paths(parameters);
  parameters.initialise(3);
  for (const char* passes : {"none", "all"}) {
    Program program(graph, {.device = kCuda, .passes = passes});
    program.bind_all(parameters.tensors());
    EXPECT_LE(program.measure_touched_bytes(), program.arena_bytes()) << passes;
    EXPECT_GT(program.measure_touched_bytes(), program.arena_bytes() / 2) << passes;
  }
}

TEST(CudaProgram, RefusesADeviceThatIsNotThere) {
  Graph graph;
  graph.output("y", fill(graph, Spec{DType::kFloat32, {2}}, 1.0));
  EXPECT_THROW(Program(graph, {.device = {Device::Kind::kCuda, 99}}), InputError);
}

TEST(CudaProgram, ProfileNamesEveryOp) {
  CHIASM_NEEDS_CUDA();
  Parameters parameters;
  const Graph graph = two_paths(parameters);
  parameters.initialise(3);
  Program program(graph, {.device = kCuda, .passes = "none"});
  program.bind_all(parameters.tensors());
  bool linear = false;
  for (const auto& [op, seconds] : program.profile_compute()) linear = linear || (op == "linear" && seconds > 0.0);
  EXPECT_TRUE(linear);
}

TEST(Device, NamesAreRead) {
  EXPECT_EQ(Device::parse("cpu"), Device{});
  EXPECT_EQ(Device::parse("cuda"), kCuda);
  EXPECT_EQ(to_string(Device::parse("cuda:3")), "cuda:3");
  EXPECT_EQ(to_string(Device{}), "cpu");
  for (const char* bad : {"", "gpu", "cuda:", "cuda:-1", "cuda:1x", "CPU", "cuda:99999999999"}) {
    EXPECT_THROW(Device::parse(bad), InputError) << bad;
  }
}

}  // namespace
}  // namespace chiasm::test
