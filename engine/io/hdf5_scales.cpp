// SPDX-License-Identifier: Apache-2.0
// Hdf5Reader: long integers, and dimension scales, by which NetCDF-4 names the axes of arrays.
#include <hdf5.h>

#include <optional>

#include "engine/io/hdf5_parts.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kMostUses = 1 << 16;
constexpr std::size_t kMostUseBytes = 64;

haddr_t address_of(const std::string& file, const std::string& object, hid_t id) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info1_t info;
#else
  H5O_info_t info;
#endif
  if (H5Oget_info1(id, &info) < 0) hdf5_damaged(file, object);
  return info.addr;
}

// A member of a compound type that is a little-endian number: an address or an axis.
struct Member {
  std::size_t at = 0;
  std::size_t bytes = 0;

  std::uint64_t in(const std::byte* element) const {
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i > 0; --i) value = value << 8 | std::to_integer<std::uint64_t>(element[at + i - 1]);
    return value;
  }
};

// Nothing when there is no such member of this class, or when it does not lie inside the type.
std::optional<Member> member_of(hid_t type, const char* name, H5T_class_t kind) {
  const int index = H5Tget_member_index(type, name);
  if (index < 0 || H5Tget_member_class(type, static_cast<unsigned>(index)) != kind) return std::nullopt;
  const Hdf5Handle own(H5Tget_member_type(type, static_cast<unsigned>(index)), H5Tclose);
  if (!own || (kind == H5T_INTEGER && H5Tget_order(*own) != H5T_ORDER_LE)) return std::nullopt;
  const Member member{H5Tget_member_offset(type, static_cast<unsigned>(index)), H5Tget_size(*own)};
  const std::size_t size = H5Tget_size(type);
  if (member.bytes < 1 || member.bytes > 8 || member.at > size || member.bytes > size - member.at) return std::nullopt;
  return member;
}

}  // namespace

std::vector<std::int64_t> Hdf5Reader::integers(const std::string& path) const {
  const Hdf5Section section;
  if (spec(path).dtype != DType::kInt32) throw FileError(path_, path, "does not hold integers");
  const Shape all = shape(path);
  hdf5_require_room(*handles_->bytes, path, all.elements(), 1);
  std::vector<std::int64_t> values(static_cast<std::size_t>(all.elements()));
  if (!values.empty() &&
      H5Dread(handles_->array(path), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    hdf5_damaged(path_, path);
  }
  return values;
}

// The attribute DIMENSION_LIST of the array says the same, in lists of any length, which the library does not read
// safely (hdf5_heap.h).
std::vector<int> Hdf5Reader::axes_of_scale(const std::string& path, const std::string& scale) const {
  const Hdf5Section section;
  const std::string where = scale + "@REFERENCE_LIST";
  const hid_t of = handles_->array(scale);
  if (H5Aexists(of, "REFERENCE_LIST") <= 0) return {};
  const Hdf5Handle list = hdf5_checked(path_, where, {H5Aopen(of, "REFERENCE_LIST", H5P_DEFAULT), H5Aclose});
  const Hdf5Handle type = hdf5_checked(path_, where, {H5Aget_type(*list), H5Tclose});
  const Hdf5Handle space = hdf5_checked(path_, where, {H5Aget_space(*list), H5Sclose});
  const std::int64_t count = hdf5_shape(path_, where, *space).elements();
  // An array that the scale belongs to and the axis it describes. Read as the file has it: the library (1.10) crashes
  // where it should convert a type whose members do not lie inside it.
  const bool compound = H5Tget_class(*type) == H5T_COMPOUND;
  const std::optional<Member> array = compound ? member_of(*type, "dataset", H5T_REFERENCE) : std::nullopt;
  const std::optional<Member> axis = compound ? member_of(*type, "dimension", H5T_INTEGER) : std::nullopt;
  const std::size_t size = H5Tget_size(*type);
  if (!array || !axis || count > kMostUses || size > kMostUseBytes) {
    throw FileError(path_, where, "is no list of arrays and axes");
  }
  std::vector<std::byte> uses(static_cast<std::size_t>(count) * size);
  if (!uses.empty() && H5Aread(*list, *type, uses.data()) < 0) hdf5_damaged(path_, where);
  const haddr_t address = address_of(path_, path, handles_->array(path));
  std::vector<int> axes;
  for (std::size_t at = 0; at < uses.size(); at += size) {
    const std::uint64_t number = axis->in(uses.data() + at);
    if (array->in(uses.data() + at) == address && number < kMaxRank) axes.push_back(static_cast<int>(number));
  }
  return axes;
}

}  // namespace chiasm
