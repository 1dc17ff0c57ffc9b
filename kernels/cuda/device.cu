// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/check.cuh"
#include "kernels/cuda/device.h"

namespace chiasm {
namespace {

// CUDA writes 13.0 as 13000 and 12.4 as 12040; zero means that there is none.
std::string version_text(int version) {
  if (version == 0) return {};
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

CudaDevice describe_device(int index) {
  cudaDeviceProp properties{};
  CHIASM_CUDA(cudaGetDeviceProperties(&properties, index));
  return {.index = index,
          .name = properties.name,
          .compute_major = properties.major,
          .compute_minor = properties.minor,
          .memory_bytes = static_cast<std::int64_t>(properties.totalGlobalMem),
          .multiprocessors = properties.multiProcessorCount};
}

}  // namespace

CudaDevices cuda_devices() {
  CudaDevices found;
  found.compiled_in = true;
  int version = 0;
  CHIASM_CUDA(cudaRuntimeGetVersion(&version));
  found.runtime_version = version_text(version);
  version = 0;
  CHIASM_CUDA(cudaDriverGetVersion(&version));
  found.driver_version = version_text(version);

  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    cudaGetLastError();  // no driver, a driver too old, no device: reported here and nowhere else
    found.why_none = detail::describe(error);
    return found;
  }
  for (int index = 0; index < count; ++index) found.devices.push_back(describe_device(index));
  if (count == 0) found.why_none = "the driver lists no device";
  return found;
}

}  // namespace chiasm
