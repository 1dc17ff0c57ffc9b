// SPDX-License-Identifier: Apache-2.0
#include "kernels/random/noise.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "kernels/random/normal.h"
#include "kernels/random/random_stream.h"
#include "tests/support/op_checks.h"
#include "tests/support/run.h"

namespace chiasm::test {
namespace {

constexpr double kRoot3 = 1.7320508075688772;

std::vector<OpCase> rows(const std::string& name, const Shape& shape, Noise::Distribution distribution, DType dtype) {
  const Noise op{.shape = shape, .dtype = dtype, .distribution = distribution, .deviation = 0.5, .seed = 7, .op = 2};
  return {OpCase{.name = "noise_" + name,
                 .op = make_op(op),
                 .inputs = {{Shape{}, indices(100000)}},
                 .may_be_vacuous = shape.elements() == 1}};
}
CHIASM_OP_CASES(NoiseImage, rows("image", {2, 3, 5, 7}, Noise::kNormal, DType::kFloat32));
CHIASM_OP_CASES(NoiseReference, rows("reference", {37}, Noise::kNormal, DType::kFloat64));
CHIASM_OP_CASES(NoiseUniform, rows("uniform", {3, 300}, Noise::kUniform, DType::kFloat32));
CHIASM_OP_CASES(NoiseUniformReference, rows("uniform_reference", {5, 3}, Noise::kUniform, DType::kFloat64));
CHIASM_OP_CASES(NoiseScalar, rows("scalar", {}, Noise::kNormal, DType::kFloat32));

template <class T>
std::vector<T> numbers(Noise op, std::int64_t count, std::int32_t draw, int threads = 1) {
  op.shape = {count};
  op.dtype = std::is_same_v<T, float> ? DType::kFloat32 : DType::kFloat64;
  return list<T>(apply(*make_op(op), {tensor<std::int32_t>({}, {draw})}, threads));
}

// The distance in units of the last place of a float of that size.
double ulps(double actual, double expected) {
  if (actual == expected) return 0.0;
  return std::fabs(actual - expected) / std::ldexp(1.0, std::max(std::ilogb(expected), -126) - 23);
}

// A count that is a multiple of neither chunk.
constexpr std::int64_t kOdd = 70001;

TEST(Noise, Float64FollowsItsAddress) {
  const Noise normal{.deviation = 0.3, .seed = 0x123456789abcdefull, .op = 5};
  const RandomStream random({.seed = 0x123456789abcdefull, .purpose = RandomPurpose::kNoise, .epoch = 12, .op = 5});
  const std::vector<double> z = numbers<double>(normal, 1001, 12);
  Noise uniform = normal;
  uniform.distribution = Noise::kUniform;
  const std::vector<double> u = numbers<double>(uniform, 1001, 12);
  for (std::size_t e = 0; e < z.size(); ++e) {
    ASSERT_EQ(z[e], 0.3 * random.normal(e)) << e;
    // 2 u - 1 + 2^-24 is exact in double; the scale is rounded twice.
    const double expected = 0.3 * kRoot3 * (2.0 * static_cast<double>(random.uniform(e)) - 1.0 + 0x1p-24);
    ASSERT_NEAR(u[e], expected, 1e-15) << e;
  }
}

TEST(Noise, Float32IsTheReferenceRounded) {
  for (Noise::Distribution distribution : {Noise::kNormal, Noise::kUniform}) {
    const Noise op{.distribution = distribution, .deviation = 0.6905, .seed = 3, .op = 1};
    double worst = 0.0;
    for (std::int32_t draw = 0; draw < 20; ++draw) {
      const std::vector<float> y = numbers<float>(op, kOdd, draw);
      const std::vector<double> expected = numbers<double>(op, kOdd, draw);
      for (std::size_t e = 0; e < y.size(); ++e) {
        ASSERT_TRUE(std::isfinite(y[e]));
        worst = std::max(worst, ulps(static_cast<double>(y[e]), expected[e]));
      }
    }
    EXPECT_LE(worst, 8.0);  // noise.h
  }
}

// Words that chance never shows: both ends of the radius, and the angles at and around every multiple of an eighth.
TEST(Noise, PairsOfExtremeWords) {
  double worst = 0.0;
  for (std::uint32_t word0 : {0u, 1u, 255u, 256u, 0x7fffffffu, 0x80000000u, 0xffffff00u, 0xfffffffeu, 0xffffffffu}) {
    for (std::uint32_t word1 : {0u, 0x800u, 0x80000000u, 0xffffffffu}) {
      for (std::uint32_t eighth = 0; eighth < 8; ++eighth) {
        for (std::uint32_t offset : {0u, 1u, 0xffffffffu, 1000u}) {
          for (std::uint32_t word3 : {0u, 0x800u, 0xffffffffu}) {
            const std::uint32_t word2 = (eighth << 29) + offset;
            const NormalPairFloat pair = normal_pair(word0, word1, word2, word3);
            const auto k = [](std::uint32_t high, std::uint32_t low) { return std::uint64_t{high} << 21 | low >> 11; };
            const double radius = std::sqrt(-2.0 * std::log1p(-static_cast<double>(k(word0, word1)) * 0x1p-53));
            // Turns from the nearest quarter, which sin and cos of the C++ library do not lose digits for.
            const std::uint32_t quarter = (eighth * 2 + 2) / 4 % 4;
            std::int64_t left = static_cast<std::int64_t>(k(word2, word3)) - (std::int64_t{quarter} << 51);
            if (left > std::int64_t{1} << 52) left -= std::int64_t{1} << 53;
            // One below an odd eighth is measured from the quarter after it too: the same angle, exactly.
            const double x = 6.283185307179586476925 * static_cast<double>(left) * 0x1p-53;
            const double turned[4][2] = {{std::cos(x), std::sin(x)},
                                         {-std::sin(x), std::cos(x)},
                                         {-std::cos(x), -std::sin(x)},
                                         {std::sin(x), -std::cos(x)}};
            for (int i = 0; i < 2; ++i) {
              const auto value = static_cast<double>(pair.value[i]);
              ASSERT_TRUE(std::isfinite(value));
              worst = std::max(worst, ulps(value, radius * turned[quarter][i]));
            }
          }
        }
      }
    }
  }
  EXPECT_LE(worst, 6.0);  // normal.h
}

// Of N numbers, each moment within 5 of its standard errors, and no correlation with the next number or the next draw.
void expect_moments(const Noise& op, double fourth) {
  constexpr std::int64_t kCount = 1 << 20;
  const std::vector<float> y = numbers<float>(op, kCount, 4), next = numbers<float>(op, kCount, 5);
  double sum = 0.0, squares = 0.0, cubes = 0.0, fourths = 0.0, lagged = 0.0, across = 0.0;
  for (std::size_t e = 0; e < y.size(); ++e) {
    const double x = static_cast<double>(y[e]) / op.deviation;
    sum += x;
    squares += x * x;
    cubes += x * x * x;
    fourths += x * x * x * x;
    lagged += x * static_cast<double>(y[(e + 1) % y.size()]) / op.deviation;
    across += x * static_cast<double>(next[e]) / op.deviation;
  }
  const auto n = static_cast<double>(kCount);
  // The 6th and 8th moments: 15 and 105 of the normal, 27/7 and 9 of the uniform distribution of unit variance.
  const double sixth = op.distribution == Noise::kNormal ? 15.0 : 27.0 / 7.0;
  const double eighth = op.distribution == Noise::kNormal ? 105.0 : 9.0;
  EXPECT_NEAR(sum / n, 0.0, 5.0 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1.0, 5.0 * std::sqrt((fourth - 1.0) / n));
  EXPECT_NEAR(cubes / n, 0.0, 5.0 * std::sqrt(sixth / n));
  EXPECT_NEAR(fourths / n, fourth, 5.0 * std::sqrt((eighth - fourth * fourth) / n));
  EXPECT_NEAR(lagged / n, 0.0, 5.0 / std::sqrt(n));
  EXPECT_NEAR(across / n, 0.0, 5.0 / std::sqrt(n));
}

TEST(Noise, HasTheMomentsOfItsDistribution) {
  expect_moments({.distribution = Noise::kNormal, .deviation = 0.6905, .seed = 11}, 3.0);
  expect_moments({.distribution = Noise::kUniform, .deviation = 0.05 / kRoot3, .seed = 11}, 1.8);
}

TEST(Noise, TailsOfTheNormal) {
  std::int64_t beyond = 0;
  for (float z : numbers<float>({.seed = 2}, 1 << 20, 0)) beyond += std::fabs(z) > 3.0f;
  const double expected = std::erfc(3.0 / std::sqrt(2.0)) * (1 << 20);
  EXPECT_NEAR(static_cast<double>(beyond), expected, 5.0 * std::sqrt(expected));
}

TEST(Noise, UniformFillsItsInterval) {
  const std::vector<float> y =
      numbers<float>({.distribution = Noise::kUniform, .deviation = 0.05 / kRoot3}, 1 << 20, 0);
  const auto [low, high] = std::minmax_element(y.begin(), y.end());
  EXPECT_GE(*low, -0.05f);
  EXPECT_LE(*high, 0.05f);
  // P(no number in the outermost 1e-4 of the interval) = (1 - 0.5e-4)^2^20 < 1e-22 at either end.
  EXPECT_LT(*low, -0.05f * (1.0f - 1e-4f));
  EXPECT_GT(*high, 0.05f * (1.0f - 1e-4f));
  EXPECT_EQ(std::count(y.begin(), y.end(), 0.0f), 0);
}

TEST(Noise, DoesNotDependOnThreadsOrShape) {
  for (Noise::Distribution distribution : {Noise::kNormal, Noise::kUniform}) {
    const Noise op{.distribution = distribution, .seed = 9};
    const std::vector<float> one = numbers<float>(op, kOdd, 3);
    EXPECT_EQ(numbers<float>(op, kOdd, 3, 2), one);
    EXPECT_EQ(numbers<float>(op, kOdd, 3, 5), one);
    const std::vector<float> part = numbers<float>(op, 1003, 3);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), one.begin()));
  }
}

TEST(Noise, DrawSeedAndOpChangeEveryNumber) {
  const Noise base{.seed = 42, .op = 3};
  const std::vector<float> y = numbers<float>(base, 1000, 1);
  EXPECT_EQ(numbers<float>(base, 1000, 1), y);
  Noise seed = base, op = base;
  seed.seed = 43;
  op.op = 4;
  for (const std::vector<float>& other :
       {numbers<float>(base, 1000, 2), numbers<float>(seed, 1000, 1), numbers<float>(op, 1000, 1)}) {
    int same = 0;
    for (std::size_t e = 0; e < y.size(); ++e) same += other[e] == y[e];
    EXPECT_LE(same, 1);  // two floats coincide with a probability of about 1e-7
  }
}

TEST(Noise, DeviationOnlyScales) {
  const std::vector<double> unit = numbers<double>({.deviation = 1.0}, 100, 0);
  const std::vector<double> twice = numbers<double>({.deviation = 2.0}, 100, 0);
  for (std::size_t e = 0; e < unit.size(); ++e) EXPECT_EQ(twice[e], 2.0 * unit[e]);
  for (float z : numbers<float>({.deviation = 0.0}, 300, 0)) EXPECT_EQ(z, 0.0f);
}

TEST(Noise, RejectsWhatItCannotMake) {
  EXPECT_THROW(numbers<float>({.deviation = -0.1}, 4, 0), InputError);
  EXPECT_THROW(numbers<float>({.deviation = std::nan("")}, 4, 0), InputError);
  EXPECT_THROW(numbers<float>({.deviation = HUGE_VAL}, 4, 0), InputError);
  const auto infer = [](Noise op, const Spec& draw) { return make_op(op)->infer(std::vector<Spec>{draw}); };
  EXPECT_THROW(infer({.shape = {3}, .dtype = DType::kInt32}, {DType::kInt32, {}}), ShapeError);
  EXPECT_THROW(infer({.shape = {3}}, {DType::kInt32, {1}}), ShapeError);
  EXPECT_THROW(infer({.shape = {3}}, {DType::kFloat32, {}}), ShapeError);
  EXPECT_TRUE(numbers<float>({}, 0, 0).empty());
}

}  // namespace
}  // namespace chiasm::test
