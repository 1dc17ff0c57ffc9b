// SPDX-License-Identifier: Apache-2.0
#include "tools/machine/product_rates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using enum IsaLevel;

TEST(SlowProductNote, SaysNothingOfGoodRates) {
  EXPECT_EQ(slow_product_note(0.5, kAvx2, kAvx512), "");
  EXPECT_EQ(slow_product_note(0.9, kAvx512, kAvx512), "");
}

TEST(SlowProductNote, BlamesKernelsOnlyWhereTheyAreNarrow) {
  EXPECT_THAT(slow_product_note(0.3, kAvx512, kAvx512), AllOf(HasSubstr("busy"), Not(HasSubstr("do not use"))));
  EXPECT_THAT(slow_product_note(0.2, kBaseline, kAvx512),
              AllOf(HasSubstr("do not use the instructions"), HasSubstr("avx512"), Not(HasSubstr("busy"))));
}

TEST(SlowProductNote, SaysWhyOpenblasIsSlow) {
  const OpenblasChoice by_user{.core = "Prescott", .by = OpenblasChoice::By::kUser};
  EXPECT_THAT(slow_product_note(0.1, kBaseline, kAvx2, &by_user), HasSubstr("OPENBLAS_CORETYPE asks for them"));
  const OpenblasChoice refused{.core = "Prescott", .refused = "Haswell"};
  EXPECT_THAT(slow_product_note(0.1, kBaseline, kAvx2, &refused), HasSubstr("Haswell kernels gave wrong results"));
  const OpenblasChoice only{.core = "Prescott"};
  EXPECT_THAT(slow_product_note(0.1, kBaseline, kAvx2, &only), HasSubstr("no others"));
}

}  // namespace
}  // namespace chiasm::test
