// SPDX-License-Identifier: Apache-2.0
// Error codes, their texts, and the last one.
#include <cstdlib>
#include <string>

#include "tests/cuda_on_host/runtime/api.h"
#include "tests/cuda_on_host/runtime/control.h"
#include "tests/cuda_on_host/runtime/state.h"

namespace cuda_on_host {
namespace {

struct Text {
  cudaError_t error;
  const char* name;
  const char* text;
};

#define CUDA_ON_HOST_ERROR(name, text) \
  { name, #name, text }
constexpr Text kTexts[] = {
    CUDA_ON_HOST_ERROR(cudaSuccess, "no error"),
    CUDA_ON_HOST_ERROR(cudaErrorInvalidValue, "invalid argument"),
    CUDA_ON_HOST_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    CUDA_ON_HOST_ERROR(cudaErrorInitializationError, "initialization error"),
    CUDA_ON_HOST_ERROR(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    CUDA_ON_HOST_ERROR(cudaErrorInvalidDevicePointer, "invalid device pointer"),
    CUDA_ON_HOST_ERROR(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy"),
    CUDA_ON_HOST_ERROR(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version"),
    CUDA_ON_HOST_ERROR(cudaErrorInvalidDeviceFunction, "invalid device function"),
    CUDA_ON_HOST_ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    CUDA_ON_HOST_ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    CUDA_ON_HOST_ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    CUDA_ON_HOST_ERROR(cudaErrorIllegalState, "the operation cannot be performed in the present state"),
    CUDA_ON_HOST_ERROR(cudaErrorNotReady, "device not ready"),
    CUDA_ON_HOST_ERROR(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    CUDA_ON_HOST_ERROR(cudaErrorLaunchOutOfResources, "too many resources requested for launch"),
    CUDA_ON_HOST_ERROR(cudaErrorLaunchTimeout, "the launch timed out and was terminated"),
    CUDA_ON_HOST_ERROR(cudaErrorHostMemoryAlreadyRegistered,
                       "part or all of the requested memory range is already mapped"),
    CUDA_ON_HOST_ERROR(cudaErrorHostMemoryNotRegistered, "pointer does not correspond to a registered memory region"),
    CUDA_ON_HOST_ERROR(cudaErrorLaunchFailure, "unspecified launch failure"),
    CUDA_ON_HOST_ERROR(cudaErrorNotPermitted, "operation not permitted"),
    CUDA_ON_HOST_ERROR(cudaErrorNotSupported, "operation not supported"),
    CUDA_ON_HOST_ERROR(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"),
    CUDA_ON_HOST_ERROR(cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture"),
    CUDA_ON_HOST_ERROR(cudaErrorStreamCaptureMerge, "operation would result in a merge of separate capture sequences"),
    CUDA_ON_HOST_ERROR(cudaErrorStreamCaptureUnmatched, "capture was not ended in the same stream as it began"),
    CUDA_ON_HOST_ERROR(cudaErrorStreamCaptureUnjoined, "capturing stream has unjoined work"),
    CUDA_ON_HOST_ERROR(cudaErrorStreamCaptureIsolation, "dependency created on uncaptured work in another stream"),
    CUDA_ON_HOST_ERROR(cudaErrorStreamCaptureImplicit,
                       "operation would make the legacy stream depend on a capturing blocking stream"),
    CUDA_ON_HOST_ERROR(cudaErrorCapturedEvent,
                       "operation not permitted on an event last recorded in a capturing stream"),
    CUDA_ON_HOST_ERROR(cudaErrorStreamCaptureWrongThread,
                       "attempt to terminate a thread-local capture sequence from another thread"),
    CUDA_ON_HOST_ERROR(cudaErrorUnknown, "unknown error"),
};

const Text* find(cudaError_t error) {
  for (const Text& text : kTexts) {
    if (text.error == error) return &text;
  }
  return nullptr;
}

thread_local cudaError_t last_error = cudaSuccess;
// The sentence that belongs to the last refusal of this thread.
thread_local cudaError_t detail_error = cudaSuccess;
thread_local std::string detail_text;
thread_local std::string full_text;

}  // namespace

State& state() {
  static State* kept = [] {
    State* made = new State;  // never destroyed: destructors of other objects may still free memory and streams
    const char* devices = std::getenv("CUDA_ON_HOST_DEVICES");
    if (devices != nullptr && std::string(devices) == "0") made->devices = 0;
    made->streams.push_back(std::make_unique<CUstream_st>());
    made->streams[0]->queue = std::make_shared<Queue>();
    return made;
  }();
  return *kept;
}

cudaError_t fail(cudaError_t error, std::string detail) {
  detail_error = error;
  detail_text = std::move(detail);
  return error;
}

cudaError_t record(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t enter(const char* function) {
  if (state().running) return fail(cudaErrorNotPermitted, std::string(function) + " is called by device work");
  if (state().devices == 0) return cudaErrorNoDevice;
  return state().failure;
}

void set_device_count(int count) { state().devices = count; }

}  // namespace cuda_on_host

using namespace cuda_on_host;

cudaError_t cudaGetLastError() {
  const std::scoped_lock lock(state().mutex);
  const cudaError_t error = state().failure != cudaSuccess ? state().failure : last_error;
  last_error = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError() {
  const std::scoped_lock lock(state().mutex);
  return state().failure != cudaSuccess ? state().failure : last_error;
}

const char* cudaGetErrorName(cudaError_t error) {
  const Text* text = find(error);
  return text == nullptr ? "unrecognized error code" : text->name;
}

const char* cudaGetErrorString(cudaError_t error) {
  const Text* text = find(error);
  if (text == nullptr) return "unrecognized error code";
  if (error == cudaSuccess || error != detail_error || detail_text.empty()) return text->text;
  full_text = std::string(text->text) + ": " + detail_text;
  return full_text.c_str();
}
