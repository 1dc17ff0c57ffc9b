// SPDX-License-Identifier: Apache-2.0
// IntersectionRNN on the test vectors of spec/convrnn.md section 10.
#include <gtest/gtest.h>

#include "models/unroll.h"
#include "tests/support/vectors.h"

namespace chiasm::test {
namespace {

TEST(IntersectionRnn, FollowsTheSpec) {
  const CellRun run =
      run_cell(*cell_of(R"({"type": "intersection_rnn", "kernel": 1})"), sequence_a(),
               {{"gates/weight", {0.5, 1, -0.4, 0.8, 0.2, -0.3, 0.6, 0.5}}, {"gates/bias", {0.0, 0.0, 0.0, 0.1}}});
  expect_steps(
      states(run, 0),
      {"[[0.13893421,-0.28753277],[0.10291356,0.11491490]]", "[[0.09134623,-0.09785209],[-0.08340654,0.22802439]]",
       "[[0.05983597,-0.06315129],[-0.05389006,0.15095910]]"},
      "n");
  expect_steps(
      run.output,
      {"[[0.96456563,-0.80218389],[0.50000000,1.86495020]]", "[[0.04285325,0.44995750],[-0.38966345,0.98558947]]",
       "[[0.03762780,0.01433340],[0.01625859,0.05198478]]"},
      "y");
}

TEST(IntersectionRnn, RefusesOtherChannelsThanItsInput) {
  const std::shared_ptr<const Cell> cell = cell_of(R"({"type": "intersection_rnn", "channels": 4})");
  EXPECT_EQ(cell->state_shapes({2, 5, 6, 4}), (std::vector<Shape>{{2, 5, 6, 4}}));
  try {
    cell->state_shapes({2, 5, 6, 3});
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "intersection_rnn has as many channels as its input: \"channels\" is 4 and the input has 3");
  }
}

}  // namespace
}  // namespace chiasm::test
