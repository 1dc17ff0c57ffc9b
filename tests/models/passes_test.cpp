// SPDX-License-Identifier: Apache-2.0
// The time compiler changes nothing: training steps of temporal networks, compiled by each pass and by all of them,
// against the plain unroll.
#include <gtest/gtest.h>

#include "engine/passes/pass.h"
#include "tests/support/training.h"

namespace chiasm::test {
namespace {

// Four layers, two of them recurrent, feedback over one and two layers, one with a delay of two steps.
std::string network_json(const std::string& extra, const std::string& stage) {
  return R"({"image": [7, 6, 2], "steps": 9, )" + extra + R"(
    "layers": [
      {"name": "conv1", "pre": [{"op": "conv", "channels": 3, "kernel": 3, "bias_init": 0.1}, "elu"]},
      {"name": "conv2", "pre": [{"op": "conv", "channels": 4, "kernel": 3, "bias_init": -0.1})" +
         stage + R"(],
       "cell": {"type": "rgc", "cell_channels": 3, "bias_init": 0.05}, "post": [{"op": "max_pool", "size": 2}]},
      {"name": "conv3", "pre": [{"op": "conv", "channels": 4, "kernel": 2, "bias_init": 0.2}],
       "cell": {"type": "rgc", "cell_channels": 2, "gate": {"kernel": 2, "separable": false}},
       "post": [{"op": "average_pool", "size": 2}]},
      {"name": "conv4", "pre": [{"op": "conv", "channels": 3, "kernel": 2}], "cell": {"type": "rgc_shallow"}},
      {"name": "readout", "pre": [{"op": "global_average_pool"}, {"op": "linear", "units": 5, "bias_init": 0.3}]}
    ],
    "connections": [{"source": "conv4", "target": "conv3"}, {"source": "conv3", "target": "conv2"},
                    {"source": "conv4", "target": "conv2", "delay": 2}]})";
}

struct Variant {
  std::string name;
  std::string extra;
  std::string stage;
};

void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }

const std::vector<Variant>& variants() {
  static const std::vector<Variant> all{
      {"Recurrent", "", ""},
      {"ImageOff", R"("image_off": 2,)", ""},
      {"ImageOnLate", R"("image_on": 2, "image_off": 4,)", ""},
      {"AllSteps", R"("decoder": "all",)", ""},
      {"AllStepsImageOff", R"("decoder": "all", "image_off": 3, "blank": -0.4,)", ""},
      {"Threshold", R"("decoder": {"type": "threshold", "threshold": 0.24}, "image_off": 4,)", ""},
      {"MaxConfidence", R"("decoder": {"type": "max_confidence", "beta": 2},)", ""},
      {"Dropout", "", R"(, {"op": "dropout", "rate": 0.3})"},
      {"BatchNorm", R"("image_off": 3,)", R"(, {"op": "batch_norm"})"},
      {"LayerNorm", "", R"(, {"op": "layer_norm", "epsilon": 1e-5})"},
      {"Untied", R"("backward_weights": "untied",)", ""},
      {"UntiedAllSteps", R"("backward_weights": "untied", "decoder": "all", "image_off": 3,)", ""},
  };
  return all;
}

Trained trained(const Variant& variant, DType dtype, const std::string& passes, int steps) {
  Parameters parameters;
  const Graph step = training_step_of(network_json(variant.extra, variant.stage), parameters, 3, dtype, passes);
  return train(step, parameters, {.threads = 1, .passes = passes}, steps);
}

class TimeCompiler : public testing::TestWithParam<Variant> {};

TEST_P(TimeCompiler, PruneAndShareKeepTheBitsOfTheForwardPass) {
  const Trained plain = trained(GetParam(), DType::kFloat32, "none", 1);
  ASSERT_TRUE(not_vacuous(plain.logits[0].view()));
  for (const char* passes : {"prune", "share", "prune,share"}) {
    EXPECT_TRUE(bit_equal(trained(GetParam(), DType::kFloat32, passes, 1).logits[0].view(), plain.logits[0].view()))
        << passes;
  }
}

// Three training steps, so that errors in gradients come back through the weights. Sums are reassociated only: 1e-12 is
// some thousand roundings of float64, of which a weight sums a few hundred products.
TEST_P(TimeCompiler, EveryPassTrainsTheSameNetworkInFloat64) {
  const Trained plain = trained(GetParam(), DType::kFloat64, "none", 3);
  std::vector<std::string> lists{"all", "prune,share", "prune,share,hoist", "prune,batch_time"};
  for (const Pass& pass : all_passes()) lists.emplace_back(pass.name);
  for (const std::string& passes : lists) {
    SCOPED_TRACE(passes);
    expect_near(trained(GetParam(), DType::kFloat64, passes, 3), plain, {1e-12, 1e-14});
  }
}

// The libraries block other batches differently: each of the three steps adds the rounding of sums of about a thousand
// terms (3 samples x 42 positions x 9 taps), 8 epsilon each allows for the depth of nine timesteps there and back. The
// gradient of a bias below a batch normalisation is zero, and what is computed is the rounding of about a thousand
// terms of order 1.
TEST_P(TimeCompiler, AllPassesTrainTheSameNetworkInFloat32) {
  const Trained plain = trained(GetParam(), DType::kFloat32, "none", 3);
  Tolerance tolerance = rounding_tolerance(DType::kFloat32, 8.0, 1000.0);
  tolerance.absolute = 1e-5;
  expect_near(trained(GetParam(), DType::kFloat32, "all", 3), plain, tolerance);
}

TEST_P(TimeCompiler, LeavesWorkOut) {
  const auto all = static_cast<double>(trained(GetParam(), DType::kFloat32, "all", 1).flops);
  EXPECT_LT(all, 0.9 * static_cast<double>(trained(GetParam(), DType::kFloat32, "none", 1).flops));
}

INSTANTIATE_TEST_SUITE_P(Networks, TimeCompiler, testing::ValuesIn(variants()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace chiasm::test
