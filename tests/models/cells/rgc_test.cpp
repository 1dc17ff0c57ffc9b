// SPDX-License-Identifier: Apache-2.0
// The general reciprocal gated cell on the test vectors of spec/convrnn.md section 10.
#include "models/cells/rgc.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace chiasm::test {
namespace {

void expect_run(const CellRun& run, const std::vector<const char*>& c, const std::vector<const char*>& h) {
  expect_steps(states(run, 0), c, "c");
  expect_steps(run.output, h, "h");
  EXPECT_EQ(states(run, 1), run.output);
}

// RGC Median's form; kernels of size `k` where the spec scales them, `in` for in -> cell.
CellWeights median_weights(int depthwise, int in_to_cell, int in_to_out) {
  return {{"input_to_cell/weight", kernel_of(0.7, in_to_cell)},
          {"input_to_cell/bias", {0.05}},
          {"cell_tau/depthwise", kernel_of(0.5, depthwise)},
          {"cell_tau/pointwise", {0.8}},
          {"cell_tau/bias", {-0.1}},
          {"cell_gate/depthwise", kernel_of(1.0, depthwise)},
          {"cell_gate/pointwise", {-0.6}},
          {"cell_gate/bias", {0.2}},
          {"input_to_output/weight", kernel_of(0.9, in_to_out)},
          {"input_to_output/bias", {-0.05}},
          {"output_tau/depthwise", kernel_of(0.6, depthwise)},
          {"output_tau/pointwise", {0.5}},
          {"output_tau/bias", {0.1}},
          {"output_gate/depthwise", kernel_of(-0.5, depthwise)},
          {"output_gate/pointwise", {0.9}},
          {"output_gate/bias", {0.0}},
          {"feedback/weight", {0.3}},
          {"feedback/bias", {0.02}}};
}

TEST(Rgc, FollowsTheSpecWith1x1Kernels) {
  RgcOptions o;
  o.cell_channels = 1;
  o.tau = o.gate = {1, true};
  o.input_to_cell_conv = o.input_to_output_conv = {1, false};
  CellSequence sequence = with_half_feedforward(sequence_a());
  sequence.feedback = numbers("[[0.2,0.2],[-0.2,0.4]]");
  expect_run(
      run_cell(RgcCell(o), sequence, median_weights(1, 1, 1)),
      {"[[0.42177325,-0.19805818],[0.22494573,0.81542828]]", "[[0.23612537,0.04904161],[-0.06071935,1.26252289]]",
       "[[0.14548781,0.05619166],[-0.00742512,0.52766273]]"},
      {"[[1.00193904,-0.51708671],[0.42740057,2.02489777]]", "[[0.39553410,0.22108511],[-0.30286147,2.02709065]]",
       "[[0.18571821,0.11494065],[-0.18152111,0.71221365]]"});
}

// The 7x7 depthwise kernels of RGC Median are clamped to the 3x3 image, and the 2x2 kernel pads at the bottom and right
// only.
TEST(Rgc, FollowsTheSpecWithItsOwnKernels) {
  RgcOptions o;
  o.cell_channels = 1;
  CellSequence sequence = with_half_feedforward(sequence_b());
  sequence.feedback = numbers("[[0.2,0.2,-0.2],[-0.2,0.4,0],[0.1,0,0.3]]");
  expect_run(
      run_cell(RgcCell(o), sequence, median_weights(3, 2, 3)),
      {"[[0.29429470,-0.02984867,0.03085774],[0.14384649,0.07531608,0.16654019],[-0.04005831,0.10540601,0.17573885]]",
       "[[0.38650259,0.06594465,0.03425454],[0.23867702,0.21027838,0.13477651],[0.03147634,0.16527238,0.11324579]]",
       "[[0.21689559,0.06575887,0.04676459],[0.14605103,0.13318696,0.09604595],[0.04622081,0.11086779,0.08507643]]"},
      {"[[0.64122831,-0.07048604,0.05670732],[0.77843368,0.38147486,-0.14683278],[0.17537457,-0.40489952,0.60558594]]",
       "[[0.46696829,0.33610448,-0.16550303],[0.79273477,0.37668979,0.12352846],[-0.16923555,0.19010799,0.39647590]]",
       "[[0.21566502,0.16231950,-0.12755279],[0.26334255,0.22476402,0.03030819],[-0.06978291,0.05820593,0.21321929]]"});
}

TEST(Rgc, RefusesAMemoryWithoutInput) {
  RgcOptions o;
  o.input_to_cell = false;
  EXPECT_THROW(RgcCell{o}, InputError);
}

// Without a memory (gate kernel 0) the state is h alone and the output gate is the constant offset.
TEST(Rgc, RunsWithoutMemory) {
  RgcOptions o;
  o.gate.kernel = 0;
  o.tau = {1, false};
  o.input_to_output = false;
  o.output_residual = false;
  o.bias = false;
  o.phi_in = Activation::kIdentity;
  o.phi_output = Activation::kIdentity;
  const CellRun run = run_cell(RgcCell(o), sequence_a(), {{"output_tau/weight", {0.0}}});
  EXPECT_EQ(run.state[0].size(), 1u);
  const double gate = o.gate_offset, tau = o.tau_offset * 0.5;  // tanh(0) = 0, sigmoid(0) = 1/2
  EXPECT_NEAR(run.output[0][0], gate * 1.0, 1e-12);
  EXPECT_NEAR(run.output[1][0], tau * gate * 1.0 + gate * 0.0, 1e-12);
  EXPECT_NEAR(run.output[1][1], tau * gate * -1.0 + gate * 0.5, 1e-12);
}

}  // namespace
}  // namespace chiasm::test
