// SPDX-License-Identifier: Apache-2.0
#include "analysis/predictivity/consistency.h"

#include <gtest/gtest.h>

#include "kernels/error.h"
#include "tests/support/random_tensor.h"

namespace chiasm {
namespace {

// Predicts every unit by the first unit of the source, and remembers how many there were.
class First final : public MapMethod<double> {
 public:
  mutable std::vector<std::int64_t> units;
  std::unique_ptr<PreparedMap<double>> prepare(const CpuStream& stream, const Source<double>& source,
                                               const Split& split) const override {
    struct Prepared final : PreparedMap<double> {
      Matrix<double> test;
      Matrix<double> predict(const CpuStream&, MatrixView<double> y, MapReport*) const override {
        Matrix<double> out(test.rows(), y.columns);
        for (std::int64_t i = 0; i < out.rows(); ++i) {
          for (std::int64_t k = 0; k < out.columns(); ++k) out(i, k) = test(i, 0);
        }
        return out;
      }
    };
    units.push_back(source.units());
    auto prepared = std::make_unique<Prepared>();
    prepared->test = take_rows<double>(source.values(stream), split.test);
    return prepared;
  }
};

Recording recording(const std::string& animal, const std::string& session, std::vector<std::string> cells,
                    unsigned seed) {
  const auto units = std::ssize(cells);
  return {animal, Trials(session, test::random_tensor(DType::kFloat64, {units, 24, 4}, seed)), std::move(cells)};
}

PredictivityConfig config_of(std::function<bool(std::int64_t, std::int64_t)> progress = {}) {
  return {.splits = {random_split(0, 24, 0.5)}, .bootstraps = 0, .seed = 0, .progress = std::move(progress)};
}

double raw_of(const First& method, const Trials& source, const Trials& target, std::size_t unit) {
  const auto from = animal_source<double>(method, {&source}, config_of().splits, {});
  return predictivity(CpuStream(1), *from, target, config_of()).averaged.raw[unit];
}

// Three maps of animal a share the cells x and y; b and c have one recording each.
TEST(Consistency, AveragesOverSourcesAndThenOverTheMapsOfACell) {
  const First method;
  const std::vector<Recording> all{recording("a", "a1", {"x", "y"}, 1), recording("b", "b1", {"u", "v", "w"}, 2),
                                   recording("a", "a2", {"y"}, 3), recording("c", "c1", {"u"}, 4)};
  const auto results = inter_animal_consistency(
      CpuStream(1), method, all, {.source = ConsistencyConfig::Source::kPairwise, .scores = config_of()});
  ASSERT_EQ(results.size(), 3);
  EXPECT_EQ(results[0].animal, "a");
  EXPECT_EQ(results[0].cells, (std::vector<std::string>{"x", "y"}));
  const auto from = [&](int source, int target, std::size_t unit) {
    return raw_of(method, all[static_cast<std::size_t>(source)].trials, all[static_cast<std::size_t>(target)].trials,
                  unit);
  };
  const std::vector<double>& a = results[0].scores.averaged.raw;
  EXPECT_NEAR(a[0], (from(1, 0, 0) + from(3, 0, 0)) / 2, 1e-15);
  const double in_first = (from(1, 0, 1) + from(3, 0, 1)) / 2, in_second = (from(1, 2, 0) + from(3, 2, 0)) / 2;
  EXPECT_NEAR(a[1], (in_first + in_second) / 2, 1e-15);
  const std::vector<double>& c = results[2].scores.averaged.raw;
  EXPECT_NEAR(c[0], (from(0, 3, 0) + from(1, 3, 0) + from(2, 3, 0)) / 3, 1e-15);
}

TEST(Consistency, PoolsOrSubsamplesItsSources) {
  const std::vector<Recording> all{recording("a", "a", {"1", "2"}, 1), recording("b", "b", {"1", "2", "3"}, 2),
                                   recording("c", "c", {"1", "2", "3", "4"}, 4)};
  First method;
  inter_animal_consistency(CpuStream(1), method, all, {.scores = config_of()});
  EXPECT_EQ(method.units, (std::vector<std::int64_t>{7, 6, 5}));
  method.units.clear();
  inter_animal_consistency(CpuStream(1), method, all,
                           {.source = ConsistencyConfig::Source::kPairwise, .subsample = true, .scores = config_of()});
  EXPECT_EQ(method.units, std::vector<std::int64_t>(6, 2));
}

TEST(Consistency, CountsItsProgressOverAllPairsAndStops) {
  const std::vector<Recording> all{recording("a", "a", {"1"}, 1), recording("b", "b", {"1"}, 2),
                                   recording("c", "c", {"1"}, 4)};
  const First method;
  std::vector<std::int64_t> seen;
  const auto count = [&](std::int64_t done, std::int64_t total) {
    EXPECT_EQ(total, 6);
    seen.push_back(done);
    return done < 4;
  };
  const auto results = inter_animal_consistency(
      CpuStream(1), method, all, {.source = ConsistencyConfig::Source::kPairwise, .scores = config_of(count)});
  EXPECT_EQ(seen, (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_FALSE(results.back().scores.complete);
  EXPECT_THROW(inter_animal_consistency(CpuStream(1), method, {all[0]}, {.scores = config_of()}), InputError);
}

}  // namespace
}  // namespace chiasm
