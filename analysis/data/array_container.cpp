// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/array_container.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "analysis/data/array_formats.h"
#include "engine/io/input_file.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

// Whether the bytes at `offset` are these.
bool holds(const InputFile& file, std::int64_t offset, std::string_view bytes) {
  if (file.size() < offset + std::ssize(bytes)) return false;
  std::string found(bytes.size(), '\0');
  file.read(offset, std::as_writable_bytes(std::span(found)));
  return found == bytes;
}

// The signature of HDF5 stands at 0, or behind a block of the user's, of 512 bytes or twice that as often as needed.
bool is_hdf5(const InputFile& file) {
  constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
  for (std::int64_t at = 0; at < file.size(); at = at == 0 ? 512 : 2 * at) {
    if (holds(file, at, kSignature)) return true;
  }
  return false;
}

}  // namespace

FileFormat format_of_file(const std::string& path) {
  const InputFile file(path);
  constexpr std::string_view kGzip = "\x1f\x8b";
  if (holds(file, 0, "\x93NUMPY") || (path.ends_with(".npy.gz") && holds(file, 0, kGzip))) return FileFormat::kNpy;
  if (holds(file, 0, "PK\x03\x04") || holds(file, 0, "PK\x05\x06")) return FileFormat::kNpz;
  if (is_hdf5(file)) return FileFormat::kHdf5;
  if (holds(file, 0, "MATLAB 5.0")) return FileFormat::kMatlab;
  for (const char* ending : {".csv", ".tsv", ".txt"}) {
    if (path.ends_with(ending)) return FileFormat::kText;
  }
  if (path.ends_with(".mat")) {
    throw FileError(path, "", "is no MATLAB file of version 5 to 7.3; save it with save(..., '-v7')");
  }
  throw FileError(path, "",
                  "is in no known format; NPY, NPZ, HDF5 (also NWB and NetCDF-4), MATLAB v5 to v7.3, .csv, .tsv and "
                  ".txt can be read");
}

std::unique_ptr<ArrayContainer> open_arrays(const std::string& path) {
  switch (format_of_file(path)) {
    case FileFormat::kNpy:
      return open_npy_arrays(path);
    case FileFormat::kNpz:
      return open_npz_arrays(path);
    case FileFormat::kHdf5:
      return open_hdf5_arrays(path);
    case FileFormat::kMatlab:
      return open_matlab_arrays(path);
    case FileFormat::kText:
      return open_csv_arrays(path);
  }
  throw InternalError("unknown format of a file");
}

std::vector<std::string> stimulus_ids_of(const ArrayContainer& file, const std::string& edge) {
  for (const std::string& name : {std::string("stimulus_ids"), std::string("image_ids"), edge}) {
    if (file.has(name)) return file.labels(name);
  }
  return {};
}

std::vector<std::string> number_labels(const Tensor& numbers) {
  std::vector<std::string> labels;
  visit_any(numbers.dtype(), [&]<class T>() {
    for (const T value : numbers.values<T>()) {
      std::array<char, 64> text{};
      const std::to_chars_result result = std::to_chars(text.data(), text.data() + text.size(), value);
      labels.emplace_back(text.data(), result.ptr);
    }
  });
  return labels;
}

Tensor elements_of(const Tensor& whole, std::int64_t first, std::int64_t count) {
  Tensor part(Spec{whole.dtype(), whole.shape().with(0, count)});
  if (part.elements() == 0) return part;
  const std::size_t row = part.bytes().size() / static_cast<std::size_t>(count);
  std::copy_n(whole.bytes().data() + static_cast<std::size_t>(first) * row, part.bytes().size(), part.bytes().data());
  return part;
}

std::string stacked_cell(const std::string& name) {
  constexpr std::string_view kEveryCell = "{*}";
  return name.ends_with(kEveryCell) ? name.substr(0, name.size() - kEveryCell.size()) : "";
}

Tensor stack_cells(const ArrayContainer& file, const std::string& cell, std::size_t count) {
  if (count == 0) throw FileError(file.label(cell), "", "is an empty cell");
  std::vector<Tensor> parts;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string element = cell + "{" + std::to_string(i + 1) + "}";
    parts.push_back(file.read(element));
    if (parts.back().spec() == parts.front().spec()) continue;
    throw FileError(file.label(element), "",
                    "is " + to_string(parts.back().spec()) + ", " + cell + "{1} is " + to_string(parts.front().spec()) +
                        "; to be stacked all must be alike");
  }
  const Shape shape = parts.front().shape();
  std::vector<std::int64_t> sizes{std::ssize(parts)};
  if (shape.rank() == 2 && (shape[0] == 1 || shape[1] == 1)) {
    sizes.push_back(shape.elements());
  } else {
    sizes.insert(sizes.end(), shape.begin(), shape.end());
  }
  Tensor all(Spec{parts.front().dtype(), Shape(sizes)});
  std::byte* to = all.bytes().data();
  for (const Tensor& part : parts) {
    const std::span<const std::byte> bytes = part.bytes();
    to = std::copy(bytes.begin(), bytes.end(), to);
  }
  return all;
}

std::string no_numbers_advice(const std::string& name, const std::string& what) {
  const auto has = [&](const char* word) { return what.find(word) != what.npos; };
  const std::string advice = (name.empty() ? "the array" : name) + " holds " + what;
  if (has("complex")) return advice + ": save the real part or the absolute value instead";
  if (has("records")) return advice + ": save each column as an array of its own";
  if (has("texts")) return advice + ", no numbers";
  return advice + ": save its numbers as an array instead";
}

std::string matlab_advice(const std::string& name, const std::string& what) {
  const auto has = [&](const char* word) { return what.find(word) != what.npos; };
  std::string advice = name + " is " + what;
  if (has("sparse")) return advice + ": save full(" + name + ") instead";
  if (has("complex")) return advice + ": save real(" + name + ") or abs(" + name + ") instead";
  if (has("string")) return advice + ": save char(" + name + ") or cellstr(" + name + ") instead";
  if (has("table")) return advice + ": save table2array(" + name + ") or table2struct(" + name + ") instead";
  if (has("categorical")) return advice + ": save cellstr(" + name + ") instead";
  return advice + ": save its numbers as an array instead";
}

void throw_no_array(const std::string& file, const std::string& name, const std::vector<std::string>& known) {
  constexpr std::size_t kMost = 12;
  std::string list;
  for (std::size_t i = 0; i < std::min(known.size(), kMost); ++i) list += (i == 0 ? "" : ", ") + known[i];
  if (known.size() > kMost) list += ", ...";
  throw FileError(file, "", "has no array \"" + name + "\"; it has " + (known.empty() ? "none" : list));
}

}  // namespace chiasm
