// SPDX-License-Identifier: Apache-2.0
// Memory of a device, memory of the host that a device copies from at full speed, and copies between them. No CUDA
// header is needed; a build without CUDA cannot make either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/cuda/stream.h"

namespace chiasm {

// Owned bytes. `Kind` gets and gives back; both kinds are aligned to 64 bytes at least, and their content is arbitrary.
template <class Kind>
class OwnedBytes {
 public:
  OwnedBytes() = default;
  // Throws DeviceError when memory runs out, saying how much was asked for and how much is free.
  OwnedBytes(const CudaStream& stream, std::int64_t bytes)
      : data_(Kind::get(stream, bytes)), bytes_(bytes), device_(stream.device()) {}
  OwnedBytes(OwnedBytes&& other) noexcept { swap(other); }
  OwnedBytes& operator=(OwnedBytes&& other) noexcept {
    swap(other);
    return *this;
  }
  ~OwnedBytes() {
    if (data_ != nullptr) Kind::give_back(data_, device_);
  }

  std::byte* data() const { return data_; }
  std::int64_t bytes() const { return bytes_; }
  int device() const { return device_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  void swap(OwnedBytes& other) {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(device_, other.device_);
  }

  std::byte* data_ = nullptr;
  std::int64_t bytes_ = 0;
  int device_ = 0;
};

namespace detail {
struct OnDevice {
  static std::byte* get(const CudaStream& stream, std::int64_t bytes);
  static void give_back(std::byte* data, int device);
};
struct PinnedOnHost {
  static std::byte* get(const CudaStream& stream, std::int64_t bytes);
  static void give_back(std::byte* data, int device);
};
}  // namespace detail

using DeviceMemory = OwnedBytes<detail::OnDevice>;
using PinnedMemory = OwnedBytes<detail::PinnedOnHost>;

// Each is enqueued. Pinned host memory must keep its content, or is not to be read, until the stream got that far.
void copy_to_device(const CudaStream& stream, void* device, const void* host, std::int64_t bytes);
void copy_to_host(const CudaStream& stream, void* host, const void* device, std::int64_t bytes);
void copy_on_device(const CudaStream& stream, void* to, const void* from, std::int64_t bytes);
void fill_on_device(const CudaStream& stream, void* device, std::byte value, std::int64_t bytes);

}  // namespace chiasm
