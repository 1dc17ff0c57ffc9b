// SPDX-License-Identifier: Apache-2.0
// Parameters, initialisers, scopes and snapshots.
#include "engine/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "engine/ops.h"
#include "engine/program.h"
#include "engine/snapshot.h"
#include "tests/support/compare.h"
#include "tests/support/file_corpus.h"
#include "tests/support/random_names.h"

namespace chiasm::test {
namespace {

Tensor drawn(const Initialiser& initialiser, const Shape& shape, std::uint64_t seed, const char* name) {
  Tensor tensor(Spec{DType::kFloat64, shape});
  initialiser.fill(tensor, seed, name);
  return tensor;
}

TEST(Initialiser, DependsOnSeedAndNameAlone) {
  const Initialiser uniform = Initialiser::uniform(1.0);
  const Tensor a = drawn(uniform, {40}, 1, "conv1/weight");
  EXPECT_TRUE(bit_equal(drawn(uniform, {40}, 1, "conv1/weight").view(), a.view()));
  EXPECT_FALSE(bit_equal(drawn(uniform, {40}, 2, "conv1/weight").view(), a.view()));
  EXPECT_FALSE(bit_equal(drawn(uniform, {40}, 1, "conv2/weight").view(), a.view()));
}

TEST(Parameters, RefuseNamesThatWouldDrawTheSameNumbers) {
  const auto [a, b] = two_names_of_one_random_op();
  const std::vector<std::string> names{a, b};
  const auto initialise = [&](const Initialiser& initialiser) {
    Parameters parameters;
    for (const std::string& name : names) {
      parameters.declare({.name = name, .spec = Spec{DType::kFloat32, {2}}, .initialiser = initialiser});
    }
    parameters.initialise(1);
  };
  EXPECT_THAT([&] { initialise(Initialiser::uniform(1.0)); },
              testing::ThrowsMessage<InputError>(testing::AllOf(testing::HasSubstr(a), testing::HasSubstr(b))));
  EXPECT_NO_THROW(initialise(Initialiser::constant(1.0)));
}

// 200,000 draws: the relative standard error of a deviation is about 1 / sqrt(2 n) = 0.16 %; the bound is six of them.
TEST(Initialiser, HasTheSpecifiedSpread) {
  const Fans fans = fans_of({3, 3, 64, 128});
  EXPECT_EQ(fans.in, 9 * 64);
  EXPECT_EQ(fans.out, 9 * 128);
  const struct {
    Initialiser initialiser;
    double deviation, largest;
  } cases[] = {
      {Initialiser::glorot_uniform(fans), std::sqrt(2.0 / (9 * 64 + 9 * 128)), std::sqrt(6.0 / (9 * 64 + 9 * 128))},
      {Initialiser::variance_scaling(1.0, fans), 0.04167, 2.0 * 0.04167 / 0.87962566103423978},
      {Initialiser::normal(0.01), 0.01, 0.06},
      {Initialiser::truncated_normal(0.5), 0.5, 1.0 / 0.87962566103423978},
  };
  for (const auto& c : cases) {
    double sum = 0.0, squares = 0.0, largest = 0.0;
    const Tensor tensor = drawn(c.initialiser, {200'000}, 7, "w");
    for (double v : tensor.values<double>()) {
      sum += v;
      squares += v * v;
      largest = std::max(largest, std::fabs(v));
    }
    EXPECT_NEAR(std::sqrt(squares / 200'000), c.deviation, 0.01 * c.deviation);
    EXPECT_NEAR(sum / 200'000, 0.0, 6 * c.deviation / std::sqrt(200'000.0));
    EXPECT_LE(largest, c.largest * 1.0001);
  }
}

TEST(Parameters, AreSharedByPathAndCheckedForShape) {
  Graph graph;
  Parameters parameters;
  const Scope scope = Scope(graph, parameters).child("layer");
  const Value w = scope.parameter("w", {3}, Initialiser::constant(1.0));
  EXPECT_EQ(scope.at_step(5).parameter("w", {3}, Initialiser::constant(1.0)), w);
  EXPECT_THROW(scope.parameter("w", {4}, Initialiser::constant(1.0)), ShapeError);
  scope.parameter("b", {2}, Initialiser::constant(0.0));
  EXPECT_EQ(parameters.count(), 5);
  EXPECT_EQ(parameters.count("layer/w"), 3);
  EXPECT_NE(parameters.find("layer/b"), nullptr);
}

TEST(Scope, UntiesOnlyWhatItIsTold) {
  Graph graph;
  Parameters parameters;
  const Scope scope(graph, parameters, {.untied = [](std::string_view path) { return path == "b/w"; }});
  const Weight tied = scope.child("a").weight("w", {2, 3}, Initialiser::uniform(1.0));
  EXPECT_EQ(tied.forward, tied.backward);
  const Weight untied = scope.child("b").weight("w", {2, 3}, Initialiser::uniform(1.0));
  EXPECT_NE(untied.forward, untied.backward);
  parameters.initialise(0);
  EXPECT_FALSE(bit_equal(parameters.tensors()["b/w"].view(), parameters.tensors()["b/w_backward"].view()));
  EXPECT_EQ(parameters.count(), 12);  // a backward weight is not a trained parameter
}

// Two updates of one statistic in a graph follow each other.
TEST(Scope, StatisticsChainWithinAGraph) {
  Graph graph;
  Parameters parameters;
  const Scope scope(graph, parameters, {.dtype = DType::kFloat64});
  for (int i = 0; i < 3; ++i) scope.update_statistic("s", affine(scope.statistic("s", {1}, 1.0), 2.0, 1.0));
  scope.commit_statistics();
  parameters.initialise(0);
  Program program(graph, {.threads = 1});
  program.bind_all(parameters.tensors());
  program.run();
  EXPECT_EQ(parameters.tensors()["s"].values<double>()[0], 15.0);
}

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() { fill(parameters, 1); }
  static void fill(Parameters& p, std::uint64_t seed) {
    p.declare({.name = "a", .spec = Spec{DType::kFloat32, {3}}, .initialiser = Initialiser::uniform(1.0)});
    p.declare({.name = "b", .spec = Spec{DType::kFloat64, {2, 2}}, .initialiser = Initialiser::uniform(1.0)});
    p.initialise(seed);
  }
  TempFolder folder;
  Parameters parameters;
  std::string path = folder / "step-12.safetensors";
};

TEST_F(SnapshotTest, RoundTrips) {
  save_snapshot(path, parameters, {12, 3, 4});
  Parameters other;
  fill(other, 2);
  EXPECT_FALSE(bit_equal(other.tensors()["a"].view(), parameters.tensors()["a"].view()));
  EXPECT_EQ(load_snapshot(path, other), (RunPosition{12, 3, 4}));
  for (const char* name : {"a", "b"}) {
    EXPECT_TRUE(bit_equal(other.tensors()[name].view(), parameters.tensors()[name].view()));
  }
  EXPECT_EQ(list_snapshots(folder.path()), (std::map<std::int64_t, std::string>{{12, path}}));
}

TEST_F(SnapshotTest, OfAnotherNetworkChangesNothing) {
  save_snapshot(path, parameters, {12, 3, 4});
  Parameters other;
  other.declare({.name = "a", .spec = Spec{DType::kFloat32, {4}}});
  other.initialise(0);
  EXPECT_THROW(load_snapshot(path, other), FileError);
  Parameters more;
  fill(more, 2);
  more.declare({.name = "c", .spec = Spec{DType::kFloat32, {1}}});
  more.initialise(2);
  const Tensor kept = more.tensors()["a"].clone();
  EXPECT_THROW(load_snapshot(path, more), FileError);
  EXPECT_TRUE(bit_equal(more.tensors()["a"].view(), kept.view()));
}

TEST_F(SnapshotTest, CannotBeWrittenWhereThereIsNoFolder) {
  EXPECT_THROW(save_snapshot(folder / "missing/step-1.safetensors", parameters, {}), SystemError);
}

}  // namespace
}  // namespace chiasm::test
