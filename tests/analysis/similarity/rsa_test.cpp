// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/rsa.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/reliability/spearman_brown.h"
#include "kernels/error.h"
#include "kernels/random/random_stream.h"

namespace chiasm::test {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Responses [units, stimuli, repeats] = truth + noise. The truth of a unit depends on `truth` alone, noise on both.
Tensor responses(std::uint64_t truth, std::uint64_t seed, std::int64_t units, std::int64_t stimuli,
                 std::int64_t repeats, double noise) {
  Tensor tensor(Spec{DType::kFloat64, {units, stimuli, repeats}});
  const RandomStream signal({.seed = truth}), random({.seed = seed});
  for (std::int64_t i = 0; i < units * stimuli; ++i) {
    for (std::int64_t r = 0; r < repeats; ++r) {
      const std::int64_t at = i * repeats + r;
      tensor.values<double>()[static_cast<std::size_t>(at)] =
          signal.normal(static_cast<std::uint64_t>(i)) + noise * random.normal(static_cast<std::uint64_t>(at));
    }
  }
  return tensor;
}

Rdm true_rdm(std::uint64_t truth, std::int64_t units, std::int64_t stimuli) {
  const Trials trials("truth", responses(truth, 0, units, stimuli, 1, 0.0));
  return dissimilarity<double>(CpuStream(1), trials.means(), Dissimilarity::kCorrelation);
}

// Equations 3.9 and 3.10, written out for each bootstrap.
TEST(Rsa, IsTheMeanOverBootstrapsOfTheRatio) {
  const Trials a("a", responses(1, 2, 9, 12, 6, 1.0)), b("b", responses(1, 3, 7, 12, 5, 1.5));
  const RsaConfig config{.bootstraps = 4, .seed = 11};
  const CpuStream stream(1);
  const auto rdm = [&](const Matrix<double>& x) {
    return dissimilarity<double>(stream, x, Dissimilarity::kCorrelation);
  };
  const auto r = [](const Rdm& x, const Rdm& y) { return compare(x, y, RdmComparison::kPearson).value; };
  const Rdm model = true_rdm(1, 9, 12);
  std::vector<double> published, plain, model_published, model_plain;
  for (std::uint32_t draw = 0; draw < 4; ++draw) {
    const TrialHalves x = a.halves(11, draw), y = b.halves(11, draw);
    const double across = r(rdm(x.first), rdm(y.second)), within_a = r(rdm(x.first), rdm(x.second)),
                 within_b = r(rdm(y.first), rdm(y.second));
    published.push_back(across / std::sqrt(spearman_brown(within_a) * spearman_brown(within_b)));
    plain.push_back(across / std::sqrt(within_a * within_b));
    const double to_model = r(model, rdm(y.second));
    model_published.push_back(to_model / std::sqrt(spearman_brown(within_b)));
    model_plain.push_back(to_model / std::sqrt(within_b));
  }
  const RsaScore score = animal_rsa(stream, {&a}, {&b}, config);
  EXPECT_DOUBLE_EQ(score.published.mean, summarise(published).mean);
  EXPECT_DOUBLE_EQ(score.plain.mean, summarise(plain).mean);
  EXPECT_EQ(score.published.count, 4);
  EXPECT_EQ(score.raw.value, r(rdm(a.means()), rdm(b.means())));
  const ModelRsa scores = model_rsa(stream, std::vector{model}, {&b}, config);
  EXPECT_DOUBLE_EQ(scores.layers[0].published.mean, summarise(model_published).mean);
  EXPECT_DOUBLE_EQ(scores.layers[0].plain.mean, summarise(model_plain).mean);
  EXPECT_EQ(scores.layers[0].source_internal.mean, 1.0);
  EXPECT_EQ(scores.best, 0);
}

// Acceptance test 2 of section 13, for similarity: noiseless copies score 1 in both forms.
TEST(Rsa, OfNoiselessCopiesIsOne) {
  const Trials a("a", responses(5, 6, 8, 10, 4, 0.0)), b("b", responses(5, 7, 8, 10, 4, 0.0));
  const RsaScore score = animal_rsa(CpuStream(1), {&a}, {&b}, {.bootstraps = 3});
  EXPECT_NEAR(score.published.mean, 1.0, 1e-14);
  EXPECT_NEAR(score.plain.mean, 1.0, 1e-14);
}

// Two animals with the same representation and much noise. By spec section 2 the form without Spearman-Brown gives 1,
// the published one (1 + rho) / 2 with rho the similarity of halves.
TEST(Rsa, CorrectsForNoise) {
  const Trials a("a", responses(8, 9, 50, 80, 20, 3.0)), b("b", responses(8, 10, 50, 80, 20, 3.0));
  const RsaScore score = animal_rsa(CpuStream(2), {&a}, {&b}, {.bootstraps = 20});
  const double rho = score.internal.mean;
  EXPECT_GT(rho, 0.2);
  EXPECT_LT(rho, 0.8);
  EXPECT_LT(score.half.mean, 0.8);
  // 3160 distances, of which those that share a stimulus depend on each other.
  EXPECT_NEAR(score.plain.mean, 1.0, 0.08);
  EXPECT_NEAR(score.published.mean, 0.5 * (1.0 + rho) * score.plain.mean, 0.02);
}

TEST(Rsa, PoolsUnitsAndTakesTheMedianOverAnimals) {
  const Trials a("a", responses(1, 2, 9, 14, 6, 1.0)), b("b", responses(2, 3, 7, 14, 6, 0.5)),
      c("c", responses(3, 4, 5, 14, 6, 0.7));
  const std::vector<Rdm> layers{true_rdm(4, 9, 14), true_rdm(1, 9, 14), true_rdm(2, 7, 14)};
  const RsaConfig config{.bootstraps = 10, .seed = 1};
  const CpuStream stream(2);
  const ModelRsaByAnimal by_animal = model_rsa_by_animal(stream, layers, {{&a}, {&b}, {&c}}, config);
  ASSERT_EQ(by_animal.animals.size(), 3u);
  EXPECT_EQ(by_animal.animals[0].best, 1);
  EXPECT_EQ(by_animal.animals[1].best, 2);
  std::vector<double> best;
  for (const ModelRsa& animal : by_animal.animals) {
    const double score = animal.layers[static_cast<std::size_t>(animal.best)].published.mean;
    for (const RsaScore& layer : animal.layers) EXPECT_LE(layer.published.mean, score);
    best.push_back(score);
  }
  EXPECT_EQ(by_animal.published.median, summarise(best).median);
  EXPECT_EQ(by_animal.published.count, 3);
  // All units side by side.
  const ModelRsa pooled = model_rsa(stream, layers, {&a, &b}, config);
  Matrix<double> both(14, 16);
  for (std::int64_t i = 0; i < 14; ++i) {
    std::ranges::copy(b.means().row(i), std::ranges::copy(a.means().row(i), both.row(i).begin()).out);
  }
  EXPECT_EQ(
      pooled.layers[1].raw.value,
      compare(layers[1], dissimilarity<double>(stream, both, Dissimilarity::kCorrelation), RdmComparison::kPearson)
          .value);
  EXPECT_NE(pooled.layers[1].published.mean, by_animal.animals[0].layers[1].published.mean);
}

TEST(Rsa, HasTheSameBitsForAnyNumberOfThreads) {
  const Trials a("a", responses(1, 2, 40, 30, 6, 1.0)), b("b", responses(1, 3, 30, 30, 6, 1.0));
  const auto bits = [&](int threads) {
    const RsaScore score = animal_rsa(CpuStream(threads), {&a}, {&b}, {.bootstraps = 9});
    return std::vector{score.published.mean, score.published.sd, score.plain.median, score.raw.value};
  };
  EXPECT_EQ(bits(1), bits(2));
  EXPECT_EQ(bits(1), bits(5));
}

TEST(Rsa, CountsBootstrapsWithoutAScore) {
  // Nothing but noise: half of the reliabilities are negative.
  const Trials noise("noise", responses(0, 2, 6, 8, 4, 1e6));
  const ModelRsa scores = model_rsa(CpuStream(1), std::vector{true_rdm(1, 9, 8)}, {&noise}, {.bootstraps = 30});
  const RsaScore& score = scores.layers[0];
  EXPECT_GT(score.published.dropped, 0);
  EXPECT_EQ(score.published.count + score.published.dropped, 30);
  EXPECT_EQ(score.half.count, 30);
  EXPECT_EQ(score.internal.count, 30);

  // A stimulus that was never shown is left out of every comparison.
  Tensor missing = responses(1, 2, 6, 8, 4, 0.5);
  for (std::int64_t unit = 0; unit < 6; ++unit) {
    for (std::int64_t r = 0; r < 4; ++r)
      missing.values<double>()[static_cast<std::size_t>((unit * 8 + 3) * 4 + r)] = kNaN;
  }
  const Trials gap("gap", missing);
  const RsaScore with_gap =
      model_rsa(CpuStream(1), std::vector{true_rdm(1, 6, 8)}, {&gap}, {.bootstraps = 3}).layers[0];
  EXPECT_EQ(with_gap.raw.missing, 7);
  EXPECT_EQ(with_gap.raw.pairs, 21);
  EXPECT_EQ(with_gap.published.count, 3);
}

TEST(Rsa, RefusesWhatItCannotCompare) {
  const CpuStream stream(1);
  const Trials one("one", responses(1, 2, 6, 8, 1, 0.5)), two("two", responses(1, 2, 6, 8, 2, 0.5)),
      other("other", responses(1, 2, 6, 9, 2, 0.5));
  const std::vector<Rdm> layers{true_rdm(1, 6, 8)};
  EXPECT_THROW(model_rsa(stream, layers, {&one}, {}), InputError);
  EXPECT_THROW(model_rsa(stream, layers, {&other}, {}), InputError);
  EXPECT_THROW(model_rsa(stream, layers, {}, {}), InputError);
  EXPECT_THROW(model_rsa(stream, layers, {&two, &other}, {}), InputError);
  EXPECT_THROW(animal_rsa(stream, {&two}, {&other}, {}), InputError);
  const Tensor bins(Spec{DType::kFloat64, {6, 8, 2, 3}});
  const Trials timed("timed", bins);
  EXPECT_THROW(model_rsa(stream, layers, {&timed}, {}), InputError);
  // One repeat has a similarity, though no correction.
  const ModelRsa raw = model_rsa(stream, layers, {&one}, {.bootstraps = 0});
  EXPECT_GT(raw.layers[0].raw.value, 0.0);
  EXPECT_TRUE(std::isnan(raw.layers[0].published.mean));
  EXPECT_EQ(raw.best, 0);
}

TEST(Rsa, StopsWhenAsked) {
  const Trials a("a", responses(1, 2, 6, 8, 4, 0.5));
  std::int64_t told = 0;
  RsaConfig config{.bootstraps = 20};
  config.progress = [&](std::int64_t done, std::int64_t total) {
    EXPECT_EQ(total, 20);
    told = done;
    return done < 3;
  };
  const RsaScore score = animal_rsa(CpuStream(1), {&a}, {&a}, config);
  EXPECT_FALSE(score.complete);
  EXPECT_EQ(told, 3);
  EXPECT_EQ(score.published.count, 0);
}

}  // namespace
}  // namespace chiasm::test
