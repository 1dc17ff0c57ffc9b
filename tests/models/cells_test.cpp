// SPDX-License-Identifier: Apache-2.0
// The cells on the vectors of spec/convrnn.md section 10.
#include <gtest/gtest.h>

#include "models/cells/rgc.h"
#include "models/cells/rgc_shallow.h"
#include "models/cells/time_decay.h"
#include "tests/support/vectors.h"

namespace chiasm::test {
namespace {

constexpr double kTolerance = 1e-6;  // what the spec asks; its values have 8 decimals

using Sequence = std::vector<std::vector<double>>;

const Sequence kA{numbers("[[1,-1],[0.5,2]]"), numbers("[[0,0.5],[-0.5,1]]"), numbers("[[0,0],[0,0]]")};
const Sequence kB{numbers("[[1,-1,0.5],[2,0,-0.5],[0.25,-2,1.5]]"), numbers("[[0,0.5,-0.5],[1,0,0.25],[-1,0.75,0]]"),
                  std::vector<double>(9, 0.0)};

Sequence half(Sequence x) {
  for (auto& frame : x) {
    for (double& v : frame) v *= 0.5;
  }
  return x;
}

void expect_run(const CellRun& run, const std::vector<const char*>& c, const std::vector<const char*>& h) {
  ASSERT_EQ(run.output.size(), h.size());
  for (std::size_t t = 0; t < h.size(); ++t) {
    EXPECT_LE(distance(run.state[t][0], numbers(c[t])), kTolerance) << "c at t" << t;
    EXPECT_LE(distance(run.output[t], numbers(h[t])), kTolerance) << "h at t" << t;
    EXPECT_EQ(run.output[t], run.state[t][1]);
  }
}

TEST(TimeDecay, FollowsTheSpec) {
  const CellRun run = run_cell(TimeDecayCell(), 2, kA, kA, {}, {{"lambda", {0.5}}});
  const char* expected[] = {"[[1,-1],[0.5,2]]", "[[0.5,0],[-0.25,2]]", "[[0.25,0],[-0.125,1]]"};
  for (std::size_t t = 0; t < 3; ++t) EXPECT_LE(distance(run.output[t], numbers(expected[t])), kTolerance);
}

std::map<std::string, std::vector<double>> shallow_weights(int k) {
  return {{"input_to_cell/weight", kernel_of(0.7, k)},   {"cell_to_cell/weight", kernel_of(0.4, k)},
          {"output_to_cell/weight", kernel_of(-0.6, k)}, {"output_to_output/weight", kernel_of(0.3, k)},
          {"cell_to_output/weight", kernel_of(0.5, k)},  {"feedforward_to_output/weight", kernel_of(0.2, k)}};
}

TEST(RgcShallow, FollowsTheSpecWith1x1Kernels) {
  expect_run(
      run_cell(RgcShallowCell({.kernel = 1}), 2, kA, half(kA), {}, shallow_weights(1)),
      {"[[0.35000000,-0.29531191],[0.17500000,0.70000000]]", "[[0.16276997,-0.00269912],[-0.09817558,0.74361877]]",
       "[[0.07873651,-0.00134938],[-0.04881957,0.31691662]]"},
      {"[[0.47502081,-0.40843232],[0.24375130,0.90033201]]", "[[0.22061563,0.04548550],[-0.12005117,0.77909886]]",
       "[[0.10665880,0.02258758],[-0.05927685,0.34423093]]"});
}

TEST(RgcShallow, FollowsTheSpecWith3x3Kernels) {
  expect_run(
      run_cell(RgcShallowCell({.kernel = 3}), 3, kB, half(kB), {}, shallow_weights(3)),
      {"[[0.12833333,0.11472222,-0.05482850],[-0.01830266,0.07972222,-0.06760618],[-0.01734776,0.04569444,-0.04001089]"
       "]",
       "[[0.16452074,0.13918359,-0.01295288],[0.05629308,0.09334858,0.02429243],[0.02378948,0.06525739,0.02859666]]",
       "[[0.08097569,0.06853749,-0.00640497],[0.02769327,0.04590386,0.01202926],[0.01181409,0.03237252,0.01422050]]"},
      {"[[0.49083436,-0.38847919,0.25201385],[1.00263888,0.00000000,-0.22314372],[0.12531250,-0.62971130,0.75437495]]",
       "[[0.23802036,0.05680802,-0.11464418],[0.98617353,0.00000000,0.01187206],[-0.35191731,0.06429496,0.37723750]]",
       "[[0.11485656,0.02754447,-0.05577009],[0.48299545,0.00000000,0.00586762],[-0.15965224,0.03150526,0.18665475]]"});
}

// RGC Median's form; kernels of size `k` where the spec scales them, `in` for in -> cell.
std::map<std::string, std::vector<double>> median_weights(int depthwise, int in_to_cell, int in_to_out) {
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
  expect_run(
      run_cell(RgcCell(o), 2, kA, half(kA), numbers("[[0.2,0.2],[-0.2,0.4]]"), median_weights(1, 1, 1)),
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
  expect_run(
      run_cell(RgcCell(o), 3, kB, half(kB), numbers("[[0.2,0.2,-0.2],[-0.2,0.4,0],[0.1,0,0.3]]"),
               median_weights(3, 2, 3)),
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
  const CellRun run = run_cell(RgcCell(o), 2, kA, kA, {}, {{"output_tau/weight", {0.0}}});
  EXPECT_EQ(run.state[0].size(), 1u);
  const double gate = o.gate_offset, tau = o.tau_offset * 0.5;  // tanh(0) = 0, sigmoid(0) = 1/2
  EXPECT_NEAR(run.output[0][0], gate * 1.0, 1e-12);
  EXPECT_NEAR(run.output[1][0], tau * gate * 1.0 + gate * 0.0, 1e-12);
  EXPECT_NEAR(run.output[1][1], tau * gate * -1.0 + gate * 0.5, 1e-12);
}

}  // namespace
}  // namespace chiasm::test
