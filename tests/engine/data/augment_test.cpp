// SPDX-License-Identifier: Apache-2.0
#include "engine/data/augment.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "engine/data/resize.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"
#include "tests/support/golden.h"

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

std::vector<float> apply(const Augmentation& augmentation, const Spec& spec, std::span<const float> in,
                         std::uint32_t sample = 0, std::uint32_t epoch = 0, std::uint64_t seed = 1) {
  std::vector<float> out(static_cast<std::size_t>(augmentation.output(spec).shape.elements()), -99);
  augmentation.apply(spec, in, out, seed, epoch, sample);
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
  EXPECT_THAT(apply({.scale = 2, .mean = {1, 2}, .deviation = {0.5, 4}}, spec, counting(spec)),
              ElementsAre(2, 0.5, 10, 1.5));
  EXPECT_THAT(apply({.mean = {1}}, spec, counting(spec)), ElementsAre(0, 1, 2, 3));
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
  std::vector<float> resized(12);
  resize_bilinear(in, 8, 1, {0, 0, 6, 8}, 3, 4, resized);
  EXPECT_EQ(apply(augmentation, spec, in), resized);
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
  EXPECT_THAT(error({.mean = {1, 2}}), HasSubstr("mean has 2 values, images have 3 channels"));
  EXPECT_THAT(error({.deviation = {0}}), HasSubstr("above 0"));
  EXPECT_THAT(error({.pad = 1, .random_resized_crop = RandomResizedCrop{}}), HasSubstr("neither pad"));
  EXPECT_THAT(error({.random_resized_crop = RandomResizedCrop{.area_min = 0}}), HasSubstr("area_min"));
}

// Against PyTorch's antialiased bilinear interpolation, growing, shrinking and mixed.
TEST(Resize, AgreesWithPyTorch) {
  const test::Golden golden("resize_bilinear");
  for (const char* name : {"same", "grow", "shrink", "mixed", "to_one", "from_one"}) {
    const Tensor& in = golden.at(std::string(name) + "/in0");
    const Tensor& expected = golden.at(std::string(name) + "/out0");
    const auto narrow = [](const Tensor& tensor) {
      return std::vector<float>(tensor.values<double>().begin(), tensor.values<double>().end());
    };
    const Shape& from = in.shape();
    const Shape& to = expected.shape();
    std::vector<float> out(static_cast<std::size_t>(to.elements()));
    resize_bilinear(narrow(in), from[1], from[2], {0, 0, from[0], from[1]}, to[0], to[1], out);
    // Values below 4 in magnitude; two roundings to float32 here, a float32 computation of about 10 terms there.
    EXPECT_THAT(out, testing::Pointwise(testing::FloatNear(4e-6F), narrow(expected))) << name;
  }
}

TEST(Resize, ReadsOnlyTheBox) {
  std::vector<float> in(5 * 6 * 2, std::numeric_limits<float>::quiet_NaN());
  for (const std::size_t y : {1, 2}) {
    for (std::size_t x = 2; x < 5; ++x) in[(y * 6 + x) * 2] = in[(y * 6 + x) * 2 + 1] = 3;
  }
  std::vector<float> out(4 * 4 * 2);
  resize_bilinear(in, 6, 2, {1, 2, 2, 3}, 4, 4, out);
  EXPECT_THAT(out, testing::Each(testing::FloatEq(3)));
}

TEST(Resize, CentresTheBox) {
  const auto is = [](const Box& box, std::int64_t top, std::int64_t left, std::int64_t height, std::int64_t width) {
    return box.top == top && box.left == left && box.height == height && box.width == width;
  };
  EXPECT_TRUE(is(centred_box(10, 20, 1, 1), 0, 5, 10, 10));
  EXPECT_TRUE(is(centred_box(20, 10, 1, 1), 5, 0, 10, 10));
  EXPECT_TRUE(is(centred_box(9, 9, 2, 1), 0, 2, 9, 4));
  EXPECT_TRUE(is(centred_box(1, 1000, 1000, 1), 0, 499, 1, 1));
}

}  // namespace
}  // namespace chiasm
