// SPDX-License-Identifier: Apache-2.0
// cuBLASLt counts in columns, so a row-major product is computed as its transpose: C^T = op(B)^T op(A)^T, where a
// row-major matrix is its own transpose seen by columns. The bias of a column of C is then the bias of a row, as the
// library's epilogue wants it.
#include <compare>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "kernels/cuda/check_vendor.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/vendor/bfloat16.cuh"
#include "kernels/vendor/cublas_lt.cuh"
#include "kernels/vendor/workspace_parts.h"

namespace chiasm {
namespace {

// What NVIDIA recommends for a Hopper device; algorithms that want more are not offered.
constexpr std::int64_t kMaxWorkspace = std::int64_t{32} << 20;
constexpr std::uint32_t kVectorAlignment = 16;

template <class Handle, auto destroy>
struct Destroy {
  void operator()(Handle handle) const { destroy(handle); }
};
template <class Handle, auto destroy>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroy<Handle, destroy>>;
using Operation = Owned<cublasLtMatmulDesc_t, &cublasLtMatmulDescDestroy>;
using Layout = Owned<cublasLtMatrixLayout_t, &cublasLtMatrixLayoutDestroy>;
using Preference = Owned<cublasLtMatmulPreference_t, &cublasLtMatmulPreferenceDestroy>;

struct Key {
  MatrixProduct product;
  CudaMath math;
  bool deterministic;
  std::uint32_t align_a, align_b, align_c;
  std::int64_t max_workspace;
  auto operator<=>(const Key&) const = default;
};

struct Plan {
  Operation operation;
  Layout a, b, c;
  cublasLtMatmulAlgo_t algorithm{};
  std::int64_t workspace_bytes = 0;
};

struct Plans {
  std::map<Key, Plan> by_key;
};

bool rounds_to_bfloat16(const CudaStream& stream) { return stream.math() == CudaMath::kBfloat16; }

// Rows and columns as they lie in memory, and how far rows are apart.
struct Stored {
  std::int64_t rows, columns, pitch;
};
Stored stored(std::int64_t rows, std::int64_t columns, bool transposed, bool bfloat16) {
  if (transposed) std::swap(rows, columns);
  return {rows, columns, bfloat16 ? bfloat16_pitch(columns) : columns};
}
Stored stored_a(const MatrixProduct& p, bool bfloat16) { return stored(p.m, p.k, p.transpose_a, bfloat16); }
Stored stored_b(const MatrixProduct& p, bool bfloat16) { return stored(p.k, p.n, p.transpose_b, bfloat16); }

Layout make_layout(const Stored& matrix, cudaDataType_t type) {
  cublasLtMatrixLayout_t layout = nullptr;
  CHIASM_CUBLAS(cublasLtMatrixLayoutCreate(&layout, type, static_cast<std::uint64_t>(matrix.columns),
                                           static_cast<std::uint64_t>(matrix.rows), matrix.pitch));
  return Layout(layout);
}

template <class T>
void set(const Operation& operation, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  CHIASM_CUBLAS(cublasLtMatmulDescSetAttribute(operation.get(), attribute, &value, sizeof(value)));
}
template <class T>
void set(const Preference& preference, cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
  CHIASM_CUBLAS(cublasLtMatmulPreferenceSetAttribute(preference.get(), attribute, &value, sizeof(value)));
}

Operation make_operation(const Key& key) {
  cublasLtMatmulDesc_t made = nullptr;
  const cublasComputeType_t compute = key.math == CudaMath::kTf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
  CHIASM_CUBLAS(cublasLtMatmulDescCreate(&made, compute, CUDA_R_32F));
  Operation operation(made);
  const auto op = [](bool transposed) { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  set(operation, CUBLASLT_MATMUL_DESC_TRANSA, op(key.product.transpose_b));
  set(operation, CUBLASLT_MATMUL_DESC_TRANSB, op(key.product.transpose_a));
  if (key.product.epilogue != ProductEpilogue::kNone) {
    set(operation, CUBLASLT_MATMUL_DESC_EPILOGUE,
        key.product.epilogue == ProductEpilogue::kBias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_RELU_BIAS);
    // Not read when the algorithm is chosen: only its alignment counts there. run_product sets the real one.
    set(operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, reinterpret_cast<const void*>(std::uintptr_t{kVectorAlignment}));
  }
  return operation;
}

Preference make_preference(const Key& key) {
  cublasLtMatmulPreference_t made = nullptr;
  CHIASM_CUBLAS(cublasLtMatmulPreferenceCreate(&made));
  Preference preference(made);
  set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<std::uint64_t>(key.max_workspace));
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, key.align_b);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, key.align_a);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, key.align_c);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, key.align_c);
  if (key.deterministic) {
    set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_NONE | CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
  }
  return preference;
}

[[noreturn]] void throw_no_algorithm(const Key& key) {
  const auto factor = [](std::int64_t rows, std::int64_t columns, bool transposed) {
    return std::to_string(rows) + "x" + std::to_string(columns) + (transposed ? " (transposed)" : "");
  };
  const MatrixProduct& p = key.product;
  throw DeviceError("cuBLASLt has no algorithm for the product " + factor(p.m, p.k, p.transpose_a) + " times " +
                    factor(p.k, p.n, p.transpose_b) + " in " +
                    (key.math == CudaMath::kBfloat16 ? "bfloat16 (compute capability 8.0 and later)"
                     : key.math == CudaMath::kTf32   ? "TF32"
                                                     : "float32") +
                    " on this device");
}

Plan make_plan(cublasLtHandle_t handle, const Key& key) {
  const bool bfloat16 = key.math == CudaMath::kBfloat16;
  const cudaDataType_t factor = bfloat16 ? CUDA_R_16BF : CUDA_R_32F;
  Plan plan{make_operation(key), make_layout(stored_a(key.product, bfloat16), factor),
            make_layout(stored_b(key.product, bfloat16), factor),
            make_layout({key.product.m, key.product.n, key.product.n}, CUDA_R_32F)};
  const Preference preference = make_preference(key);
  cublasLtMatmulHeuristicResult_t best{};
  int found = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(handle, plan.operation.get(), plan.b.get(), plan.a.get(), plan.c.get(),
                                     plan.c.get(), preference.get(), 1, &best, &found);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || (status == CUBLAS_STATUS_SUCCESS && found == 0)) {
    throw_no_algorithm(key);
  }
  CHIASM_CUBLAS(status);
  CHIASM_CUBLAS(best.state);
  plan.algorithm = best.algo;
  plan.workspace_bytes = static_cast<std::int64_t>(best.workspaceSize);
  return plan;
}

Plan& plan_for(const CudaStream& stream, const Key& key) {
  std::map<Key, Plan>& plans = stream.cache<Plans>().by_key;
  const auto known = plans.find(key);
  return known != plans.end() ? known->second : plans.emplace(key, make_plan(stream.cublas_lt(), key)).first->second;
}

// A dense matrix whose length is not a multiple of four may begin anywhere within an arena's slice, one by one with its
// neighbours; others begin at multiples of 16 bytes unless a caller cuts them otherwise.
std::uint32_t expected_alignment(std::int64_t elements) { return elements % 4 == 0 ? kVectorAlignment : sizeof(float); }

Key expected_key(const CudaStream& stream, const MatrixProduct& p) {
  const bool cast = rounds_to_bfloat16(stream);
  return {.product = p,
          .math = stream.math(),
          .deterministic = stream.deterministic(),
          .align_a = cast ? kVectorAlignment : expected_alignment(p.m * p.k),
          .align_b = cast ? kVectorAlignment : expected_alignment(p.k * p.n),
          .align_c = expected_alignment(p.m * p.n),
          .max_workspace = kMaxWorkspace};
}

bool empty(const MatrixProduct& p) { return p.m == 0 || p.n == 0 || p.k == 0; }

struct Scratch {
  __nv_bfloat16* a;
  __nv_bfloat16* b;
  std::byte* library;
};
Scratch cut(const CudaStream& stream, const MatrixProduct& p, std::int64_t library_bytes, WorkspaceParts& parts) {
  const bool cast = rounds_to_bfloat16(stream);
  const auto take = [&](const Stored& matrix) {
    return reinterpret_cast<__nv_bfloat16*>(parts.take(cast ? matrix.rows * matrix.pitch * 2 : 0));
  };
  __nv_bfloat16* a = take(stored_a(p, true));
  __nv_bfloat16* b = take(stored_b(p, true));
  return {a, b, parts.take(library_bytes)};
}

bool aligned_to(const void* address, std::uint32_t alignment) {
  return reinterpret_cast<std::uintptr_t>(address) % alignment == 0;
}

}  // namespace

std::int64_t product_workspace_bytes(const CudaStream& stream, const MatrixProduct& product) {
  if (empty(product)) return 0;
  WorkspaceParts parts;
  cut(stream, product, plan_for(stream, expected_key(stream, product)).workspace_bytes, parts);
  return parts.bytes();
}

void run_product(const CudaStream& stream, const MatrixProduct& p, const ProductOperands& operands,
                 std::byte* workspace) {
  if (p.m == 0 || p.n == 0) return;
  if (p.k == 0) {
    if (operands.beta != 0.0f || p.epilogue != ProductEpilogue::kNone) {
      throw InternalError("run_product: an empty sum can be stored, not added to or biased");
    }
    CHIASM_CUDA(cudaMemsetAsync(operands.c, 0, static_cast<std::size_t>(p.m * p.n) * sizeof(float), stream.native()));
    return;
  }
  const Key key = expected_key(stream, p);
  Plan* plan = &plan_for(stream, key);
  WorkspaceParts parts(workspace);
  const Scratch scratch = cut(stream, p, plan->workspace_bytes, parts);
  const void *a = operands.a, *b = operands.b;
  if (rounds_to_bfloat16(stream)) {
    const Stored from_a = stored_a(p, true), from_b = stored_b(p, true);
    cast_to_bfloat16(stream, operands.a, from_a.rows, from_a.columns, scratch.a);
    cast_to_bfloat16(stream, operands.b, from_b.rows, from_b.columns, scratch.b);
    a = scratch.a;
    b = scratch.b;
  }
  const std::int64_t library_bytes = plan->workspace_bytes;
  if (!aligned_to(a, key.align_a) || !aligned_to(b, key.align_b) || !aligned_to(operands.c, key.align_c)) {
    // Views that begin elsewhere: an algorithm that reads element by element and makes do with the same workspace.
    Key scalar = key;
    if (!rounds_to_bfloat16(stream)) scalar.align_a = scalar.align_b = sizeof(float);
    scalar.align_c = sizeof(float);
    scalar.max_workspace = library_bytes;
    plan = &plan_for(stream, scalar);
  }
  if (p.epilogue != ProductEpilogue::kNone) {
    set(plan->operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, operands.bias);
  }
  CHIASM_CUBLAS(cublasLtMatmul(stream.cublas_lt(), plan->operation.get(), &operands.alpha, b, plan->b.get(), a,
                               plan->a.get(), &operands.beta, operands.c, plan->c.get(), operands.c, plan->c.get(),
                               &plan->algorithm, scratch.library, static_cast<std::size_t>(library_bytes),
                               stream.native()));
}

std::int64_t planned_products(const CudaStream& stream) {
  return static_cast<std::int64_t>(stream.cache<Plans>().by_key.size());
}

}  // namespace chiasm
