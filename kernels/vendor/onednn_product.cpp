// SPDX-License-Identifier: Apache-2.0
#include "kernels/vendor/onednn_product.h"

#include <oneapi/dnnl/dnnl.h>

#include <utility>

#include "kernels/error.h"
#include "kernels/vendor/library_threads.h"

namespace chiasm {

void onednn_product(std::int64_t m, std::int64_t n, std::int64_t k, const Factor<float>& a, const Factor<float>& b,
                    float beta, float* c, std::int64_t c_stride) {
  const LibraryThreads one(1);
  const auto letter = [](bool transposed) { return transposed ? 'T' : 'N'; };
  const dnnl_status_t status = dnnl_sgemm(letter(a.transposed), letter(b.transposed), m, n, k, 1.0F, a.data, a.stride,
                                          b.data, b.stride, beta, c, c_stride);
  if (status != dnnl_success) {
    throw InternalError("oneDNN's matrix product of " + std::to_string(m) + " x " + std::to_string(k) + " and " +
                        std::to_string(k) + " x " + std::to_string(n) + " failed with status " +
                        std::to_string(static_cast<int>(status)));
  }
}

std::string onednn_instruction_set() {
  const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
  for (const auto& [known, name] : {std::pair{dnnl_cpu_isa_sse41, "sse41"},
                                    {dnnl_cpu_isa_avx, "avx"},
                                    {dnnl_cpu_isa_avx2, "avx2"},
                                    {dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
                                    {dnnl_cpu_isa_avx512_core, "avx512_core"},
                                    {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
                                    {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
                                    {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"}}) {
    if (isa == known) return name;
  }
  return "level " + std::to_string(static_cast<int>(isa));
}

IsaLevel onednn_isa_level() {
  // A set of instructions holds the bits of all that it includes.
  const auto has = [isa = dnnl_get_effective_cpu_isa()](dnnl_cpu_isa_t wanted) { return (isa & wanted) == wanted; };
  if (has(dnnl_cpu_isa_avx512_core)) return IsaLevel::kAvx512;
  return has(dnnl_cpu_isa_avx2) ? IsaLevel::kAvx2 : IsaLevel::kBaseline;
}

}  // namespace chiasm
