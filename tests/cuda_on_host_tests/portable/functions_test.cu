// SPDX-License-Identifier: Apache-2.0
// Atomics, arithmetic and bfloat16 in kernels.
#include <cuda_bf16.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "tests/cuda_on_host_tests/support.cuh"

namespace chiasm::test {
namespace {

struct Counters {
  int add, sub, max, min, exchange, compare, bit_or, bit_and, bit_xor;
  unsigned inc, unsigned_max;
  unsigned long long wide;
  float sum;
};

__global__ void count_all(Counters* c, unsigned* inc_before) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(&c->add, i);
  atomicSub(&c->sub, i);
  atomicMax(&c->max, i - 50);
  atomicMin(&c->min, 50 - i);
  atomicExch(&c->exchange, 7);
  atomicCAS(&c->compare, 100, i);
  atomicOr(&c->bit_or, 1 << i % 31);
  atomicAnd(&c->bit_and, ~(1 << i % 31));
  atomicXor(&c->bit_xor, i);
  inc_before[i] = atomicInc(&c->inc, 9u);
  atomicMax(&c->unsigned_max, 0xfffffff0u + static_cast<unsigned>(i % 8));
  atomicAdd(&c->wide, 1ull << 33);
  atomicAdd(&c->sum, 0.5f);
}

TEST(CudaFunctions, Atomics) {
  constexpr int kCount = 3 * 70;
  Counters start{};
  start.compare = 100;
  start.bit_and = -1;
  const OnDevice<Counters> counters(std::vector<Counters>{start});
  const OnDevice<unsigned> inc_before(std::size_t{kCount});
  EXPECT_CUDA(launch(count_all, 3, 70, 0, nullptr, counters.data(), inc_before.data()));
  const Counters c = counters.values()[0];
  int sum = 0, exclusive = 0;
  for (int i = 0; i < kCount; ++i) {
    sum += i;
    exclusive ^= i;
  }
  EXPECT_EQ(c.add, sum);
  EXPECT_EQ(c.sub, -sum);
  EXPECT_EQ(c.max, kCount - 51);
  EXPECT_EQ(c.min, 51 - kCount);
  EXPECT_EQ(c.exchange, 7);
  EXPECT_NE(c.compare, 100);  // whoever came first, unless it was thread 100, then the next
  EXPECT_EQ(c.bit_or, 0x7fffffff);
  EXPECT_EQ(c.bit_and, static_cast<int>(0x80000000u));
  EXPECT_EQ(c.bit_xor, exclusive);
  EXPECT_EQ(c.inc, 0u);  // 210 steps around ten values
  EXPECT_EQ(c.unsigned_max, 0xfffffff7u);
  EXPECT_EQ(c.wide, std::uint64_t{kCount} << 33);
  EXPECT_EQ(c.sum, 0.5f * kCount);
  std::vector<int> seen(10, 0);
  for (unsigned before : inc_before.values()) ++seen.at(before);
  EXPECT_EQ(seen, std::vector<int>(10, kCount / 10));
}

__global__ void bits(unsigned long long* out) {
  int i = 0;
  out[i++] = static_cast<unsigned long long>(__popc(0xf0f0f001u));
  out[i++] = static_cast<unsigned long long>(__popcll(0xff00000000000001ull));
  out[i++] = static_cast<unsigned long long>(__clz(1));
  out[i++] = static_cast<unsigned long long>(__clz(0));
  out[i++] = static_cast<unsigned long long>(__clzll(1));
  out[i++] = static_cast<unsigned long long>(__ffs(0));
  out[i++] = static_cast<unsigned long long>(__ffs(8));
  out[i++] = __brev(1u);
  out[i++] = __umulhi(0xffffffffu, 0xfffffffeu);
  out[i++] = static_cast<unsigned>(__mulhi(-3, 1 << 30));
  out[i++] = __umul64hi(0xffffffffffffffffull, 3ull);
  out[i++] = __float_as_uint(-2.0f);
  out[i++] = static_cast<unsigned>(__float_as_int(1.5f));
  out[i++] = __uint_as_float(0x40400000u) == 3.0f;
  out[i++] = __int_as_float(0x3f800000) == 1.0f;
  out[i++] = __funnelshift_l(0x80000001u, 0x00000003u, 4);
  out[i++] = __funnelshift_r(0x80000001u, 0x00000003u, 4);
}

TEST(CudaFunctions, Bits) {
  const OnDevice<unsigned long long> out(std::size_t{17});
  EXPECT_CUDA(launch(bits, 1, 1, 0, nullptr, out.data()));
  const std::vector<unsigned long long> expected = {
      13,          9, 31,          32,          63, 0, 4,     0x80000000u, 0xfffffffdu,
      0xffffffffu, 2, 0xc0000000u, 0x3fc00000u, 1,  1, 0x38u, 0x38000000u};
  EXPECT_EQ(out.values(), expected);
}

__global__ void arithmetic(float* out, float nan, float third) {
  int i = 0;
  // The product alone would round: 1 + 2^-23 squared less one.
  const float next = 1.0f + 1.1920928955078125e-07f;
  out[i++] = __fmaf_rn(next, next, -1.0f);
  out[i++] = __fadd_rn(__fmul_rn(next, next), -1.0f);
  out[i++] = __fadd_rn(1.0f, 5.9604644775390625e-08f);  // a tie, to even
  out[i++] = __frcp_rn(4.0f);
  out[i++] = rsqrtf(16.0f);
  out[i++] = min(nan, 1.0f);
  out[i++] = max(1.0f, nan);
  out[i++] = min(-2.0f, 3.0f);
  out[i++] = static_cast<float>(max(-2, 3));
  out[i++] = __saturatef(1.5f);
  out[i++] = __saturatef(-1.5f);
  out[i++] = __saturatef(nan);
  out[i++] = static_cast<float>(__float2int_rn(2.5f));
  out[i++] = static_cast<float>(__float2int_rz(-2.75f));
  out[i++] = static_cast<float>(__float2int_rd(-2.25f));
  out[i++] = static_cast<float>(__float2int_ru(2.25f));
  out[i++] = static_cast<float>(__float2int_rn(1e20f) == 2147483647);
  out[i++] = __fdividef(1.0f, third) == 3.0f;
  out[i++] = __ldg(out);
}

TEST(CudaFunctions, Arithmetic) {
  const OnDevice<float> out(std::size_t{19});
  EXPECT_CUDA(launch(arithmetic, 1, 1, 0, nullptr, out.data(), std::numeric_limits<float>::quiet_NaN(), 1.0f / 3.0f));
  const float step = 1.1920928955078125e-07f;
  const std::vector<float> expected = {
      2 * step + step * step, 2 * step, 1, 0.25f, 0.25f, 1, 1, -2, 3, 1, 0, 0, 2, -2, -3, 3, 1, 1,
      2 * step + step * step};
  EXPECT_EQ(out.values(), expected);
}

__global__ void to_bfloat16(const float* in, __nv_bfloat16* out, float* back, int count) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= count) return;
  out[i] = __float2bfloat16(in[i]);
  back[i] = __bfloat162float(out[i]);
}

TEST(CudaFunctions, Bfloat16RoundsToNearestEven) {
  std::vector<float> values;
  // Around each of some bfloat16 numbers: the number, its ties and their neighbours.
  for (std::uint32_t high :
       {0x0000u, 0x0001u, 0x3f80u, 0x3f81u, 0x4049u, 0x7f7fu, 0x8000u, 0xbf80u, 0xc0ffu, 0x7f80u}) {
    for (std::uint32_t low : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      const std::uint32_t bits = high << 16 | low;
      float value;
      std::memcpy(&value, &bits, 4);
      if (high != 0x7f80u || low == 0) values.push_back(value);
    }
  }
  const int count = static_cast<int>(values.size());
  const OnDevice<float> in(values), back(values.size());
  const OnDevice<unsigned short> out(values.size());
  EXPECT_CUDA(launch(to_bfloat16, 1, 64, 0, nullptr, in.data(), reinterpret_cast<__nv_bfloat16*>(out.data()),
                     back.data(), count));
  const std::vector<unsigned short> found = out.values();
  const std::vector<float> found_back = back.values();
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, &values[i], 4);
    // In integers: up when the rest is more than half, or half and the number odd.
    std::uint32_t expected = bits >> 16;
    const std::uint32_t rest = bits & 0xffffu;
    if (rest > 0x8000u || (rest == 0x8000u && (expected & 1) != 0)) ++expected;
    EXPECT_EQ(found[i], expected) << values[i];
    const std::uint32_t widened = expected << 16;
    EXPECT_EQ(std::memcmp(&found_back[i], &widened, 4), 0) << values[i];
  }
}

TEST(CudaFunctions, Bfloat16NanStaysNan) {
  std::vector<float> values(1);
  const std::uint32_t bits = 0x7f800001u;  // its upper half alone would be infinity
  std::memcpy(values.data(), &bits, 4);
  const OnDevice<float> in(values), back(std::size_t{1});
  const OnDevice<unsigned short> out(std::size_t{1});
  EXPECT_CUDA(
      launch(to_bfloat16, 1, 1, 0, nullptr, in.data(), reinterpret_cast<__nv_bfloat16*>(out.data()), back.data(), 1));
  EXPECT_TRUE(std::isnan(back.values()[0]));
}

__global__ void pairs(float2* out) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(1.5f, -2.25f);
  *out = __bfloat1622float2(pair);
  out[1] = make_float2(__low2float(pair), __high2float(pair));
}

TEST(CudaFunctions, Bfloat16Pairs) {
  const OnDevice<float2> out(std::size_t{2});
  EXPECT_CUDA(launch(pairs, 1, 1, 0, nullptr, out.data()));
  for (const float2 found : out.values()) {
    EXPECT_EQ(found.x, 1.5f);
    EXPECT_EQ(found.y, -2.25f);
  }
}

TEST(CudaFunctions, VectorsHaveTheAlignmentOfTheDevice) {
  EXPECT_EQ(alignof(float4), 16u);
  EXPECT_EQ(alignof(float2), 8u);
  EXPECT_EQ(alignof(float3), 4u);
  EXPECT_EQ(alignof(uchar4), 4u);
  EXPECT_EQ(alignof(double2), 16u);
  EXPECT_EQ(sizeof(int4), 16u);
  EXPECT_EQ(sizeof(uint3), 12u);
  const float4 v = make_float4(1, 2, 3, 4);
  EXPECT_EQ(v.x + 10 * v.y + 100 * v.z + 1000 * v.w, 4321);
}

}  // namespace
}  // namespace chiasm::test
