// SPDX-License-Identifier: Apache-2.0
// Hdf5Reader: references to objects, and what an array holds that is no array of numbers.
#include <hdf5.h>

#include <array>
#include <string_view>

#include "engine/io/hdf5_parts.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

// Two floating-point numbers, called as h5py or MATLAB calls them.
bool is_complex(const Hdf5Handle& type) {
  if (H5Tget_nmembers(*type) != 2) return false;
  std::string names;
  for (unsigned i = 0; i < 2; ++i) {
    if (H5Tget_member_class(*type, i) != H5T_FLOAT) return false;
    char* const name = H5Tget_member_name(*type, i);
    names += name == nullptr ? "" : std::string(name) + ",";
    H5free_memory(name);
  }
  return names == "r,i," || names == "real,imag,";
}

std::uint64_t address_of(hid_t object) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info1_t info{};
#else
  H5O_info_t info{};
#endif
  return H5Oget_info1(object, &info) < 0 ? 0 : info.addr;
}

}  // namespace

std::vector<std::uint64_t> Hdf5Reader::references(const std::string& path) const {
  const Hdf5Section section;
  if (kind(path) != Kind::kReferences) throw FileError(path_, path, "holds no references to objects");
  const hid_t array = handles_->array(path);
  const Hdf5Handle space = hdf5_checked(path_, path, {H5Dget_space(array), H5Sclose});
  const std::int64_t count = hdf5_shape(path_, path, *space).elements();
  hdf5_require_room(*handles_->bytes, path, count, sizeof(hobj_ref_t));
  std::vector<hobj_ref_t> raw(static_cast<std::size_t>(count));
  if (count > 0 && H5Dread(array, H5T_STD_REF_OBJ, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()) < 0) {
    hdf5_damaged(path_, path);
  }
  std::vector<std::uint64_t> addresses;
  for (const hobj_ref_t& reference : raw) {
    const Hdf5Handle object(H5Rdereference2(array, H5P_DEFAULT, H5R_OBJECT, &reference), H5Oclose);
    addresses.push_back(object ? address_of(*object) : 0);
  }
  return addresses;
}

std::string Hdf5Reader::words(const std::string& path) const {
  const Hdf5Section section;
  const Kind found = kind(path);
  if (found == Kind::kTexts) return "texts";
  if (found == Kind::kReferences) return "references to other objects";
  if (found != Kind::kOther) return "";
  const Hdf5Handle object = hdf5_checked(path_, path, {H5Oopen(*handles_->file, path.c_str(), H5P_DEFAULT), H5Oclose});
  if (H5Iget_type(*object) != H5I_DATASET) return "";
  const Hdf5Handle type = hdf5_checked(path_, path, {H5Dget_type(*object), H5Tclose});
  switch (H5Tget_class(*type)) {
    case H5T_COMPOUND:
      return is_complex(type) ? "complex numbers" : "a table of records";
    case H5T_VLEN:
      return "lists of different lengths";
    case H5T_FLOAT:
      return "floating-point numbers of more than 8 bytes";
    default:
      return "something else than numbers";
  }
}

}  // namespace chiasm
