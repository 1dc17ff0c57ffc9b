// SPDX-License-Identifier: Apache-2.0
// Time Decay on the test vectors of spec/convrnn.md section 10.
#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace chiasm::test {
namespace {

TEST(TimeDecay, FollowsTheSpec) {
  const CellRun run = run_cell(*cell_of(R"({"type": "time_decay"})"), sequence_a(), {{"lambda", {0.5}}});
  expect_steps(run.output, {"[[1,-1],[0.5,2]]", "[[0.5,0],[-0.25,2]]", "[[0.25,0],[-0.125,1]]"}, "h");
  EXPECT_EQ(states(run, 0), run.output);
}

}  // namespace
}  // namespace chiasm::test
