// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/linear_readout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.h"
#include "tests/support/golden.h"

namespace chiasm {
namespace {

using test::Golden;
using testing::HasSubstr;
using testing::ThrowsMessage;

const CpuStream kStream(2);

TEST(LinearReadout, TheGridHas33ValuesAndNo5) {
  const std::vector<double> grid = regulariser_grid();
  ASSERT_EQ(grid.size(), 33u);
  EXPECT_EQ(grid.front(), 1e-8);
  EXPECT_EQ(grid[1], 5e-8);
  EXPECT_EQ(grid[15], 5e-1);
  EXPECT_EQ(grid[16], 1.0);
  EXPECT_EQ(grid[17], 10.0);
  EXPECT_EQ(grid.back(), 5e8);
}

struct Case {
  Source<double> features;
  std::vector<std::int32_t> labels;
  Matrix<double> y;
  std::vector<Split> splits;
  LinearReadoutConfig config;
};
Case golden_case(const Golden& golden, const std::string& name) {
  const auto labels = golden.at(name + "/labels").values<std::int32_t>();
  const auto train = golden.at(name + "/train").values<std::int32_t>();
  const auto grid = golden.at("grid").values<double>();
  Case made{Source<double>(matrix_of<double>(golden.at(name + "/x"))),
            {labels.begin(), labels.end()},
            matrix_of<double>(golden.at(name + "/y")),
            {split_by({train.begin(), train.end()}, std::ssize(labels))},
            {}};
  made.config.grid.assign(grid.begin(), grid.end());
  made.config.components = golden.at(name + "/components").values<std::int32_t>()[0];
  return made;
}

void expect_close(std::span<const double> found, std::span<const double> expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << "at " << i;
}

TEST(LinearReadout, AgreesWithScikitLearn) {
  const Golden golden("linear_readout");
  for (const std::string name : {"plain", "components", "wide"}) {
    SCOPED_TRACE(name);
    const Case data = golden_case(golden, name);
    const int classes = *std::ranges::max_element(data.labels) + 1;
    const LinearReadout svm = classify_readout(kStream, data.features, data.labels, classes, data.splits, data.config);
    expect_close(svm.validation.values(), golden.at(name + "/accuracies").values<double>(), 1e-12);
    EXPECT_EQ(svm.c[0], golden.at(name + "/c").values<double>()[0]);
    EXPECT_NEAR(svm.score, golden.at(name + "/accuracy").values<double>()[0], 1e-12);
    EXPECT_EQ(svm.not_converged, 0);

    const LinearReadout ridge = regress_readout(kStream, data.features, data.y.view(), data.splits, data.config);
    // Components are float32.
    const double tolerance = name == "components" ? 1e-6 : 1e-10;
    expect_close(ridge.validation.values(), golden.at(name + "/r_squared").values<double>(), tolerance);
    EXPECT_NEAR(ridge.c[0], golden.at(name + "/ridge_c").values<double>()[0], 1e-12);
    const auto r = golden.at(name + "/r").values<double>();
    expect_close(ridge.output_scores.values(), r, tolerance);
    EXPECT_NEAR(ridge.score, (r[0] + r[1]) / 2, tolerance);
  }
}

// The choice of the first split is used for all, unless asked for otherwise.
TEST(LinearReadout, ReusesTheChoiceOfTheFirstSplit) {
  Case data = golden_case(Golden("linear_readout"), "plain");
  for (std::uint32_t seed = 0; seed < 3; ++seed) data.splits.push_back(random_split(seed, 75, 0.7));
  const LinearReadout once = regress_readout(kStream, data.features, data.y.view(), data.splits, data.config);
  EXPECT_EQ(once.validation.rows(), 1);
  EXPECT_EQ(once.c, std::vector<double>(4, once.c[0]));
  EXPECT_EQ(once.scores.size(), 4u);
  double mean = 0.0;
  for (const double score : once.scores) mean += score / 4;
  EXPECT_NEAR(once.score, mean, 1e-15);
  data.config.choose_in_each_split = true;
  const LinearReadout each = regress_readout(kStream, data.features, data.y.view(), data.splits, data.config);
  EXPECT_EQ(each.validation.rows(), 4);
  EXPECT_EQ(each.scores[0], once.scores[0]);
}

TEST(LinearReadout, OutputsWithoutVarianceAreLeftOutAndCounted) {
  Case data = golden_case(Golden("linear_readout"), "plain");
  for (std::int64_t i = 0; i < data.y.rows(); ++i) data.y(i, 1) = 4.0;
  const LinearReadout result = regress_readout(kStream, data.features, data.y.view(), data.splits, data.config);
  EXPECT_TRUE(std::isnan(result.output_scores(0, 1)));
  EXPECT_EQ(result.outputs_left_out, 1);
  EXPECT_EQ(result.score, result.output_scores(0, 0));
}

TEST(LinearReadout, TheBitsDoNotDependOnTheThreads) {
  for (const std::string name : {"components", "wide"}) {
    const Case data = golden_case(Golden("linear_readout"), name);
    const int classes = *std::ranges::max_element(data.labels) + 1;
    EXPECT_EQ(classify_readout(CpuStream(1), data.features, data.labels, classes, data.splits, data.config).validation,
              classify_readout(kStream, data.features, data.labels, classes, data.splits, data.config).validation);
    EXPECT_EQ(regress_readout(CpuStream(1), data.features, data.y.view(), data.splits, data.config).validation,
              regress_readout(kStream, data.features, data.y.view(), data.splits, data.config).validation);
  }
}

TEST(LinearReadout, StopsAndSaysWhatItCannotDo) {
  Case data = golden_case(Golden("linear_readout"), "plain");
  std::int64_t told = 0;
  data.config.progress = [&](std::int64_t done, std::int64_t total) {
    told = done;
    return done < total / 2;
  };
  EXPECT_FALSE(classify_readout(kStream, data.features, data.labels, 3, data.splits, data.config).complete);
  EXPECT_EQ(told, 3);  // of 5 folds and 1 split
  data.config.progress = {};
  EXPECT_THROW(classify_readout(kStream, data.features, data.labels, 3, {}, data.config), InputError);
  EXPECT_THROW(classify_readout(kStream, data.features, std::vector<std::int32_t>(5), 3, data.splits), InputError);
  EXPECT_THAT([&] { classify_readout(kStream, data.features, data.labels, 4, data.splits, data.config); },
              ThrowsMessage<InputError>(HasSubstr("class 3 has no image")));
  std::vector<std::int32_t> rare(75);
  rare[0] = rare[1] = rare[2] = 1;
  EXPECT_THAT([&] { classify_readout(kStream, data.features, rare, 2, data.splits, data.config); },
              ThrowsMessage<InputError>(HasSubstr("class 1 has 3 images: 5 stratified folds")));
  data.splits[0].test.push_back(75);
  EXPECT_THAT([&] { regress_readout(kStream, data.features, data.y.view(), data.splits, data.config); },
              ThrowsMessage<InputError>(HasSubstr("image 75 in a split: allowed are 0 to 74")));
}

}  // namespace
}  // namespace chiasm
