// SPDX-License-Identifier: Apache-2.0
// Sizes of the networks of the study (spec/convrnn.md 3 and 4.4), from the recipes as they are shipped.
#include <gtest/gtest.h>

#include "tests/support/running_network.h"

namespace chiasm::test {
namespace {

NetworkSummary summary_of(const std::string& name, const std::vector<std::string>& overrides = {}) {
  return summarise(read_network(shipped_recipe(name, overrides).root().object("model")));
}

struct Published {
  const char* recipe;
  std::int64_t parameters;
  std::int64_t units;  // 0: not published
};

// Section 4.4, and 3.1, 3.2 and 3.4 for the feedforward networks.
constexpr std::int64_t kShallow = 1'481'192, kNarrowShallow = 1'368'296, kIntermediate = 2'033'128, kMedian = 2'421'992;
constexpr Published kPublished[] = {
    {"timedecay_shallow", 4'197'739, kShallow},
    {"simplernn_shallow", 6'272'872, kNarrowShallow},
    {"gru_shallow", 25'434'472, kShallow},
    {"lstm_shallow", 21'126'248, kNarrowShallow},
    {"lstm_shallow_default", 32'513'384, kShallow},
    {"ugrnn_shallow", 18'355'560, kShallow},
    {"intersectionrnn_shallow", 32'513'384, kShallow},
    {"rgc_shallow", 23'956'840, kShallow},
    {"timedecay_intermediate", 16'403'439, kIntermediate},
    {"simplernn_intermediate", 33'512'936, kIntermediate},
    {"gru_intermediate", 67'725'032, kIntermediate},
    {"lstm_intermediate", 84'832'232, kIntermediate},
    {"ugrnn_intermediate", 50'617'832, kIntermediate},
    {"intersectionrnn_intermediate", 84'832'232, kIntermediate},
    {"rgc_intermediate", 15'445'800, kMedian},
    {"rgc_intermediate_t22", 15'445'800, kMedian},
    {"ugrnn_intermediate_t30", 50'617'832, kIntermediate},
    {"rgc_median", 15'445'800, kMedian},
    {"basenet6", 4'197'736, kShallow},
    {"basenet11", 16'403'432, kIntermediate},
    {"ff_wider", 14'145'512, 0},
    {"ff_deeper", 7'602'792, 0},
};

TEST(Sizes, OfTheStudysNetworksAreThePublishedOnes) {
  for (const Published& published : kPublished) {
    const NetworkSummary s = summary_of(published.recipe);
    EXPECT_EQ(s.parameters, published.parameters) << published.recipe;
    if (published.units > 0) {
      EXPECT_EQ(s.units, published.units) << published.recipe;
    }
  }
}

// Section 4.2.
TEST(Sizes, OfTheSearchedLstmsCells) {
  const NetworkSummary s = summary_of("lstm_shallow");
  EXPECT_EQ(s.layers[2].parameters, 9 * 128 * 256 + 256 + 788'224);
  EXPECT_EQ(s.layers[3].parameters, 9 * 128 * 256 + 256 + 4'872'704);
  EXPECT_EQ(s.layers[4].parameters, 9 * 256 * 512 + 512 + 12'586'496);
}

// The cells of 4.1 without their feedback convolutions: 8 -> 5 is 256 -> 128, 9 -> 6 is 512 -> 256, 10 -> 7 is 512 ->
// 256, each with a bias.
TEST(Sizes, OfTheNestedFeedbackSets) {
  const std::int64_t without = 15'445'800 - (32'896 + 196'864 + 131'328 + 262'656);
  const std::int64_t to5 = 256 * 128 + 128, to6 = 512 * 256 + 256, to7 = 512 * 256 + 256;
  EXPECT_EQ(summary_of("rgc_median_fb0").parameters, without);
  EXPECT_EQ(summary_of("rgc_median_fb2").parameters, without + to5 + to6);
  EXPECT_EQ(summary_of("rgc_median_fb3").parameters, without + to5 + to6 + to7);
}

void expect_outputs(const std::string& recipe, const std::vector<Shape>& expected) {
  const NetworkSummary s = summary_of(recipe);
  ASSERT_EQ(s.layers.size(), expected.size()) << recipe;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(s.layers[i].output, expected[i]) << recipe << " " << s.layers[i].name;
  }
}

// The tables of 3.1 to 3.4.
TEST(Shapes, OfTheStudysBackbones) {
  const std::vector<Shape> six{{56, 56, 64}, {28, 28, 128}, {14, 14, 256}, {7, 7, 256}, {4, 4, 512}, {1000}};
  const std::vector<Shape> narrow{{56, 56, 64}, {28, 28, 128}, {14, 14, 128}, {7, 7, 256}, {4, 4, 256}, {1000}};
  for (const char* recipe : {"basenet6", "timedecay_shallow", "gru_shallow", "lstm_shallow_default", "ugrnn_shallow",
                             "intersectionrnn_shallow", "rgc_shallow"}) {
    expect_outputs(recipe, six);
  }
  for (const char* recipe : {"simplernn_shallow", "lstm_shallow"}) expect_outputs(recipe, narrow);
  const std::vector<Shape> eleven{{56, 56, 64}, {56, 56, 64}, {56, 56, 64}, {28, 28, 128}, {28, 28, 128}, {14, 14, 256},
                                  {7, 7, 256},  {7, 7, 512},  {7, 7, 512},  {4, 4, 512},   {1000}};
  for (const char* recipe : {"basenet11", "timedecay_intermediate", "simplernn_intermediate", "gru_intermediate",
                             "lstm_intermediate", "ugrnn_intermediate", "intersectionrnn_intermediate"}) {
    expect_outputs(recipe, eleven);
  }
  const std::vector<Shape> median{{56, 56, 64},  {56, 56, 128}, {56, 56, 128}, {28, 28, 128},
                                  {28, 28, 128}, {14, 14, 256}, {7, 7, 256},   {7, 7, 256},
                                  {7, 7, 512},   {4, 4, 512},   {1000}};
  expect_outputs("rgc_median", median);
  expect_outputs("rgc_median_backbone", median);
  expect_outputs("ff_wider", {{56, 56, 128}, {28, 28, 512}, {14, 14, 512}, {7, 7, 512}, {4, 4, 1024}, {1000}});
}

// What a convolution of k x k, in and out channels has, with its bias.
constexpr std::int64_t conv(std::int64_t k, std::int64_t in, std::int64_t out) { return k * k * in * out + out; }

TEST(Sizes, OfTheBackboneOfRgcMedianAreItsConvolutions) {
  const std::int64_t widths[] = {64, 128, 128, 128, 128, 256, 256, 256, 512, 512};
  std::int64_t expected = conv(7, 3, 64) + conv(1, 512, 1000);
  for (int i = 1; i < 10; ++i) expected += conv(3, widths[i - 1], widths[i]);
  EXPECT_EQ(summary_of("rgc_median_backbone").parameters, expected);
}

// 3.5 at 224 px: 11x11/4 without padding leaves 54, then pooling 27, 14, 7.
TEST(Sizes, OfAlexNetAreThoseOfItsTable) {
  const std::int64_t expected = conv(11, 3, 96) + conv(5, 96, 256) + conv(3, 256, 384) + conv(3, 384, 384) +
                                conv(3, 384, 256) + conv(1, 7 * 7 * 256, 4096) + conv(1, 4096, 4096) +
                                conv(1, 4096, 1000);
  for (const char* recipe : {"alexnet", "alexnet_no_lrn"}) {
    EXPECT_EQ(summary_of(recipe).parameters, expected) << recipe;
    expect_outputs(recipe,
                   {{27, 27, 96}, {14, 14, 256}, {14, 14, 384}, {14, 14, 384}, {7, 7, 256}, {4096}, {4096}, {1000}});
  }
}

// As torchvision documents them for the same networks.
TEST(Sizes, OfLargeNetworksAreThoseOfTorchvision) {
  EXPECT_EQ(summary_of("vgg16").parameters, 138'357'544);
  EXPECT_EQ(summary_of("vgg16_bn").parameters, 138'365'992);
  EXPECT_EQ(summary_of("resnet18_v1").parameters, 11'689'512);
  EXPECT_EQ(summary_of("resnet34_v1").parameters, 21'797'672);
  EXPECT_EQ(summary_of("resnet50_v1").parameters, 25'557'032);
  EXPECT_EQ(summary_of("mobilenet_v2").parameters, 3'504'872);
}

struct Residual {
  const char* recipe;
  bool bottleneck;
  int blocks[4];
};

// Convolutions without bias; a gain and an offset per channel before each; projections without normalisation where
// width or size change; one last normalisation and the readout.
TEST(Sizes, OfPreActivationNetworksFollowFromTheirDepth) {
  for (const Residual& net :
       {Residual{"resnet18_v2", false, {2, 2, 2, 2}}, Residual{"resnet34_v2", false, {3, 4, 6, 3}},
        Residual{"resnet50_v2", true, {3, 4, 6, 3}}, Residual{"resnet101_v2", true, {3, 4, 23, 3}},
        Residual{"resnet152_v2", true, {3, 8, 36, 3}}}) {
    std::int64_t total = 7 * 7 * 3 * 64, in = 64;
    for (int stage = 0; stage < 4; ++stage) {
      const std::int64_t width = 64 << stage, out = net.bottleneck ? 4 * width : width;
      for (int i = 0; i < net.blocks[stage]; ++i) {
        total += net.bottleneck ? in * width + 9 * width * width + width * out + 2 * (in + 2 * width)
                                : 9 * in * width + 9 * width * width + 2 * (in + width);
        if (in != out) total += in * out;
        in = out;
      }
    }
    total += 2 * in + in * 1000 + 1000;
    const NetworkSummary s = summary_of(net.recipe);
    EXPECT_EQ(s.parameters, total) << net.recipe;
    EXPECT_EQ(s.layers[static_cast<std::size_t>(net.blocks[0])].output, (Shape{56, 56, net.bottleneck ? 256 : 64}));
    EXPECT_EQ(s.layers[s.layers.size() - 2].output, (Shape{7, 7, in})) << net.recipe;
    EXPECT_EQ(static_cast<int>(s.layers.size()), net.blocks[0] + net.blocks[1] + net.blocks[2] + net.blocks[3] + 2);
  }
}

// Gains and offsets of each normalisation, and no biases of convolutions.
TEST(Sizes, OfTheNetworksThatCompareLearningRules) {
  EXPECT_EQ(summary_of("fashion_mlp").parameters, conv(1, 784, 500) + conv(1, 500, 10));
  EXPECT_EQ(summary_of("fashion_conv").parameters, 9 * (16 + 16 * 32 + 32 * 64) + 2 * (16 + 32 + 64) + conv(1, 64, 10));
  expect_outputs("fashion_mlp", {{500}, {10}});
  expect_outputs("fashion_conv", {{14, 14, 16}, {7, 7, 32}, {64}, {10}});
}

// Without the decoder, the projector and the predictor, which are their tasks'.
TEST(Sizes, OfTheNetworksThatShowOtherTasks) {
  EXPECT_EQ(summary_of("fashion_autoencoder").parameters,
            conv(3, 1, 16) + conv(3, 16, 32) + 2 * (16 + 32) + conv(1, 7 * 7 * 32, 64));
  EXPECT_EQ(summary_of("fashion_simsiam").parameters, 9 * (32 + 32 * 64 + 64 * 128) + 2 * (32 + 64 + 128));
  EXPECT_EQ(summary_of("adding_problem_gru").parameters,
            conv(1, 2, 64) + conv(1, 128, 128) + conv(1, 128, 64) + conv(1, 64, 1));
}

// Networks for images of 224 px take images of 128 px as well, and the readout stays what it is.
TEST(Recipes, AllLoadAndThoseForLargeImagesTakeSmallerOnes) {
  int large = 0;
  for (const std::string& name : shipped_recipes()) {
    const Network network = read_network(shipped_recipe(name).root().object("model"));
    const NetworkSummary full = summarise(network);
    EXPECT_GT(full.parameters, 0) << name;
    EXPECT_GT(full.units, 0) << name;
    if (network.graph.image[0] < 224) continue;
    ++large;
    const NetworkSummary small = summary_of(name, {"model.image=[128, 128, 3]"});
    EXPECT_EQ(small.layers.back().output, full.layers.back().output) << name;
    EXPECT_LT(small.units, full.units) << name;
  }
  EXPECT_GE(large, 46);
}

// 3.1 and 3.3 at 128 px.
TEST(Shapes, AtSmallerImagesAreThoseOfTheTables) {
  const auto sides = [](const std::string& recipe) {
    std::vector<std::int64_t> result;
    for (const LayerSummary& layer : summary_of(recipe, {"model.image=[128, 128, 3]"}).layers) {
      if (layer.output.rank() == 3) result.push_back(layer.output[0]);
    }
    return result;
  };
  EXPECT_EQ(sides("basenet6"), (std::vector<std::int64_t>{32, 16, 8, 4, 2}));
  EXPECT_EQ(sides("rgc_median"), (std::vector<std::int64_t>{32, 32, 32, 16, 16, 8, 4, 4, 4, 2}));
}

}  // namespace
}  // namespace chiasm::test
