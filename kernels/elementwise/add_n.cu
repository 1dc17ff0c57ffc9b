// SPDX-License-Identifier: Apache-2.0
// AddN on CUDA. A thread adds four neighbouring elements of all inputs, in the order given, and writes them once; the
// pointers travel in the kernel's parameters. More inputs than those hold are added in several launches, whose running
// sum is kept in the workspace: the output may be an input that is read later.
#include <algorithm>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector_access.cuh"
#include "kernels/elementwise/add_n.h"

namespace chiasm {
namespace {

constexpr int kThreads = 256;
constexpr int kElements = 4;
constexpr int kFew = 8;     // inputs of a launch with short parameters
constexpr int kMany = 480;  // and of one whose parameters fill the 4 KB that every device takes

template <int kInputs>
struct Terms {
  const float* data[kInputs];
  std::int64_t elements;
  int count;
  bool aligned;  // all inputs and the output
};

template <class T>
__global__ void __launch_bounds__(kThreads) add_terms(const __grid_constant__ T terms, float* y) {
  const std::int64_t first = (static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x) * kElements;
  const std::int64_t count = terms.elements - first;
  if (count <= 0) return;
  Float4 sum = load_pack<kElements>(terms.data[0] + first, count, terms.aligned);
  for (int k = 1; k < terms.count; ++k) {
    const Float4 x = load_pack<kElements>(terms.data[k] + first, count, terms.aligned);
    for (int e = 0; e < kElements; ++e) sum.value[e] += x.value[e];
  }
  store_pack(y + first, sum, count, terms.aligned);
}

template <int kInputs>
void launch(const CudaStream& stream, std::span<const float* const> inputs, std::int64_t elements, float* y) {
  Terms<kInputs> terms{};
  terms.elements = elements;
  terms.count = static_cast<int>(inputs.size());
  terms.aligned = is_aligned16(y);
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    terms.data[k] = inputs[k];
    terms.aligned = terms.aligned && is_aligned16(inputs[k]);
  }
  CHIASM_LAUNCH(stream, add_terms<Terms<kInputs>>, blocks_for(elements, kThreads * kElements), kThreads, 0, terms, y);
}

}  // namespace

std::int64_t AddN::workspace_bytes(const CudaStream&, std::span<const Spec> in) const {
  return in.size() > kMany ? in[0].bytes() : 0;
}

void AddN::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const std::int64_t elements = out[0].elements();
  std::vector<const float*> inputs;
  for (const View& view : in) inputs.push_back(view.as<float>());
  std::span<const float*> rest(inputs);
  while (rest.size() > kMany) {
    auto* sum = reinterpret_cast<float*>(stream.workspace(elements * static_cast<std::int64_t>(sizeof(float))));
    launch<kMany>(stream, rest.first(kMany), elements, sum);
    rest = rest.subspan(kMany - 1);
    rest[0] = sum;  // an element of it is read and written by the same thread
  }
  float* y = out[0].as<float>();
  rest.size() <= kFew ? launch<kFew>(stream, rest, elements, y) : launch<kMany>(stream, rest, elements, y);
}

}  // namespace chiasm
