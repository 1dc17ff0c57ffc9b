// SPDX-License-Identifier: Apache-2.0
// UGRNN on the test vectors of spec/convrnn.md section 10.
#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace chiasm::test {
namespace {

TEST(Ugrnn, FollowsTheSpec) {
  const CellRun run = run_cell(*cell_of(R"({"type": "ugrnn", "kernel": 1})"), sequence_a(),
                               {{"gates/weight", {0.5, 1.2, -0.5, 0.3}}, {"gates/bias", {0.0, 0.1}}});
  expect_steps(
      run.output,
      {"[[0.15720030,-0.30222094],[0.13459279,0.11760731]]", "[[0.15404231,-0.13504148],[-0.05484227,0.26168756]]",
       "[[0.15152219,-0.08528432],[-0.01841603,0.23656023]]"},
      "h");
  EXPECT_EQ(states(run, 0), run.output);
}

// Inputs (x0, x1, h0, h1), outputs (g0, g1, c0, c1).
TEST(Ugrnn, JoinsAndSplitsChannelsInOrder) {
  std::vector<double> weight, bias;
  for (int in = 0; in < 4; ++in) {
    for (int out = 0; out < 4; ++out) weight.push_back(0.1 * (in + 1) - 0.05 * out);
  }
  for (int out = 0; out < 4; ++out) bias.push_back(0.1 * out);
  const CellRun run =
      run_cell(*cell_of(R"({"type": "ugrnn", "kernel": 1})"), {{1, 1, 1, 2}, {{1, -0.5}, {0.25, 0.75}, {0, 0}}, {}},
               {{"gates/weight", weight}, {"gates/bias", bias}});
  expect_steps(run.output, {"0.04004135,0.05630506", "0.09775825,0.11747914", "0.13631143,0.16824177"}, "h");
}

}  // namespace
}  // namespace chiasm::test
