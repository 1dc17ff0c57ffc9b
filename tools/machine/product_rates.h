// SPDX-License-Identifier: Apache-2.0
// How fast matrix products run here, beside how fast the processor multiplies and adds.
#pragma once

#include <string>

#include "kernels/simd.h"
#include "kernels/startup.h"
#include "kernels/stream.h"

namespace chiasm {

struct ProductRate {
  double gflops = 0.0;  // of square products of side 1024, on all threads of the stream
  double peak = 0.0;    // GFLOP/s of multiply-adds in registers, in the widest instructions, on as many threads
  double share() const { return peak > 0.0 ? gflops / peak : 0.0; }
};

// The best of several runs. A second or less. T is float or double.
template <class T>
ProductRate measure_product_rate(const CpuStream& stream);
extern template ProductRate measure_product_rate<float>(const CpuStream&);
extern template ProductRate measure_product_rate<double>(const CpuStream&);

// One sentence where products reach less than half of what the processor can do, which kernels for vectors of half its
// width would; else "". `kernels` is the widest instructions that the library's kernels use, `openblas` why it took
// them where the library is OpenBLAS.
std::string slow_product_note(double share, IsaLevel kernels, IsaLevel processor,
                              const OpenblasChoice* openblas = nullptr);

}  // namespace chiasm
