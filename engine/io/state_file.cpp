// SPDX-License-Identifier: Apache-2.0
#include "engine/io/state_file.h"

#include <algorithm>
#include <array>
#include <bit>

#include "engine/io/input_file.h"
#include "engine/io/npy.h"
#include "engine/io/safetensors.h"
#include "engine/io/zip.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr const char* kPickle =
    "is a Python pickle, which can run code when it is read; chiasm reads safetensors and NPZ. In Python: "
    "import torch, safetensors.torch; state = torch.load(\"IN.pth\", map_location=\"cpu\"); "
    "safetensors.torch.save_file({k: v.contiguous() for k, v in state.items()}, \"OUT.safetensors\") "
    "(or numpy.savez(\"OUT.npz\", **{k: v.numpy() for k, v in state.items()}))";

// The zip files of PyTorch hold a pickle beside their arrays.
bool holds_pickle(const ZipReader& zip) {
  return std::ranges::any_of(zip.entries(), [](const ZipReader::Entry& entry) { return entry.name.ends_with(".pkl"); });
}

}  // namespace

std::map<std::string, Tensor> read_state(const std::string& path) {
  std::array<std::byte, 8> start{};
  std::int64_t size = 0;
  {
    const InputFile file(path);
    size = file.size();
    file.read(0, std::span(start).first(static_cast<std::size_t>(std::clamp<std::int64_t>(size, 0, 8))));
  }
  if (start[0] == std::byte{'P'} && start[1] == std::byte{'K'}) {
    if (holds_pickle(ZipReader(path))) throw FileError(path, "", kPickle);
    return read_npz(path);
  }
  // A pickle of protocol 2 to 5, unless these bytes are a length that a safetensors header can have in this file.
  const bool protocol = start[0] == std::byte{0x80} && start[1] >= std::byte{2} && start[1] <= std::byte{5};
  if (protocol && std::bit_cast<std::uint64_t>(start) > static_cast<std::uint64_t>(size)) {
    throw FileError(path, "", kPickle);
  }
  return read_safetensors(path).tensors;
}

}  // namespace chiasm
