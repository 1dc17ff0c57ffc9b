// SPDX-License-Identifier: Apache-2.0
// Device and pinned memory, copies and fills.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <new>

#include "tests/cuda_on_host/runtime/api.h"
#include "tests/cuda_on_host/runtime/control.h"
#include "tests/cuda_on_host/runtime/state.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

using namespace cuda_on_host;

namespace cuda_on_host {
namespace {

enum class Kind : std::uint8_t { kDevice, kPinned, kRegistered };

struct Allocation {
  std::size_t bytes = 0;
  Kind kind = Kind::kDevice;
};

constexpr std::align_val_t kAlignment{256};

struct Memory {
  std::map<std::uintptr_t, Allocation> allocations;
  std::size_t limit = std::size_t{80} << 30;
  std::size_t device_bytes = 0;
  int accesses = 0;  // DeviceAccess objects
};

Memory& memory() {
  static Memory* kept = [] {
    Memory* made = new Memory;  // never destroyed, as state()
    if (const char* limit = std::getenv("CUDA_ON_HOST_MEMORY")) made->limit = std::strtoull(limit, nullptr, 10);
    return made;
  }();
  return *kept;
}

#if defined(__SANITIZE_ADDRESS__)
void protect(std::uintptr_t address, std::size_t bytes) {
  __asan_poison_memory_region(reinterpret_cast<void*>(address), bytes);
}
void expose(std::uintptr_t address, std::size_t bytes) {
  __asan_unpoison_memory_region(reinterpret_cast<void*>(address), bytes);
}
#else
void protect(std::uintptr_t, std::size_t) {}
void expose(std::uintptr_t, std::size_t) {}
#endif

using Found = std::map<std::uintptr_t, Allocation>::iterator;

// The allocation that holds the address, or end().
Found find(const void* pointer) {
  auto& all = memory().allocations;
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  Found next = all.upper_bound(address);
  if (next == all.begin()) return all.end();
  --next;
  return address - next->first < next->second.bytes ? next : all.end();
}

std::string hex(const void* pointer) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", pointer);
  return text;
}

// What is wrong with one side of a copy; empty when nothing is.
std::string check_side(const char* side, const void* pointer, std::size_t bytes, bool device) {
  const Found found = find(pointer);
  const bool known = found != memory().allocations.end();
  const bool is_device = known && found->second.kind == Kind::kDevice;
  if (is_device != device) {
    return std::string("the ") + side + " " + hex(pointer) + " is not " + (device ? "device" : "host") + " memory";
  }
  if (!known) return {};
  const std::size_t room = found->first + found->second.bytes - reinterpret_cast<std::uintptr_t>(pointer);
  if (bytes <= room) return {};
  return std::string("the ") + side + " has room for " + std::to_string(room) + " of " + std::to_string(bytes) +
         " bytes in its allocation of " + std::to_string(found->second.bytes);
}

bool is_kind(const void* pointer, Kind kind) {
  const Found found = find(pointer);
  return found != memory().allocations.end() && found->second.kind == kind;
}

bool is_pageable(const void* pointer) { return find(pointer) == memory().allocations.end(); }

std::string done() { return {}; }

// Checks a copy and enqueues it. `wait` is set when the caller has to wait for it before returning.
cudaError_t copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream_handle,
                 bool is_async, const char* function) {
  if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault) return cudaErrorInvalidMemcpyDirection;
  CUstream_st* stream = find_stream(stream_handle);
  if (stream == nullptr) return fail(cudaErrorInvalidResourceHandle, std::string(function) + ": no such stream");
  if (bytes == 0) return cudaSuccess;
  bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  if (kind == cudaMemcpyDefault) {
    from_device = is_kind(from, Kind::kDevice);
    to_device = is_kind(to, Kind::kDevice);
  }
  for (const std::string& wrong :
       {check_side("destination", to, bytes, to_device), check_side("source", from, bytes, from_device)}) {
    if (!wrong.empty()) return fail(cudaErrorInvalidValue, std::string(function) + ": " + wrong);
  }
  const bool from_pageable = !from_device && is_pageable(from), to_pageable = !to_device && is_pageable(to);
  const bool capturing = stream->capture != nullptr;
  std::function<std::string()> run = [=] {
    std::memmove(to, from, bytes);
    return done();
  };
  if (from_pageable && !capturing) {
    // The driver stages the source before it returns.
    auto staged =
        std::make_shared<std::vector<char>>(static_cast<const char*>(from), static_cast<const char*>(from) + bytes);
    run = [=] {
      std::memcpy(to, staged->data(), bytes);
      return done();
    };
  }
  ItemPtr item;
  const cudaError_t error =
      enqueue_task(stream_handle, {.type = cudaGraphNodeTypeMemcpy, .name = function, .run = std::move(run)}, &item);
  if (error != cudaSuccess || capturing) return error;
  // A copy to pageable memory, or between host memories, returns when it is complete.
  return !is_async || to_pageable || (!from_device && !to_device) ? run_until(item) : cudaSuccess;
}

cudaError_t fill(void* to, int value, std::size_t bytes, cudaStream_t stream, const char* function) {
  if (find_stream(stream) == nullptr) {
    return fail(cudaErrorInvalidResourceHandle, std::string(function) + ": no such stream");
  }
  if (bytes == 0) return cudaSuccess;
  const Found found = find(to);
  if (const std::string wrong = check_side("destination", to, bytes, true);
      !wrong.empty() && (found == memory().allocations.end() || found->second.kind == Kind::kDevice)) {
    return fail(cudaErrorInvalidValue, std::string(function) + ": " + wrong);
  }
  const auto run = [=] {
    std::memset(to, value, bytes);
    return done();
  };
  return enqueue_task(stream, {.type = cudaGraphNodeTypeMemset, .name = function, .run = run});
}

cudaError_t allocate(void** address, std::size_t bytes, Kind kind, const char* function) {
  if (address == nullptr) return cudaErrorInvalidValue;
  *address = nullptr;
  if (const cudaError_t error = refuse_unsafe_call(function); error != cudaSuccess) return error;
  if (bytes == 0) return cudaSuccess;
  Memory& all = memory();
  if (kind == Kind::kDevice && bytes > all.limit - std::min(all.limit, all.device_bytes)) {
    return cudaErrorMemoryAllocation;
  }
  void* made = ::operator new(bytes, kAlignment, std::nothrow);
  if (made == nullptr) return cudaErrorMemoryAllocation;
  // What nobody wrote is NaN.
  std::memset(made, 0xff, bytes);
  const auto start = reinterpret_cast<std::uintptr_t>(made);
  all.allocations[start] = {.bytes = bytes, .kind = kind};
  if (kind == Kind::kDevice) {
    all.device_bytes += bytes;
    if (all.accesses == 0) protect(start, bytes);
  }
  *address = made;
  return cudaSuccess;
}

// Waits for everything, as CUDA does before memory is given back.
cudaError_t release(void* address, Kind kind, const char* function) {
  if (address == nullptr) return cudaSuccess;
  if (const cudaError_t error = refuse_unsafe_call(function); error != cudaSuccess) return error;
  const auto start = reinterpret_cast<std::uintptr_t>(address);
  const Found found = memory().allocations.find(start);
  if (found == memory().allocations.end() || found->second.kind != kind) {
    return fail(cudaErrorInvalidValue,
                std::string(function) + ": " + hex(address) + " is not the start of such memory; was it freed before?");
  }
  const cudaError_t error = run_everything();
  expose(start, found->second.bytes);
  if (kind == Kind::kDevice) memory().device_bytes -= found->second.bytes;
  memory().allocations.erase(found);
  ::operator delete(address, kAlignment);
  return error;
}

LiveMemory live(Kind kind) {
  const std::scoped_lock lock(state().mutex);
  LiveMemory sum;
  for (const auto& [start, allocation] : memory().allocations) {
    if (allocation.kind != kind) continue;
    ++sum.allocations;
    sum.bytes += allocation.bytes;
  }
  return sum;
}

}  // namespace

DeviceAccess::DeviceAccess() {
  if (memory().accesses++ != 0) return;
  for (const auto& [start, allocation] : memory().allocations) {
    if (allocation.kind == Kind::kDevice) expose(start, allocation.bytes);
  }
}

DeviceAccess::~DeviceAccess() {
  if (--memory().accesses != 0) return;
  for (const auto& [start, allocation] : memory().allocations) {
    if (allocation.kind == Kind::kDevice) protect(start, allocation.bytes);
  }
}

LiveMemory live_device_memory() { return live(Kind::kDevice); }
LiveMemory live_pinned_memory() { return live(Kind::kPinned); }

bool is_device_memory(const void* address, std::size_t bytes) {
  const std::scoped_lock lock(state().mutex);
  return bytes == 0 || check_side("memory", address, bytes, true).empty();
}

void set_device_memory(std::size_t bytes) {
  const std::scoped_lock lock(state().mutex);
  memory().limit = bytes;
}

}  // namespace cuda_on_host

cudaError_t cudaMalloc(void** address, std::size_t bytes) {
  return api("cudaMalloc", [&] { return allocate(address, bytes, Kind::kDevice, "cudaMalloc"); });
}

cudaError_t cudaFree(void* address) {
  return api("cudaFree", [&] { return release(address, Kind::kDevice, "cudaFree"); });
}

cudaError_t cudaMallocHost(void** address, std::size_t bytes) {
  return api("cudaMallocHost", [&] { return allocate(address, bytes, Kind::kPinned, "cudaMallocHost"); });
}

cudaError_t cudaHostAlloc(void** address, std::size_t bytes, unsigned flags) {
  return api("cudaHostAlloc", [&] {
    return flags > 7 ? cudaErrorInvalidValue : allocate(address, bytes, Kind::kPinned, "cudaHostAlloc");
  });
}

cudaError_t cudaFreeHost(void* address) {
  return api("cudaFreeHost", [&] { return release(address, Kind::kPinned, "cudaFreeHost"); });
}

cudaError_t cudaHostRegister(void* address, std::size_t bytes, unsigned flags) {
  return api("cudaHostRegister", [&] {
    if (address == nullptr || bytes == 0 || flags > 15) return cudaErrorInvalidValue;
    if (const cudaError_t error = refuse_unsafe_call("cudaHostRegister"); error != cudaSuccess) return error;
    auto* last = static_cast<char*>(address) + bytes - 1;
    if (!is_pageable(address) || !is_pageable(last)) return cudaErrorHostMemoryAlreadyRegistered;
    memory().allocations[reinterpret_cast<std::uintptr_t>(address)] = {.bytes = bytes, .kind = Kind::kRegistered};
    return cudaSuccess;
  });
}

cudaError_t cudaHostUnregister(void* address) {
  return api("cudaHostUnregister", [&] {
    const Found found = memory().allocations.find(reinterpret_cast<std::uintptr_t>(address));
    if (found == memory().allocations.end() || found->second.kind != Kind::kRegistered) {
      return cudaErrorHostMemoryNotRegistered;
    }
    if (const cudaError_t error = refuse_unsafe_call("cudaHostUnregister"); error != cudaSuccess) return error;
    const cudaError_t error = run_everything();
    memory().allocations.erase(found);
    return error;
  });
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return api("cudaMemGetInfo", [&] {
    if (free == nullptr || total == nullptr) return cudaErrorInvalidValue;
    *total = memory().limit;
    *free = memory().limit - std::min(memory().limit, memory().device_bytes);
    return cudaSuccess;
  });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* address) {
  return api("cudaPointerGetAttributes", [&] {
    if (attributes == nullptr) return cudaErrorInvalidValue;
    void* plain = const_cast<void*>(address);
    const bool device = is_kind(address, Kind::kDevice), pageable = is_pageable(address);
    *attributes = {.type = device     ? cudaMemoryTypeDevice
                           : pageable ? cudaMemoryTypeUnregistered
                                      : cudaMemoryTypeHost,
                   .device = pageable ? -2 : 0,
                   .devicePointer = pageable ? nullptr : plain,
                   .hostPointer = device ? nullptr : plain};
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  return api("cudaMemcpy", [&] {
    if (const cudaError_t error = refuse_unsafe_call("cudaMemcpy"); error != cudaSuccess) return error;
    return copy(to, from, bytes, kind, nullptr, false, "cudaMemcpy");
  });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return api("cudaMemcpyAsync", [&] { return copy(to, from, bytes, kind, stream, true, "cudaMemcpyAsync"); });
}

cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  return api("cudaMemset", [&] {
    if (const cudaError_t error = refuse_unsafe_call("cudaMemset"); error != cudaSuccess) return error;
    return fill(to, value, bytes, nullptr, "cudaMemset");
  });
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  return api("cudaMemsetAsync", [&] { return fill(to, value, bytes, stream, "cudaMemsetAsync"); });
}
