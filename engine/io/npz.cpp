// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "engine/io/npy.h"
#include "engine/io/npy_bytes.h"
#include "engine/io/zip.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::string_view kEnding = ".npy";

std::string array_name(const ZipReader& zip, const ZipReader::Entry& entry) {
  if (!entry.name.ends_with(kEnding)) {
    throw FileError(zip.path(), "zip entry " + entry.name, "an NPZ file holds .npy entries only");
  }
  return entry.name.substr(0, entry.name.size() - kEnding.size());
}

Tensor read_array(const ZipReader& zip, const ZipReader::Entry& entry) {
  ByteSource source = zip.open(entry);
  Tensor tensor = read_npy(source);
  zip.finish(entry, source);
  return tensor;
}

}  // namespace

std::map<std::string, Tensor> read_npz(const std::string& path) {
  const ZipReader zip(path);
  std::map<std::string, Tensor> tensors;
  for (const ZipReader::Entry& entry : zip.entries()) tensors.emplace(array_name(zip, entry), read_array(zip, entry));
  return tensors;
}

Tensor read_npz(const std::string& path, const std::string& name) {
  const ZipReader zip(path);
  std::string known;
  for (const ZipReader::Entry& entry : zip.entries()) {
    if (array_name(zip, entry) == name) return read_array(zip, entry);
    if (known.size() < 200) known += (known.empty() ? "" : ", ") + array_name(zip, entry);
  }
  throw FileError(path, "", "has no array \"" + name + "\"; it has " + (known.empty() ? "none" : known));
}

void write_npz(const std::string& path, const std::map<std::string, Tensor>& tensors, bool compress) {
  ZipWriter zip(path);
  for (const auto& [name, tensor] : tensors) {
    if (name.empty() || !tensor) throw InputError(path + ": array \"" + name + "\" has no name or no data");
    const std::vector<std::byte> preamble = npy_preamble(tensor.spec());
    zip.add(name + std::string(kEnding), std::array<std::span<const std::byte>, 2>{preamble, tensor.bytes()}, compress);
  }
  zip.commit();
}

}  // namespace chiasm
