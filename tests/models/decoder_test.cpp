// SPDX-License-Identifier: Apache-2.0
// Decoders on the vectors of spec/convrnn.md section 10, and where their gradients go.
#include "models/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/config/config.h"
#include "engine/graph.h"
#include "engine/ops.h"
#include "engine/program.h"
#include "kernels/loss/cross_entropy.h"
#include "kernels/reduction/sum.h"
#include "models/network.h"
#include "tests/support/compare.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

using Logits = std::vector<std::vector<double>>;  // [sample][class]

// The spec's readout at three steps; the second sample decides at the first of them.
const std::vector<Logits> kSteps{{{2, 1, 0}, {9, 0, 1}}, {{0, 4, 0.5}, {1, 2, 3}}, {{1, 3, 0}, {0, 0, 5}}};

struct Decided {
  Logits logits;
  std::vector<int> step;
  std::vector<Logits> gradients;  // of the mean cross-entropy with label 0, by step
};

Decided run(const Decoder& decoder, DType dtype) {
  Graph graph;
  std::vector<Value> steps;
  for (std::size_t t = 0; t < kSteps.size(); ++t) {
    steps.push_back(graph.input("z" + std::to_string(t), Spec{dtype, {2, 3}}));
  }
  const Decision decision = decide(decoder, steps);
  graph.output("decoded", decision.logits);
  if (decision.step) graph.output("step", decision.step);
  const Value label = graph.input("label", Spec{DType::kInt32, {2}});
  const Value loss = graph.apply(Sum{}, {graph.apply(CrossEntropy{}, {decision.logits, label})});
  const std::vector<Value> gradients = chiasm::gradients(loss, steps);
  for (std::size_t t = 0; t < steps.size(); ++t) {
    if (gradients[t]) graph.output("g" + std::to_string(t), gradients[t]);
  }
  Program program(graph, {.threads = 1});
  for (std::size_t t = 0; t < steps.size(); ++t) {
    for (int i = 0; i < 6; ++i) set_value(program.input("z" + std::to_string(t)), i, kSteps[t][i / 3][i % 3]);
  }
  for (int n = 0; n < 2; ++n) program.input("label").as<std::int32_t>()[n] = 0;
  program.run();
  const auto read = [&](const std::string& name) {
    Logits rows(2, std::vector<double>(3, 0.0));
    if (!program.graph().outputs().contains(name)) return rows;  // no gradient at all is a gradient of zero
    for (int i = 0; i < 6; ++i) rows[i / 3][i % 3] = value_at(program.output(name), i);
    return rows;
  };
  Decided result{read("decoded"), {}, {}};
  if (decision.step) {
    for (int n = 0; n < 2; ++n) result.step.push_back(program.output("step").as<std::int32_t>()[n]);
  }
  for (std::size_t t = 0; t < steps.size(); ++t) result.gradients.push_back(read("g" + std::to_string(t)));
  return result;
}

class Decoders : public testing::TestWithParam<DType> {};

TEST_P(Decoders, LastTakesTheLastStep) {
  const Decided d = run({}, GetParam());
  EXPECT_EQ(d.logits, kSteps[2]);
  EXPECT_TRUE(d.step.empty());
}

TEST_P(Decoders, ThresholdTakesTheFirstConfidentStep) {
  using enum Decoder::Kind;
  // Largest probabilities of the first sample: 0.66524096, 0.95373160, 0.84379473.
  EXPECT_EQ(run({.kind = kThreshold, .threshold = 0.9}, GetParam()).step, (std::vector<int>{1, 0}));
  EXPECT_EQ(run({.kind = kThreshold, .threshold = 0.5}, GetParam()).logits[0], kSteps[0][0]);
  // None reaches it: the most confident one.
  EXPECT_EQ(run({.kind = kThreshold, .threshold = 0.99}, GetParam()).logits[0], kSteps[1][0]);
  EXPECT_EQ(run({.kind = kThreshold, .threshold = 0.9537317}, GetParam()).step[0], 1);
  EXPECT_EQ(run({.kind = kThreshold, .threshold = 0.6652}, GetParam()).step[0], 0);
}

TEST_P(Decoders, MaxConfidenceTakesTheMostConfidentStep) {
  EXPECT_EQ(run({.kind = Decoder::Kind::kMaxConfidence}, GetParam()).step, (std::vector<int>{1, 0}));
  EXPECT_EQ(run({.kind = Decoder::Kind::kMaxConfidence}, GetParam()).logits[0], kSteps[1][0]);
}

// The gradient of the chosen logits is softmax - onehot; that of the others is exactly zero, sample by sample.
TEST_P(Decoders, GradientsFlowThroughTheChosenStepOnly) {
  const Decided d = run({.kind = Decoder::Kind::kThreshold, .threshold = 0.9}, GetParam());
  const double tolerance = GetParam() == DType::kFloat64 ? 1e-14 : 1e-6;  // a few roundings of numbers below 1
  for (int t = 0; t < 3; ++t) {
    for (int n = 0; n < 2; ++n) {
      const bool chosen = d.step[n] == t;
      double sum = 0.0;
      for (double z : kSteps[t][n]) sum += std::exp(z);
      for (int c = 0; c < 3; ++c) {
        const double expected = chosen ? std::exp(kSteps[t][n][c]) / sum - (c == 0) : 0.0;
        EXPECT_NEAR(d.gradients[t][n][c], expected, chosen ? tolerance : 0.0) << t << " " << n << " " << c;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, Decoders, testing::Values(DType::kFloat32, DType::kFloat64));

// beta does not change which class is likeliest, and can change which step is most confident.
TEST(MaxConfidence, WeighsLogitsByBeta) {
  Decoder decoder{.kind = Decoder::Kind::kMaxConfidence};
  Graph graph;
  const Value a = graph.input("a", Spec{DType::kFloat64, {1, 3}}), b = graph.input("b", Spec{DType::kFloat64, {1, 3}});
  decoder.beta = 0.1;
  graph.output("flat", decide(decoder, std::vector{a, b}).step);
  decoder.beta = 10.0;
  graph.output("sharp", decide(decoder, std::vector{a, b}).step);
  Program program(graph, {.threads = 1});
  // At small beta the spread of all logits counts (a), at large beta the lead of the first over the second (b).
  const double values[2][3] = {{3.0, 2.9, -9.0}, {3.0, 2.0, 2.0}};
  for (int i = 0; i < 3; ++i) {
    set_value(program.input("a"), i, values[0][i]);
    set_value(program.input("b"), i, values[1][i]);
  }
  program.run();
  EXPECT_EQ(program.output("flat").as<std::int32_t>()[0], 0);
  EXPECT_EQ(program.output("sharp").as<std::int32_t>()[0], 1);
}

TEST(Decoder, LeavesOutTheFirstImageDrivenStep) {
  using enum Decoder::Kind;
  EXPECT_EQ((Decoder{.kind = kLast}.first_step(5, 16)), 15);
  EXPECT_EQ((Decoder{.kind = kAll}.first_step(5, 16)), 5);
  EXPECT_EQ((Decoder{.kind = kThreshold}.first_step(5, 16)), 6);  // the spec's D = {L, ..., T - 1}, L = 6
  EXPECT_EQ((Decoder{.kind = kMaxConfidence}.first_step(10, 22)), 11);
  EXPECT_EQ((Decoder{.kind = kMaxConfidence}.first_step(5, 6)), 5);
}

Decoder read(const std::string& json) { return read_decoder(Config::parse(json, "test").root()); }

TEST(ReadDecoder, TakesANameOrAnObject) {
  EXPECT_EQ(read("{}").kind, Decoder::Kind::kLast);
  EXPECT_EQ(read(R"({"decoder": "threshold"})").threshold, 0.9);
  EXPECT_EQ(read(R"({"decoder": {"type": "threshold", "threshold": 0.5}})").threshold, 0.5);
  EXPECT_EQ(read(R"({"decoder": {"type": "max_confidence", "beta": 2}})").beta, 2.0);
  for (const char* wrong :
       {R"({"decoder": "first"})", R"({"decoder": 3})", R"({"decoder": {"type": "threshold", "threshold": 0}})",
        R"({"decoder": {"type": "threshold", "threshold": 1.5}})", R"({"decoder": {"beta": 1}})",
        R"({"decoder": {"type": "max_confidence", "beta": -1}})"}) {
    EXPECT_THROW(read(wrong), FileError) << wrong;
  }
  // A threshold belongs to the decoder of that name.
  const Config other = Config::parse(R"({"decoder": {"type": "last", "threshold": 0.5}})", "test");
  read_decoder(other.root());
  EXPECT_THROW(other.finish(), FileError);
}

std::string chain(const std::string& model, const std::string& cell) {
  return R"({"image": [4, 4, 1], )" + model + R"(
    "layers": [{"name": "a", "pre": [{"op": "conv", "channels": 2}])" +
         cell + R"(},
               {"name": "b", "pre": [{"op": "conv", "channels": 2}]},
               {"name": "readout", "pre": [{"op": "global_average_pool"}, {"op": "linear", "units": 2}]}]})";
}

int steps_of(const std::string& model, const std::string& cell) {
  const Config config = Config::parse(chain(model, cell), "test");
  const Network network = read_network(config.root());
  config.finish();
  return network.presentation.steps;
}

// Section 1.5: layers + 1 with cells; without, the image has to arrive.
TEST(MinimalUnroll, ComesFromTheGraph) {
  const std::string cell = R"(, "cell": {"type": "time_decay"})";
  EXPECT_EQ(steps_of(R"("unroll": "minimal",)", cell), 4);
  EXPECT_EQ(steps_of(R"("unroll": "minimal",)", ""), 3);
  EXPECT_EQ(steps_of(R"("unroll": "minimal", "steps": 16,)", cell), 4);
  EXPECT_EQ(steps_of(R"("unroll": "steps", "steps": 16,)", cell), 16);
  EXPECT_EQ(steps_of(R"("unroll": "minimal", "image_on": 2,)", cell), 6);
  EXPECT_THROW(steps_of("", cell), FileError);
  EXPECT_THROW(steps_of(R"("unroll": "least",)", cell), FileError);
}

}  // namespace
}  // namespace chiasm::test
