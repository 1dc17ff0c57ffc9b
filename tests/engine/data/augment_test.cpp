// SPDX-License-Identifier: Apache-2.0
#include "engine/data/augment.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "engine/data/resize.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"

namespace chiasm {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

Spec image(std::int64_t height, std::int64_t width, std::int64_t channels) {
  return {DType::kFloat32, {height, width, channels}};
}

std::vector<float> counting(const Spec& spec) {
  std::vector<float> values(static_cast<std::size_t>(spec.shape.elements()));
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

Pixels as_pixels(const Spec& spec, std::span<const float> values) {
  return {.height = spec.shape[0],
          .width = spec.shape[1],
          .channels = spec.shape[2],
          .values = {values.begin(), values.end()}};
}

std::vector<float> apply(const Augmentation& augmentation, const Spec& spec, std::span<const float> in,
                         std::uint32_t sample = 0, std::uint32_t epoch = 0, std::uint64_t seed = 1) {
  std::vector<float> out(static_cast<std::size_t>(augmentation.output(spec).shape.elements()), -99);
  augmentation.apply(as_pixels(spec, in), out, seed, epoch, sample);
  return out;
}

TEST(Augmentation, ByDefaultChangesNothing) {
  const Spec spec = image(3, 4, 2);
  EXPECT_EQ(apply({}, spec, counting(spec)), counting(spec));
}

TEST(Augmentation, PadsAndCropsInTheCentre) {
  const Spec spec = image(2, 3, 1);  // 1 2 3 / 4 5 6
  const std::vector<float> in = counting(spec);
  EXPECT_THAT(apply({.crop_height = 1, .crop_width = 1}, spec, in), ElementsAre(2));
  EXPECT_THAT(apply({.crop_height = 4, .crop_width = 5, .pad = 1}, spec, in),
              ElementsAre(0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(apply({.crop_height = 4, .crop_width = 5, .pad = 1, .padding = Padding::kReflect}, spec, in),
              ElementsAre(5, 4, 5, 6, 5, 2, 1, 2, 3, 2, 5, 4, 5, 6, 5, 2, 1, 2, 3, 2));
}

TEST(Augmentation, FlipsChannelsTogether) {
  const Spec spec = image(1, 3, 2);
  EXPECT_THAT(apply({.flip_probability = 1}, spec, counting(spec)), ElementsAre(5, 6, 3, 4, 1, 2));
}

TEST(Augmentation, NormalisesEachChannel) {
  const Spec spec = image(1, 2, 2);
  EXPECT_THAT(apply({.normalisation = {.scale = 2, .mean = {1, 2}, .deviation = {0.5, 4}}}, spec, counting(spec)),
              ElementsAre(2, 0.5, 10, 1.5));
  EXPECT_THAT(apply({.normalisation = {.mean = {1}}}, spec, counting(spec)), ElementsAre(0, 1, 2, 3));
}

// Every offset is as likely as every other, and what is drawn depends on the address alone.
TEST(Augmentation, CropsAndFlipsUniformly) {
  const Spec spec = image(3, 3, 1);
  const std::vector<float> in = counting(spec);
  const Augmentation crop{.crop_height = 3, .crop_width = 3, .pad = 1, .random_crop = true, .flip_probability = 0.25};
  std::map<std::vector<float>, int> seen;
  constexpr int kDraws = 18000;
  for (int sample = 0; sample < kDraws; ++sample) ++seen[apply(crop, spec, in, static_cast<std::uint32_t>(sample))];
  // 9 offsets, flipped or not. Of 18000 draws each plain one has mean 1500 and deviation 37, each flipped one 500
  // and 22.
  ASSERT_EQ(seen.size(), 18U);
  for (const auto& [result, count] : seen) {
    EXPECT_TRUE(std::abs(count - 1500) < 5 * 37 || std::abs(count - 500) < 5 * 22) << count;
  }
  EXPECT_EQ(apply(crop, spec, in, 5, 3), apply(crop, spec, in, 5, 3));
  int same_epoch = 0, same_seed = 0;
  for (std::uint32_t sample = 0; sample < 100; ++sample) {
    same_epoch += apply(crop, spec, in, sample, 0) == apply(crop, spec, in, sample, 1);
    same_seed += apply(crop, spec, in, sample, 0, 1) == apply(crop, spec, in, sample, 0, 2);
  }
  EXPECT_LT(same_epoch, 25);
  EXPECT_LT(same_seed, 25);
}

TEST(Augmentation, ResizedCropKeepsAConstantImage) {
  const Spec spec = image(17, 23, 3);
  const std::vector<float> grey(17 * 23 * 3, 0.5F);
  const Augmentation augmentation{.crop_height = 9, .crop_width = 31, .random_resized_crop = RandomResizedCrop{}};
  for (std::uint32_t sample = 0; sample < 200; ++sample) {
    // Weights sum to one within a few float32 roundings.
    EXPECT_THAT(apply(augmentation, spec, grey, sample), testing::Each(testing::FloatNear(0.5F, 1e-6F)));
  }
}

// Boxes of the whole area and the image's own aspect ratio are the image itself.
TEST(Augmentation, ResizedCropOfEverythingIsAResize) {
  const Spec spec = image(6, 8, 1);
  const std::vector<float> in = counting(spec);
  const Augmentation augmentation{
      .crop_height = 3, .crop_width = 4, .random_resized_crop = RandomResizedCrop{1, 1, 8.0 / 6, 8.0 / 6}};
  EXPECT_EQ(apply(augmentation, spec, in),
            resize(as_pixels(spec, in), {0, 0, 6, 8}, {3, 4}, Interpolation::kBilinear).values);
}

TEST(Augmentation, NamesTheSettingThatIsWrong) {
  const auto error = [](const Augmentation& augmentation) {
    return error_of<InputError>([&] { augmentation.output(image(8, 8, 3)); });
  };
  EXPECT_THAT(error({.crop_height = 11, .pad = 1}), HasSubstr("[11, 8, 3] does not fit"));
  EXPECT_THAT(error({.pad = 8, .padding = Padding::kReflect}), HasSubstr("reflecting 8"));
  EXPECT_THAT(error({.pad = -1}), HasSubstr("0 or more"));
  EXPECT_THAT(error({.pad = std::int64_t{1} << 62}), HasSubstr("at most"));
  EXPECT_THAT(error({.flip_probability = 1.5}), HasSubstr("flip probability"));
  EXPECT_THAT(error({.normalisation = {.mean = {1, 2}}}), HasSubstr("mean has 2 values, images have 3 channels"));
  EXPECT_THAT(error({.normalisation = {.deviation = {0}}}), HasSubstr("above 0"));
  EXPECT_THAT(error({.pad = 1, .random_resized_crop = RandomResizedCrop{}}), HasSubstr("neither pad"));
  EXPECT_THAT(error({.random_resized_crop = RandomResizedCrop{.area_min = 0}}), HasSubstr("area_min"));
}

}  // namespace
}  // namespace chiasm
