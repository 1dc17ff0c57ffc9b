// SPDX-License-Identifier: Apache-2.0
#include "engine/io/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "engine/io/atomic_file.h"
#include "engine/io/crc32.h"
#include "engine/io/input_file.h"
#include "engine/io/storage_type.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

using Json = nlohmann::json;

constexpr const char* kMetadata = "__metadata__";
constexpr const char* kChecksum = "chiasm.crc32";
constexpr std::int64_t kLengthBytes = 8;
constexpr std::int64_t kMostHeaderBytes = 100'000'000;  // the limit of the reference implementation
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

constexpr std::array kTypes{
    std::pair{"F32", StorageType::kFloat32},   std::pair{"F64", StorageType::kFloat64},
    std::pair{"I32", StorageType::kInt32},     std::pair{"U8", StorageType::kUInt8},
    std::pair{"BOOL", StorageType::kBool},     std::pair{"F16", StorageType::kFloat16},
    std::pair{"BF16", StorageType::kBFloat16}, std::pair{"I64", StorageType::kInt64},
};

const char* name_of(StorageType type) {
  return std::ranges::find(kTypes, type, [](const auto& entry) { return entry.second; })->first;
}

std::string hexadecimal(std::uint32_t value) {
  std::string text(8, '0');
  for (int digit = 0; digit < 8; ++digit)
    text[static_cast<std::size_t>(digit)] = "0123456789abcdef"[value >> (28 - 4 * digit) & 15];
  return text;
}

// --- reading ---

struct Entry {
  std::string name;
  StorageType type = StorageType::kFloat32;
  Shape shape;
  std::int64_t begin = 0, end = 0;  // from the start of the data
};

// Names and metadata come from the file and may be anything: shortened, and without control characters.
std::string in_quotes(const std::string& name) {
  std::string text = "\"";
  for (const char c : name.substr(0, 120)) text += static_cast<unsigned char>(c) < 32 ? '?' : c;
  return text + (name.size() > 120 ? "...\"" : "\"");
}

Json parse_header(const std::string& path, const std::vector<std::byte>& header) {
  std::array<std::set<std::string>, 4> keys;  // of the objects open at each depth
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      if (depth >= std::ssize(keys) - 1) throw FileError(path, "header", "is nested deeper than tensors are");
      keys[static_cast<std::size_t>(depth) + 1].clear();
    } else if (event == Json::parse_event_t::key) {
      const auto& name = value.get_ref<const std::string&>();
      if (!keys[static_cast<std::size_t>(depth)].insert(name).second) {
        throw FileError(path, in_quotes(name), "occurs twice in the header");
      }
    }
    return true;
  };
  const auto* text = reinterpret_cast<const char*>(header.data());
  try {
    Json json = Json::parse(text, text + header.size(), watch);
    if (!json.is_object()) throw FileError(path, "header", "is not a JSON object");
    return json;
  } catch (const Json::parse_error& error) {
    throw FileError(path, "header, byte " + std::to_string(kLengthBytes + static_cast<std::int64_t>(error.byte)),
                    "is not valid JSON");
  } catch (const Json::exception& error) {
    throw FileError(path, "header", error.what());
  }
}

std::vector<std::int64_t> integers(const std::string& path, const std::string& field, const Json& list) {
  if (!list.is_array()) throw FileError(path, field, "a list of integers is needed");
  std::vector<std::int64_t> values;
  for (const Json& item : list) {
    if (!item.is_number_unsigned() ||
        item.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      throw FileError(path, field, "item " + std::to_string(values.size()) + " is not an integer of 0 to 2^63 - 1");
    }
    values.push_back(item.get<std::int64_t>());
  }
  return values;
}

Entry read_entry(const std::string& path, const std::string& name, const Json& json) {
  const std::string where = "tensor " + in_quotes(name);
  if (!json.is_object()) throw FileError(path, where, "is not a JSON object");
  for (const auto& [key, value] : json.items()) {
    if (key != "dtype" && key != "shape" && key != "data_offsets") {
      throw FileError(path, where, "unknown field " + in_quotes(key) + "; dtype, shape and data_offsets are allowed");
    }
  }
  if (json.size() != 3) throw FileError(path, where, "dtype, shape and data_offsets are needed");
  Entry entry;
  entry.name = name;
  const Json& dtype = json.at("dtype");
  const auto type = std::ranges::find_if(kTypes, [&](const auto& known) { return dtype == known.first; });
  if (type == kTypes.end()) {
    throw FileError(path, where + ", dtype",
                    "found " + (dtype.is_string() ? in_quotes(dtype.get<std::string>()) : dtype.type_name()) +
                        "; F32, F64, F16, BF16, I32, I64, U8 and BOOL can be read");
  }
  entry.type = type->second;
  try {
    entry.shape = Shape(integers(path, where + ", shape", json.at("shape")));
  } catch (const ShapeError& error) {
    throw FileError(path, where + ", shape", error.what());
  }
  const std::vector<std::int64_t> offsets = integers(path, where + ", data_offsets", json.at("data_offsets"));
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    throw FileError(path, where + ", data_offsets", "two ascending offsets are needed");
  }
  entry.begin = offsets[0];
  entry.end = offsets[1];
  const std::int64_t bytes = entry.end - entry.begin, size = static_cast<std::int64_t>(size_of(entry.type));
  if (bytes % size != 0 || bytes / size != entry.shape.elements()) {
    throw FileError(
        path, where,
        std::to_string(bytes) + " bytes do not hold " + type->first + " values of shape " + to_string(entry.shape));
  }
  return entry;
}

std::map<std::string, std::string> read_metadata(const std::string& path, const Json& json) {
  if (!json.is_object()) throw FileError(path, kMetadata, "is not a JSON object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) {
      throw FileError(path, std::string(kMetadata) + ", " + in_quotes(key), "is not a string");
    }
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

// Sorted by where they begin. The data must be covered without gaps or overlaps.
std::vector<Entry> read_entries(const std::string& path, const Json& header, std::int64_t data_bytes) {
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != kMetadata) entries.push_back(read_entry(path, name, value));
  }
  std::ranges::sort(entries, {}, [](const Entry& entry) { return std::pair(entry.begin, entry.end); });
  std::int64_t next = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != next) {
      throw FileError(path, "tensor " + in_quotes(entry.name) + ", data_offsets",
                      "begins at " + std::to_string(entry.begin) + " where " + std::to_string(next) +
                          " is next: a gap or an overlap");
    }
    next = entry.end;
  }
  if (next != data_bytes) {
    throw FileError(path, "data",
                    std::to_string(data_bytes) + " bytes where the header describes " + std::to_string(next));
  }
  return entries;
}

// Reads one tensor piece by piece, so that memory holds it once, and adds what it read to the checksum.
Tensor read_tensor(const InputFile& file, std::int64_t data_begin, const Entry& entry, std::uint32_t& checksum) {
  Tensor tensor(Spec{dtype_for(entry.type), entry.shape});
  const std::size_t stored = size_of(entry.type), kept = size_of(tensor.dtype());
  std::vector<std::byte> piece(std::min(kPieceBytes, static_cast<std::size_t>(entry.end - entry.begin)));
  for (std::int64_t at = entry.begin; at < entry.end; at += std::ssize(piece)) {
    piece.resize(std::min(piece.size(), static_cast<std::size_t>(entry.end - at)));
    file.read(data_begin + at, piece);
    checksum = crc32(piece, checksum);
    const std::size_t first = static_cast<std::size_t>(at - entry.begin) / stored;
    decode_values(entry.type, false, piece, tensor.bytes().subspan(first * kept, piece.size() / stored * kept),
                  file.path(), "tensor " + in_quotes(entry.name) + " from value " + std::to_string(first));
  }
  return tensor;
}

// --- writing ---

void check_writable(const std::string& path, const Safetensors& content) {
  for (const auto& [name, tensor] : content.tensors) {
    if (name == kMetadata) throw InputError(path + ": a tensor may not be called " + kMetadata);
    if (!tensor) throw InputError(path + ": tensor " + in_quotes(name) + " has no data");
  }
  if (content.metadata.contains(kChecksum))
    throw InputError(path + ": the metadata name " + kChecksum + " is reserved");
}

}  // namespace

void write_safetensors(const std::string& path, const Safetensors& content) {
  check_writable(path, content);
  // Large elements first, then by name: no padding is needed for alignment.
  std::vector<std::pair<const std::string*, const Tensor*>> order;
  for (const auto& [name, tensor] : content.tensors) order.emplace_back(&name, &tensor);
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [](const auto& entry) { return size_of(entry.second->dtype()); });

  std::uint32_t checksum = 0;
  std::int64_t next = 0;
  Json header = Json::object();
  for (const auto& [name, tensor] : order) {
    checksum = crc32(tensor->bytes(), checksum);
    const std::int64_t end = next + std::ssize(tensor->bytes());
    header[*name] = {{"dtype", name_of(storage_of(tensor->dtype()))},
                     {"shape", tensor->shape().sizes()},
                     {"data_offsets", {next, end}}};
    next = end;
  }
  header[kMetadata] = content.metadata;
  header[kMetadata][kChecksum] = hexadecimal(checksum);
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception& error) {
    throw InputError(path + ": a name or metadata text is not UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (std::ssize(text) > kMostHeaderBytes) {
    throw InputError(path + ": the header has " + std::to_string(text.size()) + " bytes, at most " +
                     std::to_string(kMostHeaderBytes) + " are allowed");
  }

  AtomicFile file(path);
  const auto length = std::bit_cast<std::array<std::byte, kLengthBytes>>(std::uint64_t{text.size()});
  file.write(length);
  file.write(text);
  for (const auto& [name, tensor] : order) file.write(tensor->bytes());
  file.commit();
}

Safetensors read_safetensors(const std::string& path) {
  const InputFile file(path);
  std::array<std::byte, kLengthBytes> length_bytes{};
  if (file.size() < kLengthBytes) {
    throw FileError(path, "header length",
                    "the file has " + std::to_string(file.size()) + " bytes, at least 8 are needed");
  }
  file.read(0, length_bytes);
  const auto length = std::bit_cast<std::uint64_t>(length_bytes);
  const std::int64_t most = std::min(kMostHeaderBytes, file.size() - kLengthBytes);
  if (length > static_cast<std::uint64_t>(most)) {
    throw FileError(
        path, "header length",
        "found " + std::to_string(length) + ", at most " + std::to_string(most) + " is possible in this file");
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(length));
  file.read(kLengthBytes, bytes);
  const Json header = parse_header(path, bytes);
  const std::int64_t data_begin = kLengthBytes + static_cast<std::int64_t>(length);
  const std::vector<Entry> entries = read_entries(path, header, file.size() - data_begin);

  Safetensors content;
  if (header.contains(kMetadata)) content.metadata = read_metadata(path, header.at(kMetadata));
  std::uint32_t checksum = 0;
  for (const Entry& entry : entries)
    content.tensors.emplace(entry.name, read_tensor(file, data_begin, entry, checksum));
  if (const auto stored = content.metadata.find(kChecksum); stored != content.metadata.end()) {
    if (stored->second != hexadecimal(checksum)) {
      throw FileError(
          path, "data",
          "are damaged: their CRC-32 is " + hexadecimal(checksum) + ", the header says " + in_quotes(stored->second));
    }
    content.metadata.erase(stored);
  }
  return content;
}

}  // namespace chiasm
