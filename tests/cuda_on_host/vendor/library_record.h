// SPDX-License-Identifier: Apache-2.0
// What was asked of the emulated cuBLASLt and cuDNN. Every call is checked as the library would check it, and more
// strictly where the library would read or write what it must not: a call that is wrong returns an error and leaves a
// sentence here. Results are computed naively, sums in float32, factors rounded as the call asks. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cuda_on_host {

// What callers did wrong, one sentence each, the oldest first.
std::vector<std::string> library_misuse();
// Handles and descriptors that were made and not destroyed.
int live_library_objects();
// Forgets misuse, runs and counts; not what lives.
void clear_library_record();

enum class LibraryMath { kFloat32, kTf32, kBfloat16 };

// One cublasLtMatmul: D = alpha op(A) op(B) + beta C, by columns.
struct ProductRun {
  std::uint64_t m = 0, n = 0, k = 0;
  bool transpose_a = false, transpose_b = false;
  LibraryMath math = LibraryMath::kFloat32;
  int reduction_scheme = 0;     // cublasLtReductionScheme_t
  int epilogue = 1;             // cublasLtEpilogue_t
  std::uint32_t alignment = 0;  // that the algorithm takes, bytes
  std::size_t workspace_bytes = 0;
  const void *a = nullptr, *b = nullptr;
  void* d = nullptr;
};
std::vector<ProductRun> product_runs();
int product_heuristics();  // how often an algorithm was asked for

// One cudnnBackendExecute of a convolution.
struct LibraryTensor {
  std::int64_t uid = 0;
  std::array<std::int64_t, 4> dims{}, strides{};  // N C H W, or K C R S
  bool bfloat16 = false;
  std::int64_t alignment = 0;
  void* data = nullptr;
};
enum class LibraryPass { kForward, kInputGradient, kWeightGradient };
struct ConvolutionRun {
  LibraryPass pass = LibraryPass::kForward;
  LibraryTensor x, w, y;
  std::array<std::int64_t, 2> pre{}, post{}, stride{}, dilation{};
  LibraryMath math = LibraryMath::kFloat32;
  int engine = 0;
  bool deterministic = true;
  std::int64_t workspace_bytes = 0;
};
std::vector<ConvolutionRun> convolution_runs();
int convolution_heuristics();

// The engines of the emulated cuDNN, by index, in the order in which its heuristics name them:
//   mode B:   6  any shape, with half a GiB of workspace
//             0  TF32 or bfloat16, not deterministic; channels in fours or eights, 16-byte alignment
//             1  float32, not deterministic
//             2  float32, by Winograd's algorithm: 3 x 3, stride 1, no groups
//             3  TF32 or bfloat16, as 0
//   mode A:   3, then 4: float32; the only one for padding that differs on two sides, at stride 1
//   fallback: 5  float32
// All but 6 want padding below the extent of the kernel. bfloat16 operands give float32 results but in the input
// gradient.
//
// With this, engines that are not deterministic change the order of their sums from run to run.
void set_nondeterministic_sums(bool on);
// Takes every engine away, as for shapes that cuDNN does not support.
void set_no_engines(bool on);

}  // namespace cuda_on_host
