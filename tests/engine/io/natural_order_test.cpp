// SPDX-License-Identifier: Apache-2.0
#include "engine/io/natural_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace chiasm::test {
namespace {

using Texts = std::vector<std::string>;

TEST(NaturalOrder, CountsAsPeopleDo) {
  const Texts ordered{"",
                      "im",
                      "im1",
                      "im01",
                      "im2",
                      "im2b",
                      "im10",
                      "im10.1",
                      "im10.9",
                      "im10.10",
                      "im99999999999999999998",
                      "im99999999999999999999",
                      "ima",
                      "\xC3\xA9"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t j = 0; j < ordered.size(); ++j) {
      // Zeros before a number decide only between texts that are otherwise the same: "im01" < "im1" byte by byte.
      const bool expected = (ordered[i] == "im1" && ordered[j] == "im01")   ? false
                            : (ordered[i] == "im01" && ordered[j] == "im1") ? true
                                                                            : i < j;
      EXPECT_EQ(natural_less(ordered[i], ordered[j]), expected) << ordered[i] << " " << ordered[j];
    }
  }
}

TEST(NaturalOrder, SeesNamesThatAreMerelyAlphabetical) {
  EXPECT_EQ(first_out_of_natural_order(Texts{"im1", "im10", "im2"}), 2U);
  EXPECT_EQ(first_out_of_natural_order(Texts{"im01", "im02", "im10"}), 0U);
  EXPECT_EQ(first_out_of_natural_order(Texts{"im2", "im10"}), 0U);  // natural already
  EXPECT_EQ(first_out_of_natural_order(Texts{"b", "a"}), 0U);       // neither
  EXPECT_EQ(first_out_of_natural_order(Texts{}), 0U);
}

}  // namespace
}  // namespace chiasm::test
