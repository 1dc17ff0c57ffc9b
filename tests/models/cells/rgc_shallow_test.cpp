// SPDX-License-Identifier: Apache-2.0
// The minimal reciprocal gated cell on the test vectors of spec/convrnn.md section 10.
#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace chiasm::test {
namespace {

void expect_run(const CellRun& run, const std::vector<const char*>& c, const std::vector<const char*>& h) {
  expect_steps(states(run, 0), c, "c");
  expect_steps(run.output, h, "h");
  EXPECT_EQ(states(run, 1), run.output);
}

CellWeights weights(int k) {
  return {{"input_to_cell/weight", kernel_of(0.7, k)},   {"cell_to_cell/weight", kernel_of(0.4, k)},
          {"output_to_cell/weight", kernel_of(-0.6, k)}, {"output_to_output/weight", kernel_of(0.3, k)},
          {"cell_to_output/weight", kernel_of(0.5, k)},  {"feedforward_to_output/weight", kernel_of(0.2, k)}};
}

TEST(RgcShallow, FollowsTheSpecWith1x1Kernels) {
  expect_run(
      run_cell(*cell_of(R"({"type": "rgc_shallow", "kernel": 1})"), with_half_feedforward(sequence_a()), weights(1)),
      {"[[0.35000000,-0.29531191],[0.17500000,0.70000000]]", "[[0.16276997,-0.00269912],[-0.09817558,0.74361877]]",
       "[[0.07873651,-0.00134938],[-0.04881957,0.31691662]]"},
      {"[[0.47502081,-0.40843232],[0.24375130,0.90033201]]", "[[0.22061563,0.04548550],[-0.12005117,0.77909886]]",
       "[[0.10665880,0.02258758],[-0.05927685,0.34423093]]"});
}

TEST(RgcShallow, FollowsTheSpecWith3x3Kernels) {
  expect_run(
      run_cell(*cell_of(R"({"type": "rgc_shallow"})"), with_half_feedforward(sequence_b()), weights(3)),
      {"[[0.12833333,0.11472222,-0.05482850],[-0.01830266,0.07972222,-0.06760618],[-0.01734776,0.04569444,-0.04001089]"
       "]",
       "[[0.16452074,0.13918359,-0.01295288],[0.05629308,0.09334858,0.02429243],[0.02378948,0.06525739,0.02859666]]",
       "[[0.08097569,0.06853749,-0.00640497],[0.02769327,0.04590386,0.01202926],[0.01181409,0.03237252,0.01422050]]"},
      {"[[0.49083436,-0.38847919,0.25201385],[1.00263888,0.00000000,-0.22314372],[0.12531250,-0.62971130,0.75437495]]",
       "[[0.23802036,0.05680802,-0.11464418],[0.98617353,0.00000000,0.01187206],[-0.35191731,0.06429496,0.37723750]]",
       "[[0.11485656,0.02754447,-0.05577009],[0.48299545,0.00000000,0.00586762],[-0.15965224,0.03150526,0.18665475]]"});
}

}  // namespace
}  // namespace chiasm::test
