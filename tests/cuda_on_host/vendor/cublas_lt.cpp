// SPDX-License-Identifier: Apache-2.0
// The emulated cuBLASLt: matrix products by columns, float32 or bfloat16 factors, float32 results.
#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <vector>

#include "tests/cuda_on_host/include/cublasLt.h"
#include "tests/cuda_on_host/runtime/control.h"
#include "tests/cuda_on_host/vendor/library_record.h"
#include "tests/cuda_on_host/vendor/registry.h"

struct cublasLtContext {};
struct cublasLtMatrixLayoutOpaque_t {
  cudaDataType_t type;
  std::uint64_t rows, columns;
  std::int64_t leading;
};
struct cublasLtMatmulDescOpaque_t {
  cublasComputeType_t compute;
  cublasOperation_t a = CUBLAS_OP_N, b = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
};
struct cublasLtMatmulPreferenceOpaque_t {
  std::uint64_t max_workspace = 0;
  std::uint32_t schemes = CUBLASLT_REDUCTION_SCHEME_MASK;
  std::array<std::uint32_t, 4> alignment{256, 256, 256, 256};
};

namespace cuda_on_host {
namespace {

using Layout = cublasLtMatrixLayoutOpaque_t;
using Operation = cublasLtMatmulDescOpaque_t;
using Preference = cublasLtMatmulPreferenceOpaque_t;

Registry<cublasLtContext>& handles() {
  static Registry<cublasLtContext> all;
  return all;
}
Registry<Layout>& layouts() {
  static Registry<Layout> all;
  return all;
}
Registry<Operation>& operations() {
  static Registry<Operation> all;
  return all;
}
Registry<Preference>& preferences() {
  static Registry<Preference> all;
  return all;
}

std::vector<ProductRun> runs;
int heuristics = 0;

cublasStatus_t refuse(const std::string& what) {
  note_misuse("cuBLASLt: " + what);
  return CUBLAS_STATUS_INVALID_VALUE;
}

struct Algorithm {
  cublasLtReductionScheme_t scheme;
  std::uint32_t alignment;
  std::size_t workspace_bytes;
};
// In the order in which the heuristic prefers them.
constexpr Algorithm kAlgorithms[] = {
    {CUBLASLT_REDUCTION_SCHEME_INPLACE, 16, 1024},
    {CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE, 16, 8192},
    {CUBLASLT_REDUCTION_SCHEME_NONE, 16, 0},
    {CUBLASLT_REDUCTION_SCHEME_NONE, 4, 0},
};

// A product as its descriptors say, checked to be one.
struct Problem {
  Operation operation;
  Layout a, b, c;
  std::uint64_t m = 0, n = 0, k = 0;
  // What an algorithm was chosen for.
  std::uint64_t fingerprint() const {
    std::uint64_t hash = 1469598103934665603U;
    for (const std::uint64_t part :
         {m, n, k, static_cast<std::uint64_t>(a.leading), static_cast<std::uint64_t>(b.leading),
          static_cast<std::uint64_t>(c.leading), static_cast<std::uint64_t>(a.type),
          static_cast<std::uint64_t>(operation.compute), static_cast<std::uint64_t>(operation.a),
          static_cast<std::uint64_t>(operation.b), static_cast<std::uint64_t>(operation.epilogue)}) {
      hash = (hash ^ part) * 1099511628211U;
    }
    return hash;
  }
};

std::optional<Problem> check(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a,
                             cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                             cublasStatus_t& status) {
  status = CUBLAS_STATUS_NOT_INITIALIZED;
  if (!handles().find(handle)) {
    note_misuse("cuBLASLt: a handle that does not live");
    return std::nullopt;
  }
  const auto op = operations().find(operation);
  const auto la = layouts().find(a), lb = layouts().find(b), lc = layouts().find(c), ld = layouts().find(d);
  if (!op || !la || !lb || !lc || !ld) {
    status = refuse("a descriptor that does not live");
    return std::nullopt;
  }
  Problem p{*op, *la, *lb, *ld};
  const bool ta = op->a == CUBLAS_OP_T, tb = op->b == CUBLAS_OP_T;
  p.m = ta ? la->columns : la->rows;
  p.k = ta ? la->rows : la->columns;
  p.n = tb ? lb->rows : lb->columns;
  if (p.k != (tb ? lb->columns : lb->rows) || ld->rows != p.m || ld->columns != p.n || lc->rows != p.m ||
      lc->columns != p.n) {
    status = refuse("shapes that are no product");
    return std::nullopt;
  }
  for (const auto& layout : {la, lb, lc, ld}) {
    if (layout->leading < static_cast<std::int64_t>(layout->rows)) {
      status = refuse("columns " + std::to_string(layout->leading) + " apart that hold " +
                      std::to_string(layout->rows) + " elements");
      return std::nullopt;
    }
  }
  if (la->type != lb->type || lc->type != CUDA_R_32F || ld->type != CUDA_R_32F ||
      (la->type == CUDA_R_16BF && op->compute != CUBLAS_COMPUTE_32F)) {
    status = refuse("a combination of element types that is not supported");
    return std::nullopt;
  }
  status = CUBLAS_STATUS_SUCCESS;
  return p;
}

LibraryMath math_of(const Problem& p) {
  if (p.a.type == CUDA_R_16BF) return LibraryMath::kBfloat16;
  return p.operation.compute == CUBLAS_COMPUTE_32F_FAST_TF32 ? LibraryMath::kTf32 : LibraryMath::kFloat32;
}

std::size_t element_bytes(cudaDataType_t type) { return type == CUDA_R_16BF ? 2 : 4; }

std::size_t bytes_of(const Layout& layout) {
  if (layout.rows == 0 || layout.columns == 0) return 0;
  return (static_cast<std::size_t>(layout.leading) * (layout.columns - 1) + layout.rows) * element_bytes(layout.type);
}

// Whether everything the product touches is there.
std::string check_memory(const Problem& p, const void* a, const void* b, const void* c, const void* d) {
  if (!is_device_memory(a, bytes_of(p.a)))
    return "A is not device memory of " + std::to_string(bytes_of(p.a)) + " bytes";
  if (!is_device_memory(b, bytes_of(p.b)))
    return "B is not device memory of " + std::to_string(bytes_of(p.b)) + " bytes";
  if (c != nullptr && !is_device_memory(c, bytes_of(p.c))) return "C is not device memory of its size";
  if (!is_device_memory(d, bytes_of(p.c)))
    return "D is not device memory of " + std::to_string(bytes_of(p.c)) + " bytes";
  if ((p.operation.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0 &&
      !is_device_memory(p.operation.bias, p.m * sizeof(float))) {
    return "the bias is not device memory of " + std::to_string(p.m * sizeof(float)) + " bytes";
  }
  return "";
}

void compute(const Problem& p, float alpha, float beta, const void* a, const void* b, const void* c, void* d) {
  const bool half = p.a.type == CUDA_R_16BF, tf32 = math_of(p) == LibraryMath::kTf32;
  const auto factor = [&](const void* data, const Layout& layout, bool transposed, std::uint64_t row,
                          std::uint64_t column) {
    if (transposed) std::swap(row, column);
    const float value =
        read_element(data, half, static_cast<std::int64_t>(column) * layout.leading + static_cast<std::int64_t>(row));
    return tf32 ? round_to_tf32(value) : value;
  };
  std::vector<float> left(p.k);
  std::vector<float> sums(p.m * p.n);
  for (std::uint64_t i = 0; i < p.m; ++i) {
    for (std::uint64_t l = 0; l < p.k; ++l) left[l] = factor(a, p.a, p.operation.a == CUBLAS_OP_T, i, l);
    for (std::uint64_t j = 0; j < p.n; ++j) {
      float sum = 0.0f;
      for (std::uint64_t l = 0; l < p.k; ++l) sum += left[l] * factor(b, p.b, p.operation.b == CUBLAS_OP_T, l, j);
      sums[j * p.m + i] = sum;
    }
  }
  for (std::uint64_t j = 0; j < p.n; ++j) {
    for (std::uint64_t i = 0; i < p.m; ++i) {
      const std::int64_t at = static_cast<std::int64_t>(j) * p.c.leading + static_cast<std::int64_t>(i);
      float value = alpha * sums[j * p.m + i];
      if (beta != 0.0f) value += beta * read_element(c, false, at);
      if ((p.operation.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0) {
        value += read_element(p.operation.bias, false, static_cast<std::int64_t>(i));
      }
      if ((p.operation.epilogue & CUBLASLT_EPILOGUE_RELU) != 0) value = value > 0.0f ? value : 0.0f;
      write_element(d, false, at, value);
    }
  }
}

// Copies an attribute of the size that the library keeps it in.
template <class T>
cublasStatus_t copy_attribute(T& to, const void* value, std::size_t bytes) {
  if (value == nullptr || bytes != sizeof(T)) return refuse("an attribute of " + std::to_string(bytes) + " bytes");
  std::memcpy(&to, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

template <class T>
cublasStatus_t destroy(Registry<T>& registry, const void* address, const char* what) {
  const std::scoped_lock lock(library_mutex());
  if (registry.remove(address)) return CUBLAS_STATUS_SUCCESS;
  return refuse(std::string(what) + " is destroyed that does not live");
}

}  // namespace

void clear_product_record() {
  runs.clear();
  heuristics = 0;
}

std::vector<ProductRun> product_runs() {
  const std::scoped_lock lock(library_mutex());
  return runs;
}

int product_heuristics() {
  const std::scoped_lock lock(library_mutex());
  return heuristics;
}

}  // namespace cuda_on_host

using namespace cuda_on_host;

const char* cublasLtGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
  }
  return "?";
}

const char* cublasLtGetStatusString(cublasStatus_t status) {
  thread_local std::string text;
  const std::vector<std::string> misuse = library_misuse();
  text = status == CUBLAS_STATUS_SUCCESS ? "success" : misuse.empty() ? "not possible" : misuse.back();
  return text.c_str();
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  const std::scoped_lock lock(library_mutex());
  *handle = handles().add(std::make_shared<cublasLtContext>());
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) { return destroy(handles(), handle, "a handle"); }

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType_t type, std::uint64_t rows,
                                          std::uint64_t columns, std::int64_t leading) {
  const std::scoped_lock lock(library_mutex());
  *layout = layouts().add(std::make_shared<Layout>(Layout{type, rows, columns, leading}));
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  return destroy(layouts(), layout, "a layout");
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* operation, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  const std::scoped_lock lock(library_mutex());
  if (scale != CUDA_R_32F) return refuse("a scale that is not float32");
  *operation = operations().add(std::make_shared<Operation>(Operation{compute}));
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t name,
                                              const void* value, std::size_t bytes) {
  const std::scoped_lock lock(library_mutex());
  const auto found = operations().find(operation);
  if (!found) return refuse("an attribute of an operation that does not live");
  switch (name) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return copy_attribute(found->a, value, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return copy_attribute(found->b, value, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return copy_attribute(found->epilogue, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return copy_attribute(found->bias, value, bytes);
  }
  return refuse("an unknown attribute of an operation");
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t operation) {
  return destroy(operations(), operation, "an operation");
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  const std::scoped_lock lock(library_mutex());
  *preference = preferences().add(std::make_shared<Preference>());
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t name, const void* value,
                                                    std::size_t bytes) {
  const std::scoped_lock lock(library_mutex());
  const auto found = preferences().find(preference);
  if (!found) return refuse("an attribute of a preference that does not live");
  switch (name) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
      return copy_attribute(found->max_workspace, value, bytes);
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
      return copy_attribute(found->schemes, value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
      return copy_attribute(found->alignment[0], value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
      return copy_attribute(found->alignment[1], value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
      return copy_attribute(found->alignment[2], value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
      return copy_attribute(found->alignment[3], value, bytes);
  }
  return refuse("an unknown attribute of a preference");
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  return destroy(preferences(), preference, "a preference");
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int requested,
                                              cublasLtMatmulHeuristicResult_t results[], int* found) {
  const std::scoped_lock lock(library_mutex());
  ++heuristics;
  *found = 0;
  cublasStatus_t status;
  const std::optional<Problem> problem = check(handle, operation, a, b, c, d, status);
  if (!problem) return status;
  const auto wanted = preferences().find(preference);
  if (!wanted) return refuse("a preference that does not live");
  for (const Algorithm& algorithm : kAlgorithms) {
    if (*found == requested) break;
    const bool allowed = algorithm.scheme == CUBLASLT_REDUCTION_SCHEME_NONE ||
                         (wanted->schemes & static_cast<std::uint32_t>(algorithm.scheme)) != 0;
    bool aligned = true;
    for (const std::uint32_t alignment : wanted->alignment) aligned = aligned && alignment >= algorithm.alignment;
    if (!allowed || !aligned || algorithm.workspace_bytes > wanted->max_workspace) continue;
    cublasLtMatmulHeuristicResult_t& result = results[(*found)++];
    result = {};
    result.algo.data[0] = static_cast<std::uint64_t>(&algorithm - kAlgorithms) + 1;
    result.algo.data[1] = problem->fingerprint();
    result.workspaceSize = algorithm.workspace_bytes;
    result.wavesCount = 1.0f;
  }
  return *found == 0 ? CUBLAS_STATUS_NOT_SUPPORTED : CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout,
                              const void* beta, const void* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t* chosen, void* workspace,
                              std::size_t workspace_bytes, cudaStream_t stream) {
  const std::scoped_lock lock(library_mutex());
  cublasStatus_t status;
  const std::optional<Problem> found = check(handle, operation, a_layout, b_layout, c_layout, d_layout, status);
  if (!found) return status;
  const Problem& p = *found;
  if (alpha == nullptr || beta == nullptr) return refuse("no alpha or no beta");
  if (chosen == nullptr || chosen->data[0] == 0 || chosen->data[0] > std::size(kAlgorithms)) {
    return refuse("an algorithm that no heuristic gave");
  }
  if (chosen->data[1] != p.fingerprint()) return refuse("an algorithm that was chosen for another product");
  const Algorithm& algorithm = kAlgorithms[chosen->data[0] - 1];
  if (workspace_bytes < algorithm.workspace_bytes) {
    return refuse("a workspace of " + std::to_string(workspace_bytes) + " bytes where the algorithm needs " +
                  std::to_string(algorithm.workspace_bytes));
  }
  if (algorithm.workspace_bytes > 0 &&
      (!is_device_memory(workspace, workspace_bytes) || reinterpret_cast<std::uintptr_t>(workspace) % 256 != 0)) {
    return refuse("a workspace that is not device memory at a multiple of 256");
  }
  const bool biased = (p.operation.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0;
  for (const void* address : {a, b, c, static_cast<const void*>(d), biased ? p.operation.bias : nullptr}) {
    if (reinterpret_cast<std::uintptr_t>(address) % algorithm.alignment != 0) {
      return refuse("an operand that is not at a multiple of " + std::to_string(algorithm.alignment) +
                    " bytes, for which the algorithm was chosen");
    }
  }
  if (const std::string what = check_memory(p, a, b, c, d); !what.empty()) return refuse(what);
  const float by_alpha = *static_cast<const float*>(alpha), by_beta = *static_cast<const float*>(beta);
  const cudaError_t error = enqueue(stream, "cublasLtMatmul", [=]() -> std::string {
    if (const std::string what = check_memory(p, a, b, c, d); !what.empty()) return what;
    // Scratch memory is written, as the library would.
    if (algorithm.workspace_bytes > 0) std::memset(workspace, 0x7f, algorithm.workspace_bytes);
    compute(p, by_alpha, by_beta, a, b, c, d);
    return "";
  });
  if (error != cudaSuccess) {
    note_misuse("cuBLASLt: a stream that takes no work");
    return CUBLAS_STATUS_EXECUTION_FAILED;
  }
  runs.push_back({.m = p.m,
                  .n = p.n,
                  .k = p.k,
                  .transpose_a = p.operation.a == CUBLAS_OP_T,
                  .transpose_b = p.operation.b == CUBLAS_OP_T,
                  .math = math_of(p),
                  .reduction_scheme = algorithm.scheme,
                  .epilogue = p.operation.epilogue,
                  .alignment = algorithm.alignment,
                  .workspace_bytes = algorithm.workspace_bytes,
                  .a = a,
                  .b = b,
                  .d = d});
  return CUBLAS_STATUS_SUCCESS;
}
