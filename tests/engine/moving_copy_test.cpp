// SPDX-License-Identifier: Apache-2.0
#include "engine/moving_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops.h"
#include "engine/optimizer.h"
#include "engine/program.h"
#include "engine/weights.h"
#include "kernels/error.h"
#include "kernels/reduction/sum.h"
#include "tests/support/compare.h"
#include "tests/support/file_corpus.h"

namespace chiasm::test {
namespace {

// w moves by the learning rate at every step; v is not trained here.
struct Net {
  Graph graph;
  Parameters parameters;

  explicit Net(DType dtype = DType::kFloat64) {
    const Parameter w =
        parameters.declare({.name = "net/w", .spec = {dtype, {3}}, .initialiser = Initialiser::normal(1.0)});
    const Parameter v =
        parameters.declare({.name = "net/v", .spec = {dtype, {2}}, .initialiser = Initialiser::normal(1.0)});
    graph.output("v", graph.state(v.name, v.spec));
    append_update(graph, parameters, w, fill(graph, w.spec, 1.0), {});
  }
};

TEST(MovingCopy, FollowsWhatTheOptimizerLeaves) {
  Net net;
  const MovingCopy copy{.patterns = {"net/*"}};
  append_moving_copies(net.graph, net.parameters, copy);
  net.parameters.initialise(5);
  std::map<std::string, Tensor>& held = net.parameters.tensors();
  EXPECT_TRUE(bit_equal(held.at("target/net/w").view(), held.at("net/w").view()));
  Program program(net.graph, {.threads = 1});
  program.bind_all(held);
  double expected = held.at("net/w").values<double>()[1], now = expected;
  for (const double step : {0.25, 0.5, 0.001}) {
    *program.input("learning_rate").as<double>() = 0.5;
    *program.input(copy.input()).as<double>() = step;
    program.run();
    now -= 0.5;
    expected = (1 - step) * expected + step * now;
    EXPECT_NEAR(held.at("target/net/w").values<double>()[1], expected, 1e-15);
    EXPECT_EQ(held.at("net/w").values<double>()[1], now);
  }
  // Nothing moved v, so its copy has its bits.
  EXPECT_TRUE(bit_equal(held.at("target/net/v").view(), held.at("net/v").view()));
}

TEST(MovingCopy, CoefficientsAreConstantOrGoToOne) {
  EXPECT_EQ((MovingCoefficient{.start = 0.75}).step_at(0.7), 0.25);
  const MovingCoefficient cosine{.start = 0.996, .cosine = true};
  EXPECT_DOUBLE_EQ(cosine.step_at(0.0), 1.0 - 0.996);
  EXPECT_NEAR(cosine.step_at(0.5), 0.002, 1e-15);
  EXPECT_EQ(cosine.step_at(1.0), 0.0);
}

TEST(MovingCopy, NeedsParametersAndANameOfItsOwn) {
  Net net;
  EXPECT_THROW(append_moving_copies(net.graph, net.parameters, {.patterns = {"nut/*"}}), InputError);
  EXPECT_THROW(
      append_moving_copies(net.graph, net.parameters, {.patterns = {"net/w"}, .prefix = "optimizer/velocity/"}),
      InputError);
  append_moving_copies(net.graph, net.parameters, {.patterns = {"net/w"}});
  EXPECT_THROW(append_moving_copies(net.graph, net.parameters, {.patterns = {"net/v"}}), InputError);
}

// Training that starts from weights has copies of those, unless the file brings its own.
TEST(MovingCopy, OfLoadedWeightsStartEqual) {
  const TempFolder folder;
  Net plain(DType::kFloat32), with;
  plain.parameters.initialise(1);
  save_weights(folder / "plain.safetensors", plain.parameters);
  append_moving_copies(with.graph, with.parameters, {.patterns = {"net/*"}});
  with.parameters.initialise(2);
  load_weights(folder / "plain.safetensors", with.parameters);
  EXPECT_EQ(with.parameters.tensors().at("target/net/w").values<double>()[2],
            plain.parameters.tensors().at("net/w").values<float>()[2]);
  with.parameters.tensors().at("target/net/w").values<double>()[2] = 77.0;
  save_weights(folder / "with.safetensors", with.parameters);
  Net again;
  append_moving_copies(again.graph, again.parameters, {.patterns = {"net/*"}});
  again.parameters.initialise(3);
  load_weights(folder / "with.safetensors", again.parameters);
  EXPECT_EQ(again.parameters.tensors().at("target/net/w").values<double>()[2], 77.0);
}

}  // namespace
}  // namespace chiasm::test
