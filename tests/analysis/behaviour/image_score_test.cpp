// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/image_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kPrinted = 6e-11;  // ten digits are printed

// spec/neural_analysis.md section 12.
TEST(ImageScore, DPrimeAgreesWithTheSpecification) {
  EXPECT_NEAR(d_prime(0.9, 0.2), 2.1231727991, 1.1e-10);  // a sum of two that are printed
  EXPECT_EQ(d_prime(1.0, 0.2), 5.0);
  EXPECT_EQ(d_prime(0.0, 0.2), -5.0);
  EXPECT_TRUE(std::isnan(d_prime(1.0, 1.0)));
  EXPECT_TRUE(std::isnan(d_prime(kNaN, 0.5)));
}

Matrix<double> spec_probabilities() {
  return {6, 3, {.7, .2, .1, .4, .5, .1, .1, .8, .1, .3, .4, .3, .2, .2, .6, .3, .1, .6}};
}
const std::vector<std::int32_t> kLabels{0, 0, 1, 1, 2, 2};

TEST(ImageScore, AgreesWithTheSpecification) {
  const ImageScores scores = image_scores(spec_probabilities(), kLabels);
  const double expected[] = {1.5384372300, .9318631702, 1.7889721217, .7483441427, 1.4732537920, 1.5479129534};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(scores.i1[i], expected[i], kPrinted);
  EXPECT_EQ(scores.images_left_out + scores.distractors_left_out, 0);
}

// Each d' is clipped before the mean: an image told perfectly from one distractor and not at all from another.
TEST(ImageScore, ClipsBeforeAveraging) {
  Matrix<double> p = spec_probabilities();
  p(0, 1) = 0.0;
  const double clipped = image_scores(p, kLabels).i1[0];
  p(0, 1) = 1e-300;  // beyond 5 as well, yet finite
  EXPECT_EQ(image_scores(p, kLabels).i1[0], clipped);
  const double against_c = d_prime(.7 / .8, (.2 / .8 + .3 / .9) / 2);
  EXPECT_DOUBLE_EQ(clipped, (5.0 + against_c) / 2);
}

// An image that was not tested is no part of the false alarms; a class without any image is no distractor.
TEST(ImageScore, WhatIsNotTestedIsLeftOutAndCounted) {
  Matrix<double> p = spec_probabilities();
  std::ranges::fill(p.row(3), kNaN);
  const ImageScores scores = image_scores(p, kLabels);
  EXPECT_TRUE(std::isnan(scores.i1[3]));
  EXPECT_EQ(scores.images_left_out, 1);
  EXPECT_EQ(scores.distractors_left_out, 0);
  const double against_b = d_prime(.7 / .9, .1 / .9), against_c = d_prime(.7 / .8, (.2 / .8 + .3 / .9) / 2);
  EXPECT_DOUBLE_EQ(scores.i1[0], (against_b + against_c) / 2);

  std::ranges::fill(p.row(2), kNaN);  // now nothing of class 1 is left
  const ImageScores two = image_scores(p, kLabels);
  EXPECT_DOUBLE_EQ(two.i1[0], against_c);
  EXPECT_EQ(two.images_left_out, 2);
  EXPECT_EQ(two.distractors_left_out, 4);  // class 1, of each of the other four
}

TEST(ImageScore, ZeroAgainstZeroIsLeftOut) {
  const Matrix<double> p(4, 3, {0, 0, 1, .6, .3, .1, .2, .7, .1, .1, .1, .8});
  const std::vector<std::int32_t> labels{0, 0, 1, 2};
  const ImageScores scores = image_scores(p, labels);
  // The first image: p_t = p_d = 0 against class 1 says nothing; against class 2 it is a certain miss.
  EXPECT_EQ(scores.i1[0], -5.0);
  EXPECT_EQ(scores.distractors_left_out, 1);
}

TEST(ImageScore, LabelsOutsideAreAnError) {
  EXPECT_THROW(image_scores(spec_probabilities(), std::vector<std::int32_t>{0, 0, 1, 1, 2, 3}), InputError);
  EXPECT_THROW(image_scores(spec_probabilities(), std::vector<std::int32_t>{0, 0, 1, 1, 2, -1}), InputError);
}

}  // namespace
}  // namespace chiasm
