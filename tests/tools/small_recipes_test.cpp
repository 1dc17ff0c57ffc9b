// SPDX-License-Identifier: Apache-2.0
// The recipes of the shallow family for small images: each loads, and has the parameters that the equations of its
// circuit ask for (spec/convrnn.md section 2).
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "tests/support/source_tree.h"
#include "tools/recipe/recipe.h"

namespace chiasm {
namespace {

struct Family {
  const char* prefix;
  std::int64_t image, channels;      // its side, its channels
  std::int64_t conv1, conv2, conv3;  // widths
  int steps;
};
constexpr Family kFashion{"fashion_shallow_", 28, 1, 16, 16, 32, 8};
constexpr Family kCifar{"cifar10_shallow_", 32, 3, 32, 64, 128, 10};

struct Circuit {
  const char* name;
  bool narrow;  // half as wide as the backbone
  // Parameters, given the channels of the layer's feedforward input, of the cell's input and of the cell.
  std::function<std::int64_t(std::int64_t r, std::int64_t in, std::int64_t c)> parameters;
};
void PrintTo(const Circuit& circuit, std::ostream* out) { *out << circuit.name; }

std::int64_t conv(std::int64_t kernel, std::int64_t in, std::int64_t out) { return kernel * kernel * in * out; }
std::int64_t with_bias(std::int64_t kernel, std::int64_t in, std::int64_t out) { return conv(kernel, in, out) + out; }
std::int64_t separable(std::int64_t kernel, std::int64_t in, std::int64_t out) {
  return kernel * kernel * in + with_bias(1, in, out);
}

const Circuit kCircuits[] = {
    {"ff", false, [](auto, auto, auto) { return 0; }},
    {"timedecay", false, [](auto, auto, auto) { return 1; }},
    // Two convolutions with a bias each, a layer norm of gains and offsets.
    {"simplernn", true, [](auto, auto in, auto c) { return with_bias(3, in, c) + with_bias(3, c, c) + 2 * c; }},
    {"gru", false, [](auto, auto in, auto c) { return with_bias(3, in + c, 2 * c) + with_bias(3, in + c, c); }},
    // Four gates in one convolution, layer norms of the four and of the memory.
    {"lstm", true, [](auto, auto in, auto c) { return with_bias(3, in + c, 4 * c) + 5 * 2 * c; }},
    {"ugrnn", false, [](auto, auto in, auto c) { return with_bias(3, in + c, 2 * c); }},
    {"intersectionrnn", false, [](auto, auto in, auto c) { return with_bias(3, in + c, 4 * c); }},
    // W_m, W_cc, W_hc, W_hh, W_ch and W_rg, none with a bias.
    {"rgc", false, [](auto r, auto in, auto c) { return conv(3, in, c) + 4 * conv(3, c, c) + conv(3, r, c); }},
    {"rgc_general", false,
     [](auto r, auto in, auto c) {
       const std::int64_t memory = c / 2;
       return with_bias(2, in, memory) + separable(5, memory, memory) + separable(5, c, memory) + with_bias(3, in, c) +
              separable(5, c, c) + separable(5, memory, c) + (r == c ? 0 : conv(1, r, c));
     }},
};

std::int64_t expected(const Family& f, const Circuit& circuit) {
  const std::int64_t c2 = circuit.narrow ? f.conv2 / 2 : f.conv2, c3 = circuit.narrow ? f.conv3 / 2 : f.conv3;
  return with_bias(5, f.channels, f.conv1) + with_bias(3, f.conv1, f.conv2) + circuit.parameters(f.conv1, f.conv2, c2) +
         with_bias(3, c2, f.conv3) + circuit.parameters(c2, f.conv3, c3) + with_bias(1, c3, 10);
}

class SmallRecipe : public testing::TestWithParam<Circuit> {};

TEST_P(SmallRecipe, HasTheParametersOfItsCircuit) {
  const Circuit& circuit = GetParam();
  for (const Family& f : {kFashion, kCifar}) {
    const std::string name = std::string(f.prefix) + circuit.name;
    const Recipe recipe = load_recipe(test::source_folder() + "/models/recipes/" + name + ".json", {});
    EXPECT_EQ(recipe.name, name);
    EXPECT_EQ(recipe.network.graph.image, (Shape{f.image, f.image, f.channels}));
    const NetworkSummary size = summarise(recipe.network);
    EXPECT_EQ(size.parameters, expected(f, circuit)) << name;
    ASSERT_EQ(size.layers.size(), 4u);
    EXPECT_EQ(size.layers[3].arrival_step, 3);
    // Without a circuit there is nothing that more steps would change: the recipe is its own minimal control.
    EXPECT_EQ(recipe.network.presentation.steps, std::string(circuit.name) == "ff" ? 4 : f.steps);
    const std::int64_t half = f.image / 2, quarter = f.image / 4, wide = circuit.narrow ? 2 : 1;
    EXPECT_EQ(size.units,
              f.image * f.image * f.conv1 + half * half * f.conv2 / wide + quarter * quarter * f.conv3 / wide + 10)
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(SmallRecipes, SmallRecipe, testing::ValuesIn(kCircuits),
                         [](const auto& info) { return std::string(info.param.name); });

// spec/learning_rules.md 9.3: weights and biases ~ N(0, 1 / (n_in + n_out)), logistic outputs, the order of the data.
// Of n draws the standard deviation has a relative standard error of 1 / sqrt(2 n); five of them are allowed.
TEST(LearningRuleRecipes, FashionMlpIsTheSpecs) {
  const Recipe recipe = load_recipe(test::source_folder() + "/models/recipes/fashion_mlp.json", {});
  EXPECT_EQ(recipe.network.objective.name, "sigmoid_cross_entropy");
  EXPECT_FALSE(recipe.data.shuffle);
  const PixelNormalisation& pixels = recipe.data.train_augmentation.normalisation;  // in [0, 1], as they are
  EXPECT_TRUE(pixels.mean.empty() && pixels.deviation.empty());
  EXPECT_EQ(pixels.scale, 1.0);
  EXPECT_EQ(recipe.data.train_augmentation.flip_probability, 0.0);
  EXPECT_EQ(recipe.train.batch, 128);
  EXPECT_EQ(recipe.train.epochs, 400.0);
  EXPECT_EQ(recipe.train.schedule.rate_at(399.0), 0.2);
  Parameters parameters;
  declare_parameters(recipe.network, parameters);
  parameters.initialise(0);
  for (const auto& [name, fans] : {std::pair("hidden/linear/", 1284.0), std::pair("readout/linear/", 510.0)}) {
    for (const char* part : {"weight", "bias"}) {
      const auto values = parameters.tensors().at(std::string(name) + part).values<float>();
      double squares = 0.0;
      for (float v : values) squares += static_cast<double>(v) * v;
      const auto n = static_cast<double>(values.size());
      EXPECT_NEAR(std::sqrt(squares / n * fans), 1.0, 5.0 / std::sqrt(2.0 * n)) << name << part;
    }
  }
}

}  // namespace
}  // namespace chiasm
