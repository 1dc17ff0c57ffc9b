// SPDX-License-Identifier: Apache-2.0
// The arithmetic of products and convolutions is the one that the stream asks for: errors as large as the rounding of
// the factors makes them, and as small.
#include <cmath>

#include "kernels/convolution/conv2d.h"
#include "kernels/convolution/conv_transpose2d.h"
#include "kernels/cuda/device.h"
#include "kernels/linear/linear.h"
#include "tests/support/compare.h"
#include "tests/support/cuda.h"

namespace chiasm::test {
namespace {

// The root mean square of the difference, as a part of that of `expected`.
double relative_error(const View& actual, const View& expected) {
  double error = 0.0, size = 0.0;
  for (std::int64_t i = 0; i < expected.elements(); ++i) {
    const double e = value_at(expected, i), difference = value_at(actual, i) - e;
    error += difference * difference;
    size += e * e;
  }
  return std::sqrt(error / size);
}

// The errors of the output and of the gradients of x and weight.
std::vector<double> errors(const OpPtr& op, const std::vector<Shape>& shapes, CudaMath math) {
  OpCase c;
  c.op = op;
  for (const Shape& shape : shapes) c.inputs.push_back({shape});
  CudaStream stream({.math = math});
  const auto run = [&](DType type, const RunOp& run_one) {
    const std::vector<Buffer> in = make_inputs(c, type);
    std::vector<Buffer> results = run_one(*op, views_of(in));
    const std::vector<View> out{results[0].view()};
    const Buffer dy = weights_like(out[0]);
    for (int i : {0, 1}) results.push_back(*gradient_of(*op, i, views_of(in), out, dy.view(), run_one));
    return results;
  };
  const std::vector<Buffer> reference =
      run(DType::kFloat64, [](const AnyOp& one, std::span<const View> in) { return run_op(one, in, CpuStream(1)); });
  const std::vector<Buffer> actual =
      run(DType::kFloat32, [&](const AnyOp& one, std::span<const View> in) { return run_op_on_cuda(one, in, stream); });
  std::vector<double> found;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    found.push_back(relative_error(actual[i].view(), reference[i].view()));
  }
  return found;
}

struct Row {
  const char* name;
  OpPtr op;
  std::vector<Shape> shapes;
};

// Channels that tensor cores take.
std::vector<Row> rows() {
  return {{"linear", make_op(Linear{}), {{24, 32}, {32, 16}, {32, 16}}},
          {"product of a 1 x 1 kernel", make_op(Conv2d{}), {{2, 5, 6, 16}, {1, 1, 16, 24}, {1, 1, 16, 24}}},
          {"convolution", make_op(Conv2d{}), {{2, 6, 5, 16}, {3, 3, 16, 8}, {3, 3, 16, 8}}},
          {"strided", make_op(Conv2d{.stride = {2, 2}}), {{2, 8, 6, 8}, {3, 3, 8, 16}, {3, 3, 8, 16}}},
          {"groups", make_op(Conv2d{.groups = 2}), {{2, 5, 5, 16}, {3, 3, 8, 16}, {3, 3, 8, 16}}},
          {"transposed", make_op(ConvTranspose2d{.stride = {2, 2}}), {{2, 3, 4, 8}, {3, 3, 16, 8}, {3, 3, 16, 8}}}};
}

// A sum of products of rounded factors is off by about a rounding unit, whatever its length, because errors and terms
// grow alike: two factors, and in bfloat16 perhaps a result, rounded to at most half a unit in the last place each.
void expect_unit(CudaMath math, double unit) {
  for (const Row& row : rows()) {
    const std::vector<double> found = errors(row.op, row.shapes, math);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_LT(found[i], 2.0 * unit) << row.name << ", result " << i;
      EXPECT_GT(found[i], unit / 16.0) << row.name << ", result " << i << " was not rounded as asked";
    }
  }
}

bool has_tensor_cores_for_float() { return cuda_devices().devices.at(0).compute_major >= 8; }

TEST(CudaMathModes, Float32) {
  CHIASM_NEEDS_CUDA();
  for (const Row& row : rows()) {
    for (const double error : errors(row.op, row.shapes, CudaMath::kFloat32)) {
      EXPECT_LT(error, 1e-6) << row.name;  // some tens of roundings of 2^-24; TF32 would give 3e-4
    }
  }
}

TEST(CudaMathModes, Tf32) {
  CHIASM_NEEDS_CUDA();
  if (!has_tensor_cores_for_float()) GTEST_SKIP() << "TF32 needs compute capability 8.0";
  expect_unit(CudaMath::kTf32, std::ldexp(1.0, -11));
}

TEST(CudaMathModes, Bfloat16) {
  CHIASM_NEEDS_CUDA();
  if (!has_tensor_cores_for_float()) GTEST_SKIP() << "bfloat16 needs compute capability 8.0";
  expect_unit(CudaMath::kBfloat16, std::ldexp(1.0, -8));
}

// Channels and pixels that no engine takes in bfloat16, at every alignment: still the right numbers.
TEST(CudaMathModes, Bfloat16OnOddShapes) {
  CHIASM_NEEDS_CUDA();
  if (!has_tensor_cores_for_float()) GTEST_SKIP() << "bfloat16 needs compute capability 8.0";
  for (const Row& row : {Row{"linear", make_op(Linear{}), {{7, 13}, {13, 5}, {13, 5}}},
                         Row{"convolution", make_op(Conv2d{}), {{2, 5, 7, 3}, {3, 3, 3, 5}, {3, 3, 3, 5}}},
                         Row{"padded", make_op(Conv2d{.stride = {2, 2}}), {{2, 8, 6, 8}, {7, 7, 8, 8}, {7, 7, 8, 8}}},
                         Row{"one", make_op(Linear{}), {{1, 1}, {1, 1}, {1, 1}}}}) {
    for (const double error : errors(row.op, row.shapes, CudaMath::kBfloat16)) {
      EXPECT_LT(error, 2.0 * std::ldexp(1.0, -8)) << row.name;
    }
  }
}

}  // namespace
}  // namespace chiasm::test
