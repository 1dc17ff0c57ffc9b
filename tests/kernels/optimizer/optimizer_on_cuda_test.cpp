// SPDX-License-Identifier: Apache-2.0
// What the op rows do not show of optimizer steps on CUDA: many tensors in one launch.
#include <cmath>
#include <limits>

#include "kernels/cuda/launch_observer.h"
#include "kernels/optimizer/adam_step.h"
#include "kernels/optimizer/rms_prop_step.h"
#include "kernels/optimizer/sgd_step.h"
#include "tests/support/compare.h"
#include "tests/support/cuda.h"
#include "tests/support/device_copy.h"

namespace chiasm::test {
namespace {

int launches = 0;

// Lengths around a pack, a block's piece of 2048 elements and several of them; also nothing.
Shape shape_of(int tensor) {
  constexpr std::int64_t kLengths[] = {1, 3, 5, 0, 33, 257, 2047, 2048, 2049, 7001};
  return {kLengths[tensor % 10]};
}

// `count` calls of an op with these scalars; every third tensor is misaligned, and results of every second call take
// the memory of the inputs, as those of a program do.
template <class Op>
void expect_many_like_one_by_one(const Op& op, int states, int count, const std::vector<float>& scalars,
                                 int expected_launches) {
  CudaStream stream;
  std::vector<std::vector<DeviceCopy>> tensors, results;
  std::vector<OpCall> calls;
  std::vector<std::vector<Buffer>> expected;
  std::vector<DeviceCopy> scalar;
  for (float value : scalars) {
    Buffer host(Spec{DType::kFloat32, {}});
    set_value(host.view(), 0, value);
    scalar.emplace_back(stream, host.view());
  }
  for (int t = 0; t < count; ++t) {
    OpCase row{
        .name = "", .op = make_op(op), .inputs = std::vector<OpInput>(2 + states, {shape_of(t), uniform(0.1, 1.0)})};
    for (float value : scalars) row.inputs.push_back({{}, constant(value)});
    const std::vector<Buffer> in = make_inputs(row, DType::kFloat32);
    expected.push_back(run_op_on_cuda(*row.op, views_of(in), stream, t % 3 == 0));
    OpCall call;
    tensors.emplace_back();
    results.emplace_back();
    for (int k = 0; k < 2 + states; ++k) {
      tensors.back().emplace_back(stream, in[k].view(), t % 3 == 0);
      call.in.emplace_back(tensors.back().back().view());
    }
    for (const DeviceCopy& s : scalar) call.in.emplace_back(s.view());
    for (int o = 0; o < 1 + states; ++o) {
      results.back().emplace_back(stream, Buffer(Spec{DType::kFloat32, shape_of(t)}).view());
      call.out.push_back(t % 2 == 0 ? results.back().back().view() : tensors.back()[o == 0 ? 0 : o + 1].view());
    }
    calls.push_back(std::move(call));
  }
  launches = 0;
  launch_observer = [](const char*) { ++launches; };
  make_op(op)->run_many(stream, calls);
  launch_observer = nullptr;
  EXPECT_EQ(launches, expected_launches) << count << " tensors";
  for (int t = 0; t < count; ++t) {
    for (int o = 0; o < 1 + states; ++o) {
      const DeviceCopy& result = t % 2 == 0 ? results[t][o] : tensors[t][o == 0 ? 0 : o + 1];
      const Buffer found = result.on_host(stream);
      EXPECT_TRUE(bit_equal(found.view(), expected[t][o].view())) << "tensor " << t << ", output " << o;
    }
  }
}

TEST(OptimizerOnCuda, ManyTensorsHaveTheBitsOfEach) {
  CHIASM_NEEDS_CUDA();
  for (const int count : {1, 3, 60}) {
    expect_many_like_one_by_one(AdamStep{.epsilon = 1e-3, .l2 = 0.01}, 2, count, {0.125f, 3.0f}, 1);
    expect_many_like_one_by_one(SgdStep{.momentum = 0.9, .nesterov = true, .l2 = 0.01}, 1, count, {0.125f}, 1);
    expect_many_like_one_by_one(RmsPropStep{.momentum = 0.9, .epsilon = 1e-3, .decay = 0.1}, 2, count, {0.125f}, 1);
  }
  // 441 tensors that are not empty; a launch takes 400.
  expect_many_like_one_by_one(SgdStep{.momentum = 0.9}, 1, 490, {0.125f}, 2);
}

// A step below 1 cannot be refused on a device; nothing that looks like a weight may come out.
TEST(OptimizerOnCuda, AdamMarksAStepThatDoesNotExist) {
  CHIASM_NEEDS_CUDA();
  CudaStream stream;
  for (const double step : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    const OpCase row{
        .name = "",
        .op = make_op(AdamStep{}),
        .inputs = {{{5}}, {{5}}, {{5}}, {{5}, uniform(0.1, 1.0)}, {{}, constant(0.1)}, {{}, constant(step)}}};
    for (const Buffer& out : run_op_on_cuda(*row.op, views_of(make_inputs(row, DType::kFloat32)), stream)) {
      for (int i = 0; i < 5; ++i) EXPECT_TRUE(std::isnan(value_at(out.view(), i))) << step;
    }
  }
}

}  // namespace
}  // namespace chiasm::test
