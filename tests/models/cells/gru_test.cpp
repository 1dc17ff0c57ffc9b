// SPDX-License-Identifier: Apache-2.0
// GRU on the test vectors of spec/convrnn.md section 10.
#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace chiasm::test {
namespace {

// One channel: a kernel is [k, k, (x, h), outputs].
std::vector<double> kernel(int k, const std::vector<std::vector<double>>& by_input) {
  const std::vector<double> taps = kernel_of(1.0, k);
  std::vector<double> result;
  for (double tap : taps) {
    for (const auto& outputs : by_input) {
      for (double v : outputs) result.push_back(v * tap);
    }
  }
  return result;
}

CellWeights weights(int k) {
  return {{"gates/weight", kernel(k, {{0.5, -0.4}, {-0.3, 0.7}})},
          {"gates/bias", {1.0, 1.0}},
          {"candidate/weight", kernel(k, {{0.9}, {0.6}})},
          {"candidate/bias", {0.0}}};
}

TEST(Gru, FollowsTheSpecWith1x1Kernels) {
  const CellRun run = run_cell(*cell_of(R"({"type": "gru", "kernel": 1})"), sequence_a(), weights(1));
  expect_steps(
      run.output,
      {"[[0.25381563,-0.14169526],[0.13079946,0.42621988]]", "[[0.22515655,0.02349678],[0.02374423,0.53796280]]",
       "[[0.19940672,0.02054986],[0.02076662,0.48425555]]"},
      "h");
  EXPECT_EQ(states(run, 0), run.output);
}

TEST(Gru, FollowsTheSpecWith3x3Kernels) {
  const CellRun run = run_cell(*cell_of(R"({"type": "gru"})"), sequence_b(), weights(3));
  expect_steps(
      run.output,
      {"[[0.09515301,0.08472466,-0.03692841],[-0.01256907,0.05807039,-0.04514457],[-0.01191819,0.03267129,-0.02718606]"
       "]",
       "[[0.14201338,0.11969186,-0.01555171],[0.04154654,0.07999831,0.01045220],[0.01540423,0.05248226,0.01542199]]",
       "[[0.11412165,0.09689511,-0.00710013],[0.03986259,0.06799841,0.01281931],[0.01508032,0.04259320,0.01414633]]"},
      "h");
}

}  // namespace
}  // namespace chiasm::test
