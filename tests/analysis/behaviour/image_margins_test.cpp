// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/image_margins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "analysis/behaviour/image_score.h"
#include "analysis/behaviour/linear_svm.h"
#include "analysis/behaviour/platt.h"
#include "analysis/statistics/split.h"
#include "kernels/error.h"
#include "tests/support/golden.h"

namespace chiasm {
namespace {

using test::Golden;

const CpuStream kStream(2);

std::vector<std::int64_t> indices(const Tensor& tensor) {
  const auto values = tensor.values<std::int32_t>();
  return {values.begin(), values.end()};
}

void expect_close(MatrixView<double> found, std::span<const double> expected, double tolerance) {
  ASSERT_EQ(found.rows * found.columns, std::ssize(expected));
  for (std::int64_t i = 0; i < found.rows; ++i) {
    for (std::int64_t k = 0; k < found.columns; ++k) {
      EXPECT_NEAR(found(i, k), expected[static_cast<std::size_t>(i * found.columns + k)], tolerance) << i << ", " << k;
    }
  }
}

// PCA, machines, sigmoids and I1 of one split by scikit-learn and SciPy: more units than images and fewer, with few of
// the components and with all of them.
TEST(ImageMargins, AgreeWithScikitLearnUpToI1) {
  const Golden golden("behaviour");
  for (const std::string name : {"decode_wide", "decode_wide_all", "decode_tall", "decode_tall_all"}) {
    SCOPED_TRACE(name);
    const auto labels = golden.at(name + "/labels").values<std::int32_t>();
    const Split split = split_by(indices(golden.at(name + "/train")), std::ssize(labels));
    const auto model = make_margin_model(kStream, Source<double>(matrix_of<double>(golden.at(name + "/x"))));
    const ImageMargins fitted =
        model->fit(split.train, labels, 3, golden.at(name + "/components").values<std::int32_t>()[0],
                   golden.at(name + "/c").values<double>()[0]);
    EXPECT_EQ(fitted.not_converged, 0);
    // What scikit-learn's stopping rule leaves.
    expect_close(fitted.margins, golden.at(name + "/margins").values<double>(), 1e-6);

    std::vector<std::int32_t> trained, tested;
    for (const std::int64_t i : split.train) trained.push_back(labels[static_cast<std::size_t>(i)]);
    for (const std::int64_t i : split.test) tested.push_back(labels[static_cast<std::size_t>(i)]);
    const auto rows = [&](const std::vector<std::int64_t>& of) {
      return take_rows(fitted.margins.view(), std::span<const std::int64_t>(of));
    };
    const Matrix<double> p = class_probabilities(rows(split.test), fit_sigmoids(rows(split.train), trained));
    expect_close(p, golden.at(name + "/probabilities").values<double>(), 1e-6);
    const ImageScores scores = image_scores(p, tested);
    expect_close(Matrix<double>(std::ssize(scores.i1), 1, scores.i1), golden.at(name + "/i1").values<double>(), 1e-5);
  }
}

Matrix<double> random_features(std::int64_t images, std::int64_t units) {
  std::mt19937 random(4);
  std::normal_distribution<double> normal;
  Matrix<double> x(images, units);
  for (std::int64_t i = 0; i < images; ++i) {
    for (std::int64_t k = 0; k < units; ++k) x(i, k) = 3.0 + normal(random) + (k == i % 3 ? 2.0 : 0.0);
  }
  return x;
}

std::vector<std::int32_t> labels_in_turn(std::int64_t images, int classes) {
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < images; ++i) labels.push_back(static_cast<std::int32_t>(i % classes));
  return labels;
}

// n training images span n - 1 components: asking for as many, or more, is a rotation and changes nothing, which is why
// they are not computed; asking for one fewer is not.
TEST(ImageMargins, AllComponentsAreARotation) {
  for (const std::int64_t units : {120, 16}) {
    const Matrix<double> x = random_features(60, units);
    const std::vector<std::int32_t> labels = labels_in_turn(60, 3);
    const Split split = random_split(1, 60, 0.75);  // 45 images
    const std::int64_t all = std::min<std::int64_t>(44, units);
    const auto model = make_margin_model(kStream, Source<double>(x));
    const ImageMargins rotated = model->fit(split.train, labels, 3, all, 10.0);
    EXPECT_EQ(rotated.margins, model->fit(split.train, labels, 3, 1000, 10.0).margins);

    // The machine itself on the centred features.
    Matrix<double> centred = x;
    std::vector<std::int32_t> trained;
    std::vector<double> mean(static_cast<std::size_t>(units));
    for (const std::int64_t i : split.train) {
      trained.push_back(labels[static_cast<std::size_t>(i)]);
      for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += x.row(i)[k] / 45.0;
    }
    for (std::int64_t i = 0; i < 60; ++i) {
      for (std::size_t k = 0; k < mean.size(); ++k) centred.row(i)[k] -= mean[k];
    }
    const LinearSvm svm = fit_linear_svm(kStream, take_rows(centred.view(), std::span<const std::int64_t>(split.train)),
                                         trained, 3, {.c = 10.0});
    const Matrix<double> expected = decision_values(kStream, svm, centred);
    expect_close(rotated.margins, expected.values(), 1e-10);  // inner products of some hundred terms

    const ImageMargins fewer = model->fit(split.train, labels, 3, all - 1, 10.0);
    double difference = 0.0;
    for (std::size_t i = 0; i < expected.values().size(); ++i) {
      difference = std::max(difference, std::fabs(fewer.margins.values()[i] - expected.values()[i]));
    }
    EXPECT_GT(difference, 1e-6);
  }
}

// The same images in as many units as give the one form and the other: with silent units behind them, with copies of
// themselves (the images vary in fewer directions than there are of them), and as they are.
TEST(ImageMargins, ProductsAndRowsAgree) {
  const Matrix<double> x = random_features(40, 39);
  Matrix<double> wider(40, 60);                                 // the same and units that are silent
  Matrix<double> few = random_features(40, 9), copies(40, 45);  // 5 copies of 9 units, each divided by 5^1/2
  for (std::int64_t i = 0; i < 40; ++i) {
    std::ranges::copy(x.row(i), wider.row(i).begin());
    for (std::int64_t k = 0; k < 45; ++k) copies(i, k) = few(i, k % 9) / std::sqrt(5.0);
  }
  const std::vector<std::int32_t> labels = labels_in_turn(40, 4);
  const Split split = random_split(2, 40, 0.7);
  for (const std::int64_t components : {5, 100}) {
    for (const double c : {0.01, 5e4}) {
      const ImageMargins rows =
          make_margin_model(kStream, Source<double>(x))->fit(split.train, labels, 4, components, c);
      const ImageMargins products =
          make_margin_model(kStream, Source<double>(wider))->fit(split.train, labels, 4, components, c);
      EXPECT_EQ(rows.not_converged + products.not_converged, 0);
      expect_close(products.margins, rows.margins.values(), 1e-8);
      const ImageMargins of_few =
          make_margin_model(kStream, Source<double>(few))->fit(split.train, labels, 4, components, c);
      const ImageMargins of_copies =
          make_margin_model(kStream, Source<double>(copies))->fit(split.train, labels, 4, components, c);
      EXPECT_EQ(of_few.not_converged + of_copies.not_converged, 0);
      expect_close(of_copies.margins, of_few.margins.values(), 1e-8);
    }
  }
}

TEST(ImageMargins, SilentUnitsAndEqualImagesAreFitted) {
  Matrix<double> x(12, 20);  // all zero but for the class
  const std::vector<std::int32_t> labels = labels_in_turn(12, 3);
  for (std::int64_t i = 0; i < 12; ++i) x(i, i % 3) = 1.0;
  const Split split = random_split(0, 12, 0.75);
  for (const std::int64_t components : {1, 2, 1000}) {
    const ImageMargins fitted =
        make_margin_model(kStream, Source<double>(x))->fit(split.train, labels, 3, components, 5e4);
    EXPECT_EQ(fitted.not_converged, 0);
    for (const double margin : fitted.margins.values()) EXPECT_TRUE(std::isfinite(margin));
  }
}

TEST(ImageMargins, AClassWithoutTrainingImagesIsAnError) {
  const auto model = make_margin_model(kStream, Source<double>(random_features(6, 9)));
  const std::vector<std::int64_t> train{0, 2, 4};
  EXPECT_THROW(model->fit(train, std::vector<std::int32_t>{0, 1, 0, 1, 0, 1}, 2, 10, 1.0), InputError);
}

}  // namespace
}  // namespace chiasm
