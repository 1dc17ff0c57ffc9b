// SPDX-License-Identifier: Apache-2.0
// Changes of colour against numbers of tests/oracles/colour.py, and what each transform draws.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "engine/config/config.h"
#include "engine/data/augment.h"
#include "engine/data/transforms/colour.h"
#include "engine/data/transforms/transform.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"

namespace chiasm {
namespace {

using test::error_of;
using testing::HasSubstr;

// Two pixels.
Pixels colours() { return {.height = 1, .width = 2, .channels = 3, .values = {0.8F, 0.4F, 0.1F, 0.2F, 0.3F, 0.9F}}; }

void expect_values(const Pixels& image, const std::vector<double>& expected) {
  ASSERT_EQ(image.values.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(image.values[i], expected[i], 1e-6) << i;
}

template <class Change>
Pixels changed(Change change) {
  Pixels image = colours();
  change(image);
  return image;
}

TEST(Colour, AgreesWithTheOracle) {
  expect_values(changed([](Pixels& p) { change_brightness(p, 1.3); }), {1.0, 0.52, 0.13, 0.26, 0.39, 1.0});
  // Greys .4854 and .3385, mean .41195.
  expect_values(changed([](Pixels& p) { change_contrast(p, 0.5); }),
                {0.605975, 0.405975, 0.255975, 0.305975, 0.355975, 0.655975});
  expect_values(changed([](Pixels& p) { change_saturation(p, 0.5); }),
                {0.6427, 0.4427, 0.2927, 0.26925, 0.31925, 0.61925});
  expect_values(changed([](Pixels& p) { make_grey(p); }), {0.4854, 0.4854, 0.4854, 0.3385, 0.3385, 0.3385});
  // colorsys: hue + 0.1, and - 0.25
  expect_values(changed([](Pixels& p) { change_hue(p, 0.1); }), {0.78, 0.8, 0.1, 0.52, 0.2, 0.9});
  expect_values(changed([](Pixels& p) { change_hue(p, -0.25); }), {0.75, 0.1, 0.8, 0.2, 0.9, 0.45});
}

TEST(Colour, AWholeTurnOfHueIsNone) {
  Pixels image = colours();
  change_hue(image, 1.0);
  expect_values(image, {0.8, 0.4, 0.1, 0.2, 0.3, 0.9});
}

std::shared_ptr<const Transform> transform(const std::string& json) {
  const Config config = Config::parse(json, "recipe");
  auto made = read_transform(config.root());
  config.finish();
  return made;
}

RandomStream at(std::uint32_t sample) { return RandomStream({.purpose = RandomPurpose::kAugment, .sample = sample}); }

// A blurred image keeps its mean where it is constant at the border, and a constant image stays.
TEST(GaussianBlur, IsANormalisedKernel) {
  const auto blur = transform(R"({"op": "gaussian_blur", "sigma_min": 1.5, "sigma_max": 1.5})");
  Pixels point{.height = 31, .width = 29, .channels = 1, .values = std::vector<float>(31 * 29, 0.0F)};
  point.values[15 * 29 + 14] = 1.0F;
  blur->apply(point, at(0));
  double sum = 0.0, variance = 0.0;
  for (int y = 0; y < 31; ++y) {
    for (int x = 0; x < 29; ++x) {
      sum += point.values[static_cast<std::size_t>(29 * y + x)];
      variance += point.values[static_cast<std::size_t>(29 * y + x)] * (x - 14) * (x - 14);
    }
  }
  EXPECT_NEAR(sum, 1.0, 1e-5);
  EXPECT_NEAR(variance, 1.5 * 1.5, 0.01);  // cut at 4 sigma: 0.1 % is missing
  // e^(-1/4.5): a neighbour's share of the middle.
  EXPECT_NEAR(point.values[15 * 29 + 15] / point.values[15 * 29 + 14], std::exp(-1.0 / 4.5), 1e-5);
  Pixels flat{.height = 3, .width = 3, .channels = 3, .values = std::vector<float>(27, 0.7F)};
  blur->apply(flat, at(0));
  for (float value : flat.values) EXPECT_NEAR(value, 0.7, 1e-6);
}

TEST(Transforms, AreAppliedAsOftenAsTheyShould) {
  const auto grey = transform(R"({"op": "grayscale", "probability": 0.2})");
  int count = 0;
  for (std::uint32_t sample = 0; sample < 4000; ++sample) {
    Pixels image = colours();
    grey->apply(image, at(sample));
    count += image.values[0] == image.values[1];
  }
  EXPECT_NEAR(count, 800, 5 * 26);  // five deviations
}

// Factors are uniform in [0.6, 1.4]: mean 1, deviation 0.8 / sqrt(12).
TEST(ColorJitter, DrawsItsFactorsUniformly) {
  const auto jitter = transform(R"({"op": "color_jitter", "brightness": 0.4})");
  double sum = 0.0, squares = 0.0;
  constexpr int kDraws = 4000;
  for (std::uint32_t sample = 0; sample < kDraws; ++sample) {
    Pixels image{.height = 1, .width = 1, .channels = 1, .values = {0.5F}};
    jitter->apply(image, at(sample));
    const double factor = image.values[0] / 0.5;
    EXPECT_GE(factor, 0.6 - 1e-6);
    EXPECT_LE(factor, 1.4 + 1e-6);
    sum += factor;
    squares += factor * factor;
  }
  const double mean = sum / kDraws, deviation = std::sqrt(squares / kDraws - mean * mean);
  EXPECT_NEAR(mean, 1.0, 5 * 0.231 / std::sqrt(kDraws));
  EXPECT_NEAR(deviation, 0.8 / std::sqrt(12.0), 0.01);
}

// Contrast before brightness is not brightness before contrast: with both fixed only the order is left to chance.
TEST(ColorJitter, DrawsTheOrder) {
  const auto jitter =
      transform(R"({"op": "color_jitter", "brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1})");
  std::set<float> seen;
  for (std::uint32_t sample = 0; sample < 50; ++sample) {
    Pixels a = colours(), b = colours();
    jitter->apply(a, at(sample));
    jitter->apply(b, at(sample));
    EXPECT_EQ(a.values, b.values);
    seen.insert(a.values[0]);
  }
  EXPECT_GT(seen.size(), 40U);
}

TEST(Augmentation, AppliesTransformsToBytesAsToNumbers) {
  Augmentation a;
  a.transforms = {transform(R"({"op": "color_jitter", "brightness": 0.5})")};
  const Pixels bytes{.height = 1, .width = 2, .channels = 1, .bytes = {51, 102}};
  const Pixels values{.height = 1, .width = 2, .channels = 1, .values = {0.2F, 0.4F}};
  std::vector<float> of_bytes(2), of_values(2), plain(2);
  a.apply(bytes, of_bytes, 1, 2, 3);
  a.apply(values, of_values, 1, 2, 3);
  EXPECT_EQ(of_bytes, of_values);
  EXPECT_NE(of_bytes[0], 0.2F);
  EXPECT_NEAR(of_bytes[1], 2.0F * of_bytes[0], 1e-6F);
}

TEST(Transforms, RefuseWhatTheyCannotDo) {
  EXPECT_THAT(error_of<InputError>([] { transform(R"({"op": "solarise"})"); }), HasSubstr("\"gaussian_blur\""));
  EXPECT_THAT(error_of<InputError>([] { transform(R"({"op": "grayscale", "probability": 2})"); }),
              HasSubstr("probability"));
  EXPECT_THAT(error_of<InputError>([] { transform(R"({"op": "gaussian_blur", "sigma_min": 3})"); }),
              HasSubstr("sigma_max"));
  Augmentation a;
  a.transforms = {transform(R"({"op": "color_jitter"})")};
  EXPECT_THAT(error_of<InputError>([&] { a.output({DType::kFloat32, {4, 4, 2}}); }), HasSubstr("2 channels"));
}

}  // namespace
}  // namespace chiasm
