// SPDX-License-Identifier: Apache-2.0
#include "engine/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace chiasm {
namespace {

TEST(Glob, FitsNamesAsAShellDoes) {
  EXPECT_TRUE(fits_glob("conv*", "conv4"));
  EXPECT_TRUE(fits_glob("conv*", "conv"));
  EXPECT_TRUE(fits_glob("*", ""));
  EXPECT_TRUE(fits_glob("c*4*b", "conv4_4b"));
  EXPECT_TRUE(fits_glob("conv?", "conv4"));
  EXPECT_TRUE(fits_glob("a*ab", "aab"));
  EXPECT_FALSE(fits_glob("conv?", "conv"));
  EXPECT_FALSE(fits_glob("conv", "conv4"));
  EXPECT_FALSE(fits_glob("conv4", "conv"));
  EXPECT_FALSE(fits_glob("*5", "conv4"));
  EXPECT_FALSE(fits_glob("", "x"));
  EXPECT_TRUE(fits_glob("", ""));
}

// Trying every way to share the text among the stars would take longer than the universe has.
TEST(Glob, TakesNoLongerForManyStars) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(fits_glob(pattern + "b", std::string(2000, 'a')));
}

}  // namespace
}  // namespace chiasm
