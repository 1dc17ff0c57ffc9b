// SPDX-License-Identifier: Apache-2.0
// The emulated cuDNN: a plan meets memory.
#include <algorithm>
#include <atomic>
#include <cstring>

#include "tests/cuda_on_host/runtime/control.h"
#include "tests/cuda_on_host/vendor/cudnn_descriptor.h"
#include "tests/cuda_on_host/vendor/registry.h"

namespace cuda_on_host {
namespace {

std::vector<ConvolutionRun> runs;
bool nondeterministic_sums = false;
std::atomic<unsigned> order_of_sums{0};

std::size_t bytes_of(const LibraryTensor& t) {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < 4; ++i) last += (t.dims[i] - 1) * t.strides[i];
  return static_cast<std::size_t>(last + 1) * (t.bfloat16 ? 2 : 4);
}

std::string check_memory(const ConvolutionRun& r, const void* workspace) {
  for (const auto& [name, t] : {std::pair{"x", &r.x}, {"the weight", &r.w}, {"y", &r.y}}) {
    if (!is_device_memory(t->data, bytes_of(*t))) {
      return std::string(name) + " is not device memory of " + std::to_string(bytes_of(*t)) + " bytes";
    }
  }
  if (r.workspace_bytes > 0 && !is_device_memory(workspace, static_cast<std::size_t>(r.workspace_bytes))) {
    return "the workspace is not device memory of " + std::to_string(r.workspace_bytes) + " bytes";
  }
  return "";
}

std::int64_t at(const LibraryTensor& t, std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
  return a * t.strides[0] + b * t.strides[1] + c * t.strides[2] + d * t.strides[3];
}

// The definition, element by element of the result. With `backwards`, images and taps are summed in reverse.
void compute(const ConvolutionRun& r, bool backwards) {
  const bool tf32 = r.math == LibraryMath::kTf32;
  const auto read = [&](const LibraryTensor& t, std::int64_t index) {
    const float value = read_element(t.data, t.bfloat16, index);
    return tf32 ? round_to_tf32(value) : value;
  };
  const LibraryTensor& result = r.pass == LibraryPass::kForward         ? r.y
                                : r.pass == LibraryPass::kInputGradient ? r.x
                                                                        : r.w;
  std::vector<float> sums(bytes_of(result) / (result.bfloat16 ? 2 : 4), 0.0f);
  const std::int64_t batch = r.x.dims[0], channels = r.w.dims[1], outputs = r.w.dims[0];
  const std::int64_t per_group = outputs / (r.x.dims[1] / channels), taps = r.w.dims[2] * r.w.dims[3];
  for (std::int64_t image = 0; image < batch; ++image) {
    const std::int64_t n = backwards ? batch - 1 - image : image;
    for (std::int64_t step = 0; step < taps; ++step) {
      const std::int64_t tap = backwards ? taps - 1 - step : step, a = tap / r.w.dims[3], b = tap % r.w.dims[3];
      for (std::int64_t i = 0; i < r.y.dims[2]; ++i) {
        const std::int64_t row = i * r.stride[0] - r.pre[0] + a * r.dilation[0];
        if (row < 0 || row >= r.x.dims[2]) continue;
        for (std::int64_t j = 0; j < r.y.dims[3]; ++j) {
          const std::int64_t column = j * r.stride[1] - r.pre[1] + b * r.dilation[1];
          if (column < 0 || column >= r.x.dims[3]) continue;
          for (std::int64_t o = 0; o < outputs; ++o) {
            const std::int64_t y = at(r.y, n, o, i, j);
            for (std::int64_t c = 0; c < channels; ++c) {
              const std::int64_t x = at(r.x, n, o / per_group * channels + c, row, column), w = at(r.w, o, c, a, b);
              switch (r.pass) {
                case LibraryPass::kForward:
                  sums[static_cast<std::size_t>(y)] += read(r.x, x) * read(r.w, w);
                  break;
                case LibraryPass::kInputGradient:
                  sums[static_cast<std::size_t>(x)] += read(r.y, y) * read(r.w, w);
                  break;
                case LibraryPass::kWeightGradient:
                  sums[static_cast<std::size_t>(w)] += read(r.x, x) * read(r.y, y);
                  break;
              }
            }
          }
        }
      }
    }
  }
  // Elements between those of the tensor are left alone.
  for (std::int64_t n = 0; n < result.dims[0]; ++n) {
    for (std::int64_t c = 0; c < result.dims[1]; ++c) {
      for (std::int64_t i = 0; i < result.dims[2]; ++i) {
        for (std::int64_t j = 0; j < result.dims[3]; ++j) {
          const std::int64_t index = at(result, n, c, i, j);
          write_element(result.data, result.bfloat16, index, sums[static_cast<std::size_t>(index)]);
        }
      }
    }
  }
}

}  // namespace

void clear_convolution_heuristics();

void clear_convolution_record() {
  runs.clear();
  clear_convolution_heuristics();
}

std::vector<ConvolutionRun> convolution_runs() {
  const std::scoped_lock lock(library_mutex());
  return runs;
}

void set_nondeterministic_sums(bool on) { nondeterministic_sums = on; }

}  // namespace cuda_on_host

using namespace cuda_on_host;

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
  const std::scoped_lock lock(library_mutex());
  const auto context = find_cudnn_handle(handle);
  if (!context) return refuse_cudnn(CUDNN_STATUS_NOT_INITIALIZED, "a plan runs on a handle that does not live");
  const CudnnObjectPtr planned = find_cudnn_object(plan), packed = find_cudnn_object(pack);
  if (!planned || !planned->finalized || planned->type != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
    return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a plan that is not finalised, or none");
  }
  if (!packed || !packed->finalized || packed->type != CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR) {
    return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a variant pack that is not finalised, or none");
  }
  for (const std::weak_ptr<CudnnObject>& part : planned->problem->parts) {
    if (part.expired()) return refuse_cudnn(CUDNN_STATUS_BAD_PARAM, "a part of the plan was destroyed");
  }
  ConvolutionRun run = planned->problem->run;
  const auto ids = packed->values<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64);
  const auto addresses = packed->values<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR);
  for (LibraryTensor* t : {&run.x, &run.w, &run.y}) {
    const auto id = std::find(ids.begin(), ids.end(), t->uid);
    if (id == ids.end()) {
      return refuse_cudnn(CUDNN_STATUS_BAD_PARAM, "no address for the tensor with id " + std::to_string(t->uid));
    }
    t->data = addresses[static_cast<std::size_t>(id - ids.begin())];
    if (reinterpret_cast<std::uintptr_t>(t->data) % static_cast<std::uintptr_t>(t->alignment) != 0) {
      return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER, "an address that is not a multiple of the " +
                                                                         std::to_string(t->alignment) +
                                                                         " bytes that its tensor declares");
    }
  }
  if (ids.size() != 3) return refuse_cudnn(CUDNN_STATUS_BAD_PARAM, "addresses of tensors that the graph does not have");
  void* workspace = packed->values<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR).at(0);
  if (const std::string what = check_memory(run, workspace); !what.empty()) {
    return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT, what);
  }
  const cudaError_t error = enqueue(context->stream, "cudnnBackendExecute", [run, workspace]() -> std::string {
    if (const std::string what = check_memory(run, workspace); !what.empty()) return what;
    // Scratch memory is written, as the library would.
    if (run.workspace_bytes > 0) std::memset(workspace, 0x7f, static_cast<std::size_t>(run.workspace_bytes));
    compute(run, nondeterministic_sums && !run.deterministic && order_of_sums++ % 2 == 1);
    return "";
  });
  if (error != cudaSuccess) return refuse_cudnn(CUDNN_STATUS_EXECUTION_FAILED, "a stream that takes no work");
  runs.push_back(run);
  return CUDNN_STATUS_SUCCESS;
}
