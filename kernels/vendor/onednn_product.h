// SPDX-License-Identifier: Apache-2.0
// The float32 matrix product of oneDNN, which generates code for the processor it finds. On the calling thread alone.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/simd.h"
#include "kernels/vendor/blas.h"

namespace chiasm {

// As gemm (blas.h). The bits depend on the sizes and the processor alone.
void onednn_product(std::int64_t m, std::int64_t n, std::int64_t k, const Factor<float>& a, const Factor<float>& b,
                    float beta, float* c, std::int64_t c_stride);

// The instruction set that oneDNN generates code for: "avx512_core", "avx2", "sse41", ...
std::string onednn_instruction_set();
IsaLevel onednn_isa_level();

}  // namespace chiasm
