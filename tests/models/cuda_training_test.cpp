// SPDX-License-Identifier: Apache-2.0
// Networks trained on a CUDA device and on the CPU from the same weights: every recurrent circuit, and feedforward
// networks with every kind of layer. Reruns, capture and branches keep bits.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/passes/pass.h"
#include "tests/support/circuits.h"
#include "tests/support/cuda.h"
#include "tests/support/training.h"

namespace chiasm::test {
namespace {

constexpr Device kCuda{Device::Kind::kCuda, 0};
constexpr std::int64_t kBatch = 3;

// Three steps of training. Sums of at most a few hundred products, and what a step rounds differently the next one
// builds on: the factor covers depth (about 20 layer-steps) and steps. A bias before batch normalisation has a gradient
// of zero, of which rounding leaves up to 1e-6: a few hundred terms of order one that cancel.
const Tolerance kSteps{rounding_tolerance(DType::kFloat32, 40.0, 300.0).relative, 1e-6};

struct Twin {
  Parameters parameters;
  Graph step;
  explicit Twin(const std::string& network, const std::string& passes = "all")
      : step(training_step_of(network, parameters, kBatch, DType::kFloat32, passes)) {}
  Trained run(ProgramOptions options) { return train(step, parameters, options); }
};

void expect_cuda_agrees_with_cpu(const std::string& network) {
  Twin twin(network);
  const Trained cpu = twin.run({.threads = 1});
  ASSERT_TRUE(std::isfinite(cpu.losses.back()));
  // Most states were moved by more than what is tolerated between devices; a few get next to no gradient in three
  // steps.
  std::size_t moved = 0;
  for (const auto& [name, tensor] : twin.parameters.tensors()) {
    moved += !near(cpu.states.at(name).view(), tensor.view(), kSteps);
  }
  EXPECT_GT(2 * moved, twin.parameters.tensors().size());
  expect_near(twin.run({.device = kCuda}), cpu, kSteps);
}

class CircuitsOnCuda : public testing::TestWithParam<Circuit> {};

TEST_P(CircuitsOnCuda, TrainLikeOnTheCpu) {
  CHIASM_NEEDS_CUDA();
  expect_cuda_agrees_with_cpu(circuit_network(GetParam()));
}

TEST_P(CircuitsOnCuda, RerunsCaptureAndBranchesKeepBits) {
  CHIASM_NEEDS_CUDA();
  Twin twin(circuit_network(GetParam()));
  const Trained plain = twin.run({.device = kCuda, .deterministic = true, .branches = 1, .capture = false});
  expect_same_bits(twin.run({.device = kCuda, .deterministic = true, .branches = 1, .capture = false}), plain);
  expect_same_bits(twin.run({.device = kCuda, .deterministic = true}), plain);
}

INSTANTIATE_TEST_SUITE_P(Models, CircuitsOnCuda, testing::ValuesIn(circuits()),
                         [](const auto& info) { return info.param.name; });

// Normalisation of three kinds, dropout, pooling of every kind, separable convolution.
const char* const kLayers = R"({"image": [12, 12, 3], "steps": 1, "feedforward_delay": 0,
  "layers": [
    {"name": "conv1", "pre": [{"op": "conv", "channels": 8, "kernel": 3, "stride": 2}, {"op": "batch_norm"}, "relu"],
     "post": [{"op": "local_response_norm"}]},
    {"name": "conv2", "pre": [{"op": "conv", "channels": 8, "kernel": 3}, {"op": "layer_norm"}, "elu",
                              {"op": "dropout", "rate": 0.3}],
     "post": [{"op": "max_pool", "size": 2}]},
    {"name": "readout", "pre": [{"op": "global_average_pool"}, {"op": "linear", "units": 5}]}
  ],
  "connections": []})";

TEST(FeedforwardOnCuda, TrainsLikeOnTheCpu) {
  CHIASM_NEEDS_CUDA();
  expect_cuda_agrees_with_cpu(kLayers);
}

// Reduced precision is really used, and no more than rounding away: factors keep 11 or 8 significant bits.
TEST(FeedforwardOnCuda, MixedPrecisionIsNearAndNotEqual) {
  CHIASM_NEEDS_CUDA();
  Twin twin(kLayers);
  const Trained exact = twin.run({.device = kCuda});
  for (const auto& [math, epsilon] : {std::pair{CudaMath::kTf32, 0x1p-11}, std::pair{CudaMath::kBfloat16, 0x1p-8}}) {
    const Trained reduced = twin.run({.device = kCuda, .math = math});
    double most = 0.0;
    for (std::int64_t i = 0; i < exact.logits[0].elements(); ++i) {
      const double difference = value_at(reduced.logits[0].view(), i) - value_at(exact.logits[0].view(), i);
      most = std::max(most, std::fabs(difference));
    }
    // Logits are of the order of one; three layers round two factors each, and the errors add like a random walk.
    EXPECT_LT(most, 8.0 * epsilon);
    EXPECT_GT(most, epsilon / 64.0);
  }
}

TEST(FeedforwardOnCuda, MemoryOfASmallBudgetKeepsBits) {
  CHIASM_NEEDS_CUDA();
  Twin twin(circuit_network(circuits()[0]));
  const std::string passes = "prune,share,hoist,plan_memory";
  const Trained whole = twin.run({.device = kCuda, .passes = passes});
  const Trained half =
      twin.run({.device = kCuda, .passes = passes + ",rematerialise", .memory_bytes = whole.arena_bytes / 2});
  EXPECT_LT(half.arena_bytes, whole.arena_bytes);
  expect_same_bits(half, whole);
}

}  // namespace
}  // namespace chiasm::test
