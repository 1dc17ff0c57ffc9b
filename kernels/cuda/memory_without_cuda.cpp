// SPDX-License-Identifier: Apache-2.0
// Never reached: a build without CUDA has no stream to ask for memory with.
#include "kernels/cuda/memory.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

[[noreturn]] void refuse() { throw InternalError("device memory in a build without CUDA"); }

}  // namespace

std::byte* detail::OnDevice::get(const CudaStream&, std::int64_t) { refuse(); }
void detail::OnDevice::give_back(std::byte*, int) {}
std::byte* detail::PinnedOnHost::get(const CudaStream&, std::int64_t) { refuse(); }
void detail::PinnedOnHost::give_back(std::byte*, int) {}
void copy_to_device(const CudaStream&, void*, const void*, std::int64_t) { refuse(); }
void copy_to_host(const CudaStream&, void*, const void*, std::int64_t) { refuse(); }
void copy_on_device(const CudaStream&, void*, const void*, std::int64_t) { refuse(); }
void fill_on_device(const CudaStream&, void*, std::byte, std::int64_t) { refuse(); }

}  // namespace chiasm
