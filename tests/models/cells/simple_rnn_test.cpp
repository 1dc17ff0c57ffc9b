// SPDX-License-Identifier: Apache-2.0
// SimpleRNN on the test vectors of spec/convrnn.md section 10.
#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace chiasm::test {
namespace {

const CellWeights kWeights{{"input_to_state/weight", {0.8}},
                           {"input_to_state/bias", {0.1}},
                           {"state_to_state/weight", {0.5}},
                           {"state_to_state/bias", {-0.2}}};

TEST(SimpleRnn, FollowsTheSpec) {
  const CellRun run = run_cell(*cell_of(R"({"type": "simple_rnn", "kernel": 1})"), sequence_a(), kWeights);
  expect_steps(
      run.output,
      {"[[0.70000000,-0.59343034],[0.30000000,1.50000000]]", "[[0.25000000,0.00328483],[-0.29531191,1.45000000]]",
       "[[0.02500000,-0.09367524],[-0.21937153,0.62500000]]"},
      "h");
  EXPECT_EQ(states(run, 0), run.output);
}

TEST(SimpleRnn, FollowsTheSpecWithLayerNorm) {
  CellWeights weights = kWeights;
  weights["norm/gain"] = {1.0};
  weights["norm/offset"] = {0.0};
  const CellRun run =
      run_cell(*cell_of(R"({"type": "simple_rnn", "kernel": 1, "layer_norm": true})"), sequence_a(), weights);
  expect_steps(
      run.output,
      {"[[0.34641016,-0.77711753],[-0.10905275,1.27017059]]", "[[-0.15536282,-0.32976711],[-0.65573631,1.63532552]]",
       "[[-0.26880912,-0.39878624],[-0.58298013,1.69650688]]"},
      "h");
}

}  // namespace
}  // namespace chiasm::test
