// SPDX-License-Identifier: Apache-2.0
#include "kernels/random/dropout.h"

#include <cmath>

#include "kernels/random/random_stream.h"
#include "tests/support/compare.h"
#include "tests/support/op_checks.h"
#include "tests/support/run.h"

namespace chiasm::test {
namespace {

constexpr Dropout kHalf{.rate = 0.5, .seed = 42, .op = 3};

std::vector<OpCase> rows(const std::string& name, const Shape& x, double rate) {
  return {OpCase{.name = "dropout_" + name,
                 .op = make_op(Dropout{.rate = rate, .seed = 7, .op = 1}),
                 .inputs = {{x, uniform(0.5, 1.0)}, {{1}, indices(90)}, {{x[0]}, indices(50000)}},
                 .skip_difference = x.elements() > 1000 ? std::vector<int>{0} : std::vector<int>{},
                 .may_be_vacuous = x.elements() == 1}};
}
CHIASM_OP_CASES(DropoutImage, rows("image", {2, 3, 5, 7}, 0.3));
CHIASM_OP_CASES(DropoutVector, rows("vector", {37}, 0.5));
CHIASM_OP_CASES(DropoutKeepsAll, rows("nothing", {3, 5}, 0.0));
CHIASM_OP_CASES(DropoutLarge, rows("large", {5, 70, 123}, 0.25));
CHIASM_OP_CASES(DropoutOne, rows("one", {1, 1}, 0.1));

template <class T>
std::vector<T> dropped(const Dropout& op, std::int32_t epoch, const std::vector<std::int32_t>& samples,
                       std::int64_t row, int threads = 1) {
  const auto batch = static_cast<std::int64_t>(samples.size());
  const Tensor x = tensor<T>({batch, row}, std::vector<T>(static_cast<std::size_t>(batch * row), T(1)));
  return list<T>(
      apply(*make_op(op), {x, tensor<std::int32_t>({1}, {epoch}), tensor<std::int32_t>({batch}, samples)}, threads));
}

// Every element against the definition, one by one; 1000 is not a multiple of the vector or chunk length.
TEST(Dropout, FollowsItsAddress) {
  const Dropout op{.rate = 0.3, .seed = 0x123456789abcdefull, .op = 5};
  const std::vector<float> y = dropped<float>(op, 12, {40, 7}, 1000);
  for (std::size_t n = 0; n < 2; ++n) {
    const RandomStream random({.seed = 0x123456789abcdefull,
                               .purpose = RandomPurpose::kDropout,
                               .epoch = 12,
                               .sample = n == 0 ? 40u : 7u,
                               .op = 5});
    for (std::size_t e = 0; e < 1000; ++e) {
      ASSERT_EQ(y[n * 1000 + e], random.uniform(e) < 0.3 ? 0.0f : static_cast<float>(1.0 / 0.7)) << n << " " << e;
    }
  }
}

TEST(Dropout, MaskOfARowDoesNotDependOnItsBatch) {
  const std::vector<float> alone = dropped<float>(kHalf, 1, {9}, 4099);
  const std::vector<float> batch = dropped<float>(kHalf, 1, {3, 9, 9, 1}, 4099, 3);
  EXPECT_TRUE(std::equal(alone.begin(), alone.end(), batch.begin() + 4099));
  EXPECT_TRUE(std::equal(alone.begin(), alone.end(), batch.begin() + 2 * 4099));
  EXPECT_FALSE(std::equal(alone.begin(), alone.end(), batch.begin()));
}

TEST(Dropout, TypesShareTheMask) {
  const std::vector<float> a = dropped<float>(kHalf, 1, {5, 6}, 777);
  const std::vector<double> b = dropped<double>(kHalf, 1, {5, 6}, 777);
  EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin()));  // 0 and 2 in both
}

TEST(Dropout, EpochSeedAndOpChangeTheMask) {
  const std::vector<float> base = dropped<float>(kHalf, 1, {5}, 128);
  EXPECT_NE(dropped<float>(kHalf, 2, {5}, 128), base);
  EXPECT_NE(dropped<float>({.rate = 0.5, .seed = 43, .op = 3}, 1, {5}, 128), base);
  EXPECT_NE(dropped<float>({.rate = 0.5, .seed = 42, .op = 4}, 1, {5}, 128), base);
}

TEST(Dropout, KeepsTheMean) {
  constexpr std::int64_t kCount = 400000;
  double sum = 0.0;
  for (float value : dropped<float>({.rate = 0.2, .seed = 1, .op = 0}, 0, {0, 1, 2, 3}, kCount / 4)) sum += value;
  // The standard error of the mean: a value is 1 / 0.8 with probability 0.8.
  EXPECT_NEAR(sum / kCount, 1.0, 5.0 * std::sqrt(0.25 / kCount));
}

TEST(Dropout, RejectsWhatIsNotARate) {
  EXPECT_THROW(dropped<float>({.rate = 1.0}, 0, {0}, 4), InputError);
  EXPECT_THROW(dropped<float>({.rate = -0.1}, 0, {0}, 4), InputError);
  EXPECT_THROW(dropped<float>({.rate = std::nan("")}, 0, {0}, 4), InputError);
  const Tensor x = tensor<float>({2, 1}, {1, 2});
  EXPECT_THROW(apply(*make_op(kHalf), {x, tensor<std::int32_t>({1}, {0}), tensor<std::int32_t>({3}, {0, 1, 2})}),
               ShapeError);
}

}  // namespace
}  // namespace chiasm::test
