// SPDX-License-Identifier: Apache-2.0
// Monkey and human IT for 92 images of objects (Kriegeskorte et al. 2008), skipped where the files are absent.
#include <gtest/gtest.h>

#include <filesystem>

#include "analysis/similarity/compare.h"
#include "engine/io/npy.h"
#include "tests/support/source_tree.h"

namespace chiasm::test {
namespace {

Rdm read_rdm(const std::string& file) {
  const Tensor tensor = read_npy(file);
  const auto values = tensor.values<double>();
  return rdm_of_triangle({values.begin(), values.end()}, file);
}

TEST(ObjectImages, MonkeyAndHumanItAreAlike) {
  const std::string monkey = shared_data("macaque_it92/mIT_674neurons_rdm_4186.npy"),
                    human = shared_data("macaque_it92/hIT_316vx_rdm_4186.npy");
  if (!std::filesystem::exists(monkey)) GTEST_SKIP() << monkey << " is not there";
  const Rdm a = read_rdm(monkey), b = read_rdm(human);
  EXPECT_EQ(a.items, 92);
  EXPECT_NEAR(compare(a, b, RdmComparison::kSpearman).value, 0.439, 5e-4);  // given to three decimals
}

}  // namespace
}  // namespace chiasm::test
