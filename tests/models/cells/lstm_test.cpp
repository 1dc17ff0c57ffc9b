// SPDX-License-Identifier: Apache-2.0
// LSTM on the test vectors of spec/convrnn.md section 10.
#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace chiasm::test {
namespace {

const CellWeights kPlain{{"gates/weight", {0.5, 1, -0.3, 0.7, 0.2, -0.4, 0.6, 0.1}}, {"gates/bias", {0, 0.1, 0, 0}}};

CellWeights with_peepholes() {
  CellWeights weights = kPlain;
  weights["forget_peephole"] = std::vector<double>(4, 0.3);
  weights["input_peephole"] = std::vector<double>(4, -0.2);
  weights["output_peephole"] = std::vector<double>(4, 0.4);
  return weights;
}

void expect_run(const CellRun& run, const std::vector<const char*>& c, const std::vector<const char*>& h) {
  expect_steps(states(run, 0), c, "c");
  expect_steps(run.output, h, "h");
  EXPECT_EQ(states(run, 1), run.output);
}

TEST(Lstm, FollowsTheSpec) {
  expect_run(run_cell(*cell_of(R"({"type": "lstm", "kernel": 1})"), sequence_a(), kPlain),
             {"[[0.49827809,-0.27043158],[0.30191665,0.70945721]]", "[[0.36965033,0.12680380],[0.03971916,0.98122735]]",
              "[[0.29220500,0.12924939],[0.07574123,0.71742893]]"},
             {"[[0.30787546,-0.08760718],[0.17191745,0.48960199]]", "[[0.17956497,0.07372104],[0.01657632,0.51165607]]",
              "[[0.14335713,0.06450412],[0.03782969,0.31552611]]"});
}

TEST(Lstm, FollowsTheSpecWithPeepholes) {
  expect_run(run_cell(*cell_of(R"({"type": "lstm", "kernel": 1, "peepholes": true})"), sequence_a(), with_peepholes()),
             {"[[0.49827809,-0.27043158],[0.30191665,0.70945721]]", "[[0.38305232,0.13903792],[0.05082632,0.98572828]]",
              "[[0.30599853,0.13831364],[0.08264945,0.76573046]]"},
             {"[[0.30787546,-0.08760718],[0.17191745,0.48960199]]", "[[0.20360236,0.07708766],[0.02270933,0.55716725]]",
              "[[0.16124338,0.07089422],[0.04169681,0.39352154]]"});
}

TEST(Lstm, FollowsTheSpecWithPeepholesAndLayerNorm) {
  CellWeights weights = with_peepholes();
  for (const char* norm : {"input_norm", "candidate_norm", "forget_norm", "output_norm", "cell_norm"}) {
    weights[std::string(norm) + "/gain"] = {1.0};
    weights[std::string(norm) + "/offset"] = {0.0};
  }
  expect_run(
      run_cell(*cell_of(R"({"type": "lstm", "kernel": 1, "peepholes": true, "layer_norm": true})"), sequence_a(),
               weights),
      {"[[0.10784050,-1.01792749],[-0.67146990,1.58155690]]", "[[-0.44086777,-0.24081718],[-0.98492061,1.66660556]]",
       "[[-0.38806510,-0.21327306],[-1.04527227,1.64661044]]"},
      {"[[0.06292349,-0.14016172],[-0.27607694,0.71740816]]", "[[-0.16855651,-0.11529527],[-0.12720767,0.82224690]]",
       "[[-0.11234222,-0.07345072],[-0.21797928,0.85094280]]"});
}

}  // namespace
}  // namespace chiasm::test
