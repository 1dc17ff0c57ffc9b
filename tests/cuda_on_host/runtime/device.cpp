// SPDX-License-Identifier: Apache-2.0
// The one device: an H100 by its numbers.
#include <cstdio>
#include <cstring>

#include "tests/cuda_on_host/runtime/api.h"
#include "tests/cuda_on_host/runtime/control.h"
#include "tests/cuda_on_host/runtime/state.h"

using namespace cuda_on_host;

namespace {

cudaError_t bad_device(int device) {
  return fail(cudaErrorInvalidDevice, "there is no device " + std::to_string(device) + ", only device 0");
}

cudaDeviceProp properties_of_device() {
  cudaDeviceProp all{};
  std::strcpy(all.name, "host emulation of CUDA (for tests)");
  std::size_t free = 0;
  cudaMemGetInfo(&free, &all.totalGlobalMem);
  all.sharedMemPerBlock = 48 << 10;
  all.regsPerBlock = 65536;
  all.warpSize = 32;
  all.maxThreadsPerBlock = 1024;
  all.maxThreadsDim[0] = all.maxThreadsDim[1] = 1024;
  all.maxThreadsDim[2] = 64;
  all.maxGridSize[0] = 2147483647;
  all.maxGridSize[1] = all.maxGridSize[2] = 65535;
  all.totalConstMem = 65536;
  all.major = 9;
  all.minor = 0;
  all.multiProcessorCount = 132;
  all.canMapHostMemory = 1;
  all.concurrentKernels = 1;
  all.ECCEnabled = 1;
  all.asyncEngineCount = 3;
  all.unifiedAddressing = 1;
  all.memoryBusWidth = 5120;
  all.l2CacheSize = 50 << 20;
  all.maxThreadsPerMultiProcessor = 2048;
  all.streamPrioritiesSupported = 1;
  all.sharedMemPerMultiprocessor = 228 << 10;
  all.regsPerMultiprocessor = 65536;
  all.sharedMemPerBlockOptin = 227 << 10;
  all.maxBlocksPerMultiProcessor = 32;
  all.reservedSharedMemPerBlock = 1024;
  all.hostRegisterSupported = 1;
  return all;
}

}  // namespace

cudaError_t cudaRuntimeGetVersion(int* version) {
  if (version == nullptr) return record(cudaErrorInvalidValue);
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  if (version == nullptr) return record(cudaErrorInvalidValue);
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  return api("cudaGetDeviceCount", [&] {
    if (count == nullptr) return cudaErrorInvalidValue;
    *count = 1;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDevice(int* device) {
  return api("cudaGetDevice", [&] {
    if (device == nullptr) return cudaErrorInvalidValue;
    *device = 0;
    return cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int device) {
  return api("cudaSetDevice", [&] { return device == 0 ? cudaSuccess : bad_device(device); });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return api("cudaGetDeviceProperties", [&] {
    if (properties == nullptr) return cudaErrorInvalidValue;
    if (device != 0) return bad_device(device);
    *properties = properties_of_device();
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  return api("cudaDeviceGetAttribute", [&] {
    if (value == nullptr) return cudaErrorInvalidValue;
    if (device != 0) return bad_device(device);
    const cudaDeviceProp all = properties_of_device();
    switch (attribute) {
      case cudaDevAttrMaxThreadsPerBlock:
        *value = all.maxThreadsPerBlock;
        break;
      case cudaDevAttrMaxBlockDimX:
      case cudaDevAttrMaxBlockDimY:
      case cudaDevAttrMaxBlockDimZ:
        *value = all.maxThreadsDim[attribute - cudaDevAttrMaxBlockDimX];
        break;
      case cudaDevAttrMaxGridDimX:
      case cudaDevAttrMaxGridDimY:
      case cudaDevAttrMaxGridDimZ:
        *value = all.maxGridSize[attribute - cudaDevAttrMaxGridDimX];
        break;
      case cudaDevAttrMaxSharedMemoryPerBlock:
        *value = static_cast<int>(all.sharedMemPerBlock);
        break;
      case cudaDevAttrWarpSize:
        *value = all.warpSize;
        break;
      case cudaDevAttrMaxRegistersPerBlock:
        *value = all.regsPerBlock;
        break;
      case cudaDevAttrClockRate:
        *value = 1980000;
        break;
      case cudaDevAttrMultiProcessorCount:
        *value = all.multiProcessorCount;
        break;
      case cudaDevAttrMemoryClockRate:
        *value = 2619000;
        break;
      case cudaDevAttrGlobalMemoryBusWidth:
        *value = all.memoryBusWidth;
        break;
      case cudaDevAttrL2CacheSize:
        *value = all.l2CacheSize;
        break;
      case cudaDevAttrMaxThreadsPerMultiProcessor:
        *value = all.maxThreadsPerMultiProcessor;
        break;
      case cudaDevAttrComputeCapabilityMajor:
        *value = all.major;
        break;
      case cudaDevAttrComputeCapabilityMinor:
        *value = all.minor;
        break;
      case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
        *value = static_cast<int>(all.sharedMemPerMultiprocessor);
        break;
      case cudaDevAttrMaxRegistersPerMultiprocessor:
        *value = all.regsPerMultiprocessor;
        break;
      case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *value = static_cast<int>(all.sharedMemPerBlockOptin);
        break;
      case cudaDevAttrMaxBlocksPerMultiprocessor:
        *value = all.maxBlocksPerMultiProcessor;
        break;
      default:
        return fail(cudaErrorInvalidValue, "cudaDeviceGetAttribute: this attribute is not emulated");
    }
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return api("cudaDeviceGetStreamPriorityRange", [&] {
    if (least != nullptr) *least = 0;
    if (greatest != nullptr) *greatest = -5;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  return api("cudaDeviceGetPCIBusId", [&] {
    if (text == nullptr || length < 13) return cudaErrorInvalidValue;
    if (device != 0) return bad_device(device);
    std::snprintf(text, static_cast<std::size_t>(length), "0000:00:00.0");
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceSynchronize() {
  return api("cudaDeviceSynchronize", [&] {
    const cudaError_t error = refuse_device_wait("cudaDeviceSynchronize");
    return error != cudaSuccess ? error : run_everything();
  });
}

// Only what programs of ours need of it: a failed kernel is forgotten. Allocations, streams and events stay.
cudaError_t cudaDeviceReset() {
  clear_failure();
  cudaGetLastError();
  return cudaSuccess;
}
