// SPDX-License-Identifier: Apache-2.0
// Launches: the checks that the driver makes, and what it knows of a kernel.
#include <algorithm>
#include <map>

#include "tests/cuda_on_host/execution/grid.h"
#include "tests/cuda_on_host/execution/symbols.h"
#include "tests/cuda_on_host/runtime/api.h"
#include "tests/cuda_on_host/runtime/launch.h"
#include "tests/cuda_on_host/runtime/state.h"

using namespace cuda_on_host;

namespace {

constexpr int kDefaultShared = 48 << 10, kMostShared = 227 << 10;
constexpr std::size_t kMostParameters = 32764;

// cudaFuncAttributeMaxDynamicSharedMemorySize of the kernels that were told one.
std::map<const void*, int>& shared_limits() {
  static auto* kept = new std::map<const void*, int>;
  return *kept;
}

int shared_limit(const void* kernel) {
  const auto found = shared_limits().find(kernel);
  return found == shared_limits().end() ? kDefaultShared : found->second;
}

std::string text(dim3 size) {
  return "(" + std::to_string(size.x) + ", " + std::to_string(size.y) + ", " + std::to_string(size.z) + ")";
}

}  // namespace

namespace cuda_on_host {

cudaError_t launch(const cudaLaunchConfig_t& config, Call call) {
  return api("cudaLaunchKernelEx", [&] {
    const dim3 grid = config.gridDim, block = config.blockDim;
    const auto refuse = [&](cudaError_t error, const std::string& why) {
      return fail(error, symbol_name(call.kernel) + ": " + why);
    };
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 2147483647u || grid.y > 65535 || grid.z > 65535) {
      return refuse(cudaErrorInvalidConfiguration, "a grid of " + text(grid) + " blocks");
    }
    if (block.x == 0 || block.y == 0 || block.z == 0 || block.x > 1024 || block.y > 1024 || block.z > 64 ||
        block.x * block.y * block.z > 1024) {
      return refuse(cudaErrorInvalidConfiguration, "a block of " + text(block) + " threads");
    }
    if (config.dynamicSmemBytes > static_cast<std::size_t>(shared_limit(call.kernel))) {
      return refuse(cudaErrorInvalidValue, std::to_string(config.dynamicSmemBytes) +
                                               " bytes of dynamic shared memory, where cudaFuncSetAttribute allowed " +
                                               std::to_string(shared_limit(call.kernel)));
    }
    if (call.parameter_bytes > kMostParameters) {
      return refuse(cudaErrorInvalidValue, std::to_string(call.parameter_bytes) + " bytes of parameters, more than " +
                                               std::to_string(kMostParameters));
    }
    for (unsigned i = 0; i < config.numAttrs; ++i) {
      const cudaLaunchAttributeID id = config.attrs[i].id;
      if (id != cudaLaunchAttributeIgnore && id != cudaLaunchAttributePriority &&
          id != cudaLaunchAttributeProgrammaticStreamSerialization) {
        return refuse(cudaErrorNotSupported, "launch attribute " + std::to_string(id) + " is not emulated");
      }
    }
    const auto run = [call, grid, block, shared = config.dynamicSmemBytes] {
      return run_grid({.grid = grid,
                       .block = block,
                       .shared_bytes = shared,
                       .invoke = call.invoke,
                       .arguments = call.arguments.get()});
    };
    return enqueue_task(config.stream,
                        {.type = cudaGraphNodeTypeKernel, .name = {}, .run = run, .kernel = call.kernel});
  });
}

}  // namespace cuda_on_host

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  return api("cudaFuncSetAttribute", [&] {
    if (kernel == nullptr) return cudaErrorInvalidDeviceFunction;
    if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) return cudaSuccess;
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 || value > kMostShared) {
      return fail(cudaErrorInvalidValue, "cudaFuncSetAttribute: " + std::to_string(value) +
                                             " bytes of dynamic shared memory, at most " + std::to_string(kMostShared));
    }
    shared_limits()[kernel] = value;
    return cudaSuccess;
  });
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel) {
  return api("cudaFuncGetAttributes", [&] {
    if (attributes == nullptr) return cudaErrorInvalidValue;
    if (kernel == nullptr) return cudaErrorInvalidDeviceFunction;
    *attributes = {};
    attributes->maxThreadsPerBlock = 1024;
    attributes->numRegs = 32;
    attributes->ptxVersion = attributes->binaryVersion = 90;
    attributes->maxDynamicSharedSizeBytes = shared_limit(kernel);
    attributes->preferredShmemCarveout = -1;
    return cudaSuccess;
  });
}

cudaError_t cudaFuncGetName(const char** name, const void* kernel) {
  return api("cudaFuncGetName", [&] {
    static auto* names = new std::map<const void*, std::string>;
    if (name == nullptr || kernel == nullptr) return cudaErrorInvalidValue;
    *name = names->emplace(kernel, symbol_name(kernel)).first->second.c_str();
    return cudaSuccess;
  });
}

// By threads, blocks and shared memory; how many registers a kernel would take is not known here.
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* kernel, int threads,
                                                          std::size_t shared_bytes) {
  return api("cudaOccupancyMaxActiveBlocksPerMultiprocessor", [&] {
    if (blocks == nullptr || threads < 1) return cudaErrorInvalidValue;
    if (kernel == nullptr) return cudaErrorInvalidDeviceFunction;
    *blocks = 0;
    if (threads > 1024 || shared_bytes > static_cast<std::size_t>(shared_limit(kernel))) return cudaSuccess;
    const int by_threads = 2048 / ((threads + 31) / 32 * 32);
    const int by_shared = static_cast<int>((std::size_t{228} << 10) / (shared_bytes + 1024));
    *blocks = std::min({32, by_threads, by_shared});
    return cudaSuccess;
  });
}
