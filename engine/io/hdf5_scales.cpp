// SPDX-License-Identifier: Apache-2.0
// Hdf5Reader: long integers, and dimension scales, by which NetCDF-4 names the axes of arrays.
#include <hdf5.h>

#include "engine/io/hdf5_parts.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

// An array that a scale belongs to, as the attribute REFERENCE_LIST of the scale has it.
struct Use {
  hobj_ref_t array = 0;
  int axis = 0;
};

constexpr std::int64_t kMostUses = 1 << 16;

haddr_t address_of(const std::string& file, const std::string& object, hid_t id) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info1_t info;
#else
  H5O_info_t info;
#endif
  if (H5Oget_info1(id, &info) < 0) hdf5_damaged(file, object);
  return info.addr;
}

// Whether a compound type has a member of this name and class.
bool has_member(hid_t type, const char* name, H5T_class_t kind) {
  const int index = H5Tget_member_index(type, name);
  return index >= 0 && H5Tget_member_class(type, static_cast<unsigned>(index)) == kind;
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
  if (H5Tget_class(*type) != H5T_COMPOUND || !has_member(*type, "dataset", H5T_REFERENCE) ||
      !has_member(*type, "dimension", H5T_INTEGER) || count > kMostUses) {
    throw FileError(path_, where, "is no list of arrays and axes");
  }
  const Hdf5Handle memory = hdf5_checked(path_, where, {H5Tcreate(H5T_COMPOUND, sizeof(Use)), H5Tclose});
  if (H5Tinsert(*memory, "dataset", offsetof(Use, array), H5T_STD_REF_OBJ) < 0 ||
      H5Tinsert(*memory, "dimension", offsetof(Use, axis), H5T_NATIVE_INT) < 0) {
    hdf5_damaged(path_, where);
  }
  std::vector<Use> uses(static_cast<std::size_t>(count));
  if (!uses.empty() && H5Aread(*list, *memory, uses.data()) < 0) hdf5_damaged(path_, where);
  const haddr_t address = address_of(path_, path, handles_->array(path));
  std::vector<int> axes;
  for (const Use& use : uses) {
    if (use.array == address) axes.push_back(use.axis);
  }
  return axes;
}

}  // namespace chiasm
