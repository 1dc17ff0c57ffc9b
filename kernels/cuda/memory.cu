// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "kernels/cuda/check.cuh"
#include "kernels/cuda/memory.h"

namespace chiasm {

std::byte* detail::OnDevice::get(const CudaStream& stream, std::int64_t bytes) {
  stream.make_current();
  void* data = nullptr;
  const cudaError_t error = cudaMalloc(&data, static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1)));
  if (error == cudaSuccess) return static_cast<std::byte*>(data);
  cudaGetLastError();  // reported here
  std::size_t free = 0, total = 0;
  cudaMemGetInfo(&free, &total);
  throw DeviceError("cuda:" + std::to_string(stream.device()) + " has no " + std::to_string(bytes) +
                    " bytes of memory to give: " + std::to_string(free) + " of " + std::to_string(total) +
                    " bytes are free; " + describe(error));
}

void detail::OnDevice::give_back(std::byte* data, int device) {
  cudaSetDevice(device);
  cudaFree(data);
}

std::byte* detail::PinnedOnHost::get(const CudaStream& stream, std::int64_t bytes) {
  stream.make_current();
  void* data = nullptr;
  CHIASM_CUDA(cudaMallocHost(&data, static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1))));
  return static_cast<std::byte*>(data);
}

void detail::PinnedOnHost::give_back(std::byte* data, int device) {
  cudaSetDevice(device);
  cudaFreeHost(data);
}

namespace {

void copy(const CudaStream& stream, void* to, const void* from, std::int64_t bytes, cudaMemcpyKind kind) {
  if (bytes == 0) return;
  CHIASM_CUDA(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), kind, stream.native()));
}

}  // namespace

void copy_to_device(const CudaStream& stream, void* device, const void* host, std::int64_t bytes) {
  copy(stream, device, host, bytes, cudaMemcpyHostToDevice);
}

void copy_to_host(const CudaStream& stream, void* host, const void* device, std::int64_t bytes) {
  copy(stream, host, device, bytes, cudaMemcpyDeviceToHost);
}

void copy_on_device(const CudaStream& stream, void* to, const void* from, std::int64_t bytes) {
  copy(stream, to, from, bytes, cudaMemcpyDeviceToDevice);
}

void fill_on_device(const CudaStream& stream, void* device, std::byte value, std::int64_t bytes) {
  if (bytes == 0) return;
  CHIASM_CUDA(cudaMemsetAsync(device, static_cast<int>(value), static_cast<std::size_t>(bytes), stream.native()));
}

}  // namespace chiasm
