// SPDX-License-Identifier: Apache-2.0
#include "engine/storage.h"

#include <cstdlib>
#include <string>

#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::size_t kAlignment = 64;

}  // namespace

Storage::Storage(std::int64_t bytes, const char* what) : bytes_(bytes) {
  const auto size = static_cast<std::size_t>(bytes);
  // Large blocks come from calloc as pages that are zero without being touched: an arena takes memory as it is used.
  std::size_t space = size + 2 * kAlignment;
  block_ = std::calloc(1, space);
  if (block_ == nullptr) {
    throw SystemError("no memory for a tensor " + std::string(what) + " of " + std::to_string(bytes) + " bytes");
  }
  host_ = block_;
  std::align(kAlignment, size + 1, host_, space);
}

Storage::~Storage() { std::free(block_); }

std::byte* Storage::on_device(const std::shared_ptr<const CudaStream>& stream) {
  if (device_ && device_.device() != stream->device()) {
    for_reading();
    device_ = DeviceMemory();
    device_is_current_ = false;
  }
  if (!device_) device_ = DeviceMemory(*stream, bytes_);
  // Work of another stream may still read or write the copy.
  if (user_ && user_ != stream) user_->synchronize();
  user_ = stream;
  if (!device_is_current_) copy_to_device(*stream, device_.data(), host_, bytes_);
  device_is_current_ = true;
  return device_.data();
}

void Storage::fetch() {
  const std::lock_guard lock(fetching_);
  if (host_is_current_) return;  // another thread was first
  copy_to_host(*user_, host_, device_.data(), bytes_);
  user_->synchronize();
  host_is_current_ = true;
}

}  // namespace chiasm
