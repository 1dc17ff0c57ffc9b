// SPDX-License-Identifier: Apache-2.0
// cudaLaunchKernelEx: copies the arguments and enqueues the grid.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tests/cuda_on_host/runtime/types.h"

namespace cuda_on_host {

// A kernel with its arguments.
struct Call {
  const void* kernel = nullptr;
  std::shared_ptr<const void> arguments;
  void (*invoke)(const void* arguments) = nullptr;
  std::size_t parameter_bytes = 0;
};

cudaError_t launch(const cudaLaunchConfig_t& config, Call call);

// How many bytes the parameters of a kernel take: each starts at a multiple of its alignment.
template <class... Parameters>
constexpr std::size_t parameter_bytes() {
  std::size_t bytes = 0;
  ((bytes = (bytes + alignof(Parameters) - 1) / alignof(Parameters) * alignof(Parameters) + sizeof(Parameters)), ...);
  return bytes;
}

}  // namespace cuda_on_host

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  static_assert((!std::is_reference_v<Parameters> && ...), "a kernel cannot take a reference");
  static_assert((std::is_trivially_copyable_v<Parameters> && ...), "the arguments of a kernel are copied as bytes");
  struct Bound {
    void (*kernel)(Parameters...);
    std::tuple<Parameters...> arguments;
  };
  auto bound = std::make_shared<const Bound>(
      Bound{kernel, std::tuple<Parameters...>(static_cast<Parameters>(std::forward<Arguments>(arguments))...)});
  const auto invoke = [](const void* memory) {
    const Bound& call = *static_cast<const Bound*>(memory);
    std::apply(call.kernel, call.arguments);
  };
  return cuda_on_host::launch(*config, {.kernel = reinterpret_cast<const void*>(kernel),
                                        .arguments = std::move(bound),
                                        .invoke = invoke,
                                        .parameter_bytes = cuda_on_host::parameter_bytes<Parameters...>()});
}
