// SPDX-License-Identifier: Apache-2.0
// Random numbers are the same on every device: every element against RandomStream, at lengths that no pack divides.
#include <cmath>

#include "kernels/random/dropout.h"
#include "kernels/random/noise.h"
#include "kernels/random/random_stream.h"
#include "tests/support/compare.h"
#include "tests/support/cuda.h"

namespace chiasm::test {
namespace {

Buffer integers(const Shape& shape, const std::vector<std::int32_t>& values) {
  Buffer buffer(Spec{DType::kInt32, shape});
  for (std::size_t i = 0; i < values.size(); ++i) buffer.view().as<std::int32_t>()[i] = values[i];
  return buffer;
}

TEST(RandomOnCuda, DropoutHasTheBitsOfTheCpu) {
  CHIASM_NEEDS_CUDA();
  const Dropout op{.rate = 0.3, .seed = 0x123456789abcdefull, .op = 5};
  for (const std::int64_t row : {1, 3, 5, 33, 256, 257, 1000}) {
    const OpCase values{.name = "", .op = make_op(op), .inputs = {{{3, row}}}};
    const std::vector<Buffer> x = make_inputs(values, DType::kFloat32);
    const Buffer epoch = integers({1}, {12}), sample = integers({3}, {40, -7, 40});
    const std::vector<View> in{x[0].view(), epoch.view(), sample.view()};
    const std::vector<Buffer> expected = run_op(*values.op, in, CpuStream(1));
    for (const bool misaligned : {false, true}) {
      CudaStream stream;
      const std::vector<Buffer> y = run_op_on_cuda(*values.op, in, stream, misaligned);
      EXPECT_TRUE(bit_equal(y[0].view(), expected[0].view())) << row << (misaligned ? ", misaligned" : "");
    }
  }
}

// Words are exact and uniform numbers one product of them: equal bits. Normal numbers go through functions that a
// compiler may contract: 8 ulp of the float64 number (noise.h).
TEST(RandomOnCuda, NoiseFollowsItsAddress) {
  CHIASM_NEEDS_CUDA();
  for (const std::int64_t count : {1, 3, 5, 33, 257, 5001}) {
    const Buffer draw = integers({}, {-3});
    const std::vector<View> in{draw.view()};
    for (const Noise::Distribution distribution : {Noise::kUniform, Noise::kNormal}) {
      const Noise op{.shape = {count}, .distribution = distribution, .deviation = 0.6905, .seed = 42, .op = 7};
      Noise reference = op;
      reference.dtype = DType::kFloat64;
      const std::vector<Buffer> expected = run_op(*make_op(reference), in, CpuStream(1));
      const std::vector<Buffer> on_cpu = run_op(*make_op(op), in, CpuStream(1));
      for (const bool misaligned : {false, true}) {
        CudaStream stream;
        const std::vector<Buffer> y = run_op_on_cuda(*make_op(op), in, stream, misaligned);
        if (distribution == Noise::kUniform) {
          EXPECT_TRUE(bit_equal(y[0].view(), on_cpu[0].view())) << count;
        }
        for (std::int64_t i = 0; i < count; ++i) {
          const double e = value_at(expected[0].view(), i);
          const double ulp = std::ldexp(1.0, std::max(std::ilogb(e), -126) - 23);
          ASSERT_LE(std::fabs(value_at(y[0].view(), i) - e), 8.0 * ulp) << i << " of " << count;
        }
      }
    }
  }
}

}  // namespace
}  // namespace chiasm::test
