// SPDX-License-Identifier: Apache-2.0
#include "tools/machine/product_rates.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "kernels/simd.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kSide = 1024;
constexpr int kRepetitions = 5;
constexpr double kFarBelow = 0.5;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Chains of multiply-adds, enough of them that none waits for itself, and few enough to stay in registers.
template <class T, int kBytes>
struct Chains {
  using Vector [[gnu::vector_size(kBytes)]] = T;
  static constexpr int kChains = 12;
  static constexpr std::int64_t kRounds = 2'000'000;
  static constexpr double kFlops = 2.0 * kChains * (kBytes / sizeof(T)) * static_cast<double>(kRounds);

  CHIASM_INLINE_LAMBDA static inline T run() {
    Vector sums[kChains];
    for (int c = 0; c < kChains; ++c) sums[c] = Vector{} + static_cast<T>(1 + c);
    const Vector factor = Vector{} + static_cast<T>(0.999), term = Vector{} + static_cast<T>(0.001);
    for (std::int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
      for (int c = 0; c < kChains; ++c) sums[c] = sums[c] * factor + term;
    }
    for (int c = 1; c < kChains; ++c) sums[0] += sums[c];
    return sums[0][0];
  }
};

template <class T, int kBytes>
double chain_rate(const CpuStream& stream) {
  std::vector<T> kept(static_cast<std::size_t>(stream.threads()) * 64);  // a line of the cache apart
  double best = 0.0;
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    const Clock::time_point begin = Clock::now();
    stream.parallel_tasks(stream.threads(), [&](std::int64_t task) {
      with_widest_isa(
          [&]() CHIASM_INLINE_LAMBDA { kept[static_cast<std::size_t>(task) * 64] = Chains<T, kBytes>::run(); });
    });
    best = std::max(best, stream.threads() * Chains<T, kBytes>::kFlops / seconds_since(begin) / 1e9);
  }
  // Read, so that the chains are computed.
  const volatile T used = kept[0];
  static_cast<void>(used);
  return best;
}

template <class T>
double peak_rate(const CpuStream& stream) {
  switch (isa_level()) {
    case IsaLevel::kAvx512:
      return chain_rate<T, 64>(stream);
    case IsaLevel::kAvx2:
      return chain_rate<T, 32>(stream);
    case IsaLevel::kBaseline:
      break;
  }
  return chain_rate<T, 16>(stream);
}

}  // namespace

template <class T>
ProductRate measure_product_rate(const CpuStream& stream) {
  std::vector<T> a(kSide * kSide), b(a.size()), c(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = b[i] = static_cast<T>(i % 17) - T{8};
  const auto product = [&] {
    gemm<T>(stream, kSide, kSide, kSide, {a.data(), kSide}, {b.data(), kSide}, T{0}, c.data(), kSide);
  };
  product();  // libraries generate code and start threads
  ProductRate rate{.peak = peak_rate<T>(stream)};
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    const Clock::time_point begin = Clock::now();
    product();
    rate.gflops = std::max(rate.gflops, 2e-9 * kSide * kSide * kSide / seconds_since(begin));
  }
  return rate;
}

std::string slow_product_note(double share, IsaLevel kernels, IsaLevel processor, const OpenblasChoice* openblas) {
  if (share >= kFarBelow) return "";
  if (kernels >= processor) {
    return "far below, though the kernels use all the instructions it has: other programs probably keep it busy";
  }
  std::string note =
      std::string("far below: these kernels do not use the instructions it has (") + name_of(processor) + ")";
  if (openblas == nullptr) return note;
  if (!openblas->refused.empty()) {
    return note + "; OpenBLAS's " + openblas->refused + " kernels gave wrong results or none when they were checked";
  }
  if (openblas->by == OpenblasChoice::By::kUser) {
    return note + "; OPENBLAS_CORETYPE asks for them: unset it, and chiasm chooses";
  }
  return note + "; this OpenBLAS has no others";
}

template ProductRate measure_product_rate<float>(const CpuStream&);
template ProductRate measure_product_rate<double>(const CpuStream&);

}  // namespace chiasm
