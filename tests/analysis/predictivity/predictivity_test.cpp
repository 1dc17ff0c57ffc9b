// SPDX-License-Identifier: Apache-2.0
#include "analysis/predictivity/predictivity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/predictivity/noise_correction.h"
#include "kernels/error.h"
#include "kernels/random/random_stream.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(NoiseCorrection, GivesTheValuesOfTheSpec) {
  EXPECT_NEAR(published_correction({.42, .7, .5}), .5668333088, 5e-11);  // ten decimals are given
  EXPECT_NEAR(plain_correction({.42, .7, .5}), .7099295740, 5e-11);
  EXPECT_NEAR(published_correction({.42, 1.0, .5}), .5143928460, 5e-11);
  EXPECT_TRUE(std::isnan(published_correction({.42, -.2, .5})));
  EXPECT_TRUE(std::isnan(plain_correction({.42, 0.0, .5})));
  EXPECT_TRUE(std::isnan(published_correction({.42, kNaN, .5})));
}

// Predicts unit k by source unit k: a map with nothing to fit, for which theory says what the correction does.
template <class T>
class Identity final : public MapMethod<T> {
 public:
  std::unique_ptr<PreparedMap<T>> prepare(const CpuStream& stream, const Source<T>& source,
                                          const Split& split) const override {
    struct Prepared final : PreparedMap<T> {
      Matrix<T> test;
      Matrix<T> predict(const CpuStream&, MatrixView<T> y, MapReport*) const override {
        EXPECT_EQ(y.columns, test.columns());
        return test;
      }
    };
    auto prepared = std::make_unique<Prepared>();
    prepared->test = take_rows<T>(source.values(stream), split.test);
    return prepared;
  }
};

// Two animals of `units` units whose true responses correlate with `q`, and whose means over half of the `repeats`
// have the reliability `rho`.
struct TwoAnimals {
  Tensor a, b;
};
TwoAnimals two_animals(std::int64_t units, std::int64_t stimuli, std::int64_t repeats, double q, double rho) {
  const double noise = std::sqrt(static_cast<double>(repeats) / 2 * (1 - rho) / rho);
  const Spec spec{DType::kFloat32, {units, stimuli, repeats}};
  TwoAnimals animals{Tensor(spec), Tensor(spec)};
  const RandomStream truth({.seed = 1, .purpose = RandomPurpose::kNoise});
  const RandomStream noise_a({.seed = 2, .purpose = RandomPurpose::kNoise});
  const RandomStream noise_b({.seed = 3, .purpose = RandomPurpose::kNoise});
  for (std::int64_t i = 0; i < units * stimuli; ++i) {
    const double x = truth.normal(static_cast<std::uint64_t>(2 * i));
    const double y = q * x + std::sqrt(1 - q * q) * truth.normal(static_cast<std::uint64_t>(2 * i + 1));
    for (std::int64_t k = i * repeats; k < (i + 1) * repeats; ++k) {
      const auto at = static_cast<std::uint64_t>(k);
      animals.a.values<float>()[at] = static_cast<float>(x + noise * noise_a.normal(at));
      animals.b.values<float>()[at] = static_cast<float>(y + noise * noise_b.normal(at));
    }
  }
  return animals;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

// Acceptance test 1 of spec section 13, at three of its reliabilities.
TEST(Predictivity, CorrectionsRecoverAKnownTruthWithinTheirStatedBias) {
  constexpr double q = 0.8;
  const Identity<double> method;
  for (const double rho : {0.961, 0.734, 0.339}) {
    const TwoAnimals animals = two_animals(6, 4000, 20, q, rho);
    const Trials a("a", animals.a), b("b", animals.b);
    PredictivityConfig config{.splits = {random_split(0, 4000, 0.001)}, .bootstraps = 10, .seed = 4};
    const auto source = animal_source<double>(method, {&a}, config.splits, {.seed = 4});
    const Predictivity result = predictivity(CpuStream(2), *source, b, config);
    const UnitScores& scores = result.averaged;
    EXPECT_NEAR(mean_of(scores.plain), q, 0.02) << rho;
    EXPECT_NEAR(mean_of(scores.published), q * (1 + rho) / 2, 0.02) << rho;
    EXPECT_NEAR(mean_of(scores.internal), rho, 0.02);
    EXPECT_NEAR(mean_of(scores.mapping), rho, 0.02);
    const double full = 2 * rho / (1 + rho);  // reliability of all trials
    EXPECT_NEAR(mean_of(scores.raw), q * full, 0.02);
    EXPECT_EQ(result.undefined, 0);
  }
}

// Acceptance test 2.
TEST(Predictivity, OfANoiselessCopyIsOneInBothForms) {
  Tensor copy(Spec{DType::kFloat64, {3, 40, 4}});
  for (std::size_t i = 0; i < 480; ++i) copy.values<double>()[i] = std::sin(static_cast<double>(i / 4));
  const Trials a("a", copy), b("b", copy);
  const Identity<double> method;
  PredictivityConfig config{.splits = {random_split(0, 40, 0.5), random_split(1, 40, 0.5)}, .bootstraps = 3};
  const auto source = animal_source<double>(method, {&a}, config.splits, {});
  const Predictivity result = predictivity(CpuStream(1), *source, b, config);
  for (const auto* scores : {&result.averaged.published, &result.averaged.plain, &result.averaged.raw}) {
    for (const double score : *scores) EXPECT_NEAR(score, 1.0, 1e-12);
  }
}

// A unit without variance and one without trials for a stimulus are NaN and counted; the others are untouched.
TEST(Predictivity, CountsWhatIsNotDefined) {
  const TwoAnimals animals = two_animals(4, 60, 6, 0.8, 0.9);
  Tensor broken = animals.b.clone();
  for (std::int64_t i = 0; i < 60 * 6; ++i) broken.values<float>()[60 * 6 + i] = 2.0F;
  for (std::int64_t k = 0; k < 6; ++k) broken.values<float>()[2 * 60 * 6 + 5 * 6 + k] = static_cast<float>(kNaN);
  const Identity<float> method;
  const std::vector<Split> splits{random_split(0, 60, 0.5), random_split(1, 60, 0.5)};
  PredictivityConfig config{.splits = splits, .bootstraps = 5};
  Matrix<float> features(60, 4);
  const Trials whole("b", animals.b, Halving::kPerStimulus), target("b", broken);
  const Matrix<double> means = whole.means();
  for (std::int64_t i = 0; i < 60; ++i) {
    for (std::int64_t k = 0; k < 4; ++k) features(i, k) = static_cast<float>(means(i, k));
  }

  class FirstUnits final : public MapMethod<float> {  // as many source units as the target has
   public:
    std::unique_ptr<PreparedMap<float>> prepare(const CpuStream& stream, const Source<float>& source,
                                                const Split& split) const override {
      struct Prepared final : PreparedMap<float> {
        Matrix<float> test;
        Matrix<float> predict(const CpuStream&, MatrixView<float> y, MapReport*) const override {
          for (std::int64_t i = 0; i < y.rows; ++i) {
            for (std::int64_t k = 0; k < y.columns; ++k) EXPECT_TRUE(std::isfinite(y(i, k)));
          }
          Matrix<float> out(test.rows(), y.columns);
          for (std::int64_t i = 0; i < out.rows(); ++i) {
            for (std::int64_t k = 0; k < out.columns(); ++k) out(i, k) = test(i, k);
          }
          return out;
        }
      };
      auto prepared = std::make_unique<Prepared>();
      prepared->test = take_rows<float>(source.values(stream), split.test);
      return prepared;
    }
  };
  const auto source = model_source<float>(CpuStream(1), FirstUnits(), Source<float>(std::move(features)), splits);
  const Predictivity clean = predictivity(CpuStream(1), *source, whole, config);
  const Predictivity found = predictivity(CpuStream(1), *source, target, config);
  EXPECT_EQ(clean.undefined, 0);
  EXPECT_EQ(found.undefined, 2 * 2 * 5);  // units, splits, bootstraps
  EXPECT_EQ(found.averaged.published[0], clean.averaged.published[0]);
  for (const auto* scores : {&found.averaged.published, &found.averaged.raw}) {
    EXPECT_TRUE(std::isnan((*scores)[1]));
    EXPECT_TRUE(std::isnan((*scores)[2]));
    EXPECT_FALSE(std::isnan((*scores)[3]));
  }
}

TEST(Predictivity, DoesNotDependOnTheThreads) {
  const TwoAnimals animals = two_animals(5, 50, 8, 0.6, 0.7);
  const Trials a("a", animals.a), b("b", animals.b);
  const Identity<double> method;
  PredictivityConfig config{.splits = {random_split(0, 50, 0.5), random_split(1, 50, 0.5)}, .bootstraps = 21};
  const auto source = animal_source<double>(method, {&a}, config.splits, {});
  const Predictivity one = predictivity(CpuStream(1), *source, b, config);
  const Predictivity two = predictivity(CpuStream(2), *source, b, config);
  EXPECT_EQ(one.averaged.published, two.averaged.published);
  EXPECT_EQ(one.averaged.raw, two.averaged.raw);
}

// Three bins stacked: each is scored by itself, and their means too.
TEST(Predictivity, ScoresEachBinAndTheirMean) {
  Tensor responses(Spec{DType::kFloat64, {2, 40, 4, 3}});
  for (std::size_t i = 0; i < 960; ++i) responses.values<double>()[i] = std::sin(static_cast<double>(i * i % 977));
  const Trials a("a", responses);
  const Identity<double> method;
  PredictivityConfig config{.splits = {random_split(0, 40, 0.5)}, .bootstraps = 4, .seed = 2};
  const auto source = animal_source<double>(method, {&a}, config.splits, {.seed = 2});
  const Predictivity all = predictivity(CpuStream(1), *source, a, config);
  ASSERT_EQ(all.bins.size(), 3);
  for (std::int64_t bin = 0; bin < 3; ++bin) {
    const Trials only = a.bins_averaged(bin, 1);
    const auto of_bin = animal_source<double>(method, {&only}, config.splits, {.seed = 2});
    EXPECT_EQ(predictivity(CpuStream(1), *of_bin, only, config).averaged.internal,
              all.bins[static_cast<std::size_t>(bin)].internal);
  }
  const Trials mean = a.bins_averaged(0, 3);
  const auto of_mean = animal_source<double>(method, {&mean}, config.splits, {.seed = 2});
  const Predictivity averaged = predictivity(CpuStream(1), *of_mean, mean, config);
  for (std::size_t u = 0; u < 2; ++u) {
    EXPECT_NEAR(averaged.averaged.internal[u], all.averaged.internal[u], 1e-12);
  }
}

TEST(Predictivity, OfPooledAnimalsUsesAllOfTheirUnits) {
  const TwoAnimals animals = two_animals(4, 30, 4, 0.6, 0.7);
  const Trials a("a", animals.a), b("b", animals.b);
  struct Counting final : MapMethod<double> {
    mutable std::vector<std::int64_t> units;
    std::unique_ptr<PreparedMap<double>> prepare(const CpuStream&, const Source<double>& source,
                                                 const Split&) const override {
      units.push_back(source.units());
      return nullptr;
    }
  };
  const Counting method;
  const std::vector<Split> splits{random_split(0, 30, 0.5)};
  animal_source<double>(method, {&a, &b}, splits, {})->halves(CpuStream(1), 0);
  animal_source<double>(method, {&a, &b}, splits, {.subsample = 3})->means(CpuStream(1));
  EXPECT_EQ(method.units, (std::vector<std::int64_t>{8, 8, 3}));
  const TwoAnimals other = two_animals(4, 31, 4, 0.6, 0.7);
  const Trials c("c", other.a);
  EXPECT_THROW(animal_source<double>(method, {&a, &c}, splits, {}), InputError);
  EXPECT_THROW(animal_source<double>(method, {}, splits, {}), InputError);
}

TEST(Predictivity, StopsWhenAskedTo) {
  const TwoAnimals animals = two_animals(2, 30, 4, 0.6, 0.7);
  const Trials a("a", animals.a), one_repeat("b", Tensor(Spec{DType::kFloat32, {2, 30, 1}}));
  const Identity<double> method;
  PredictivityConfig config{.splits = {random_split(0, 30, 0.5)}, .bootstraps = 40};
  std::int64_t calls = 0;
  config.progress = [&](std::int64_t done, std::int64_t total) {
    EXPECT_EQ(total, 81);
    EXPECT_LE(done, total);
    return ++calls < 2;
  };
  const auto source = animal_source<double>(method, {&a}, config.splits, {});
  EXPECT_FALSE(predictivity(CpuStream(1), *source, a, config).complete);
  EXPECT_EQ(calls, 2);
  EXPECT_THROW(predictivity(CpuStream(1), *source, one_repeat, config), InputError);
}

}  // namespace
}  // namespace chiasm
