// SPDX-License-Identifier: Apache-2.0
#include <hdf5.h>

#include <algorithm>
#include <array>
#include <limits>

#include "engine/io/hdf5.h"
#include "engine/io/hdf5_parts.h"
#include "kernels/error.h"

namespace chiasm {

void hdf5_damaged(const std::string& file, const std::string& object) { throw FileError(file, object, hdf5_reason()); }

Hdf5Handle hdf5_checked(const std::string& file, const std::string& object, Hdf5Handle handle) {
  if (!handle) hdf5_damaged(file, object);
  return handle;
}

void hdf5_require_room(const InputFile& file, const std::string& object, std::int64_t elements, std::size_t size) {
  // Deflate packs 1032 bytes into one at best; small arrays that were never written have no bytes at all.
  constexpr std::int64_t kRatio = 1032, kFree = std::int64_t{1} << 20;
  if (elements / kRatio > (file.size() + kFree) / static_cast<std::int64_t>(size)) {
    throw FileError(file.path(), object,
                    "claims " + std::to_string(elements) + " elements, which a file of " + std::to_string(file.size()) +
                        " bytes does not hold");
  }
}

Shape hdf5_shape(const std::string& file, const std::string& object, hid_t space) {
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0) hdf5_damaged(file, object);
  if (rank > kMaxRank) {
    throw FileError(file, object,
                    "has " + std::to_string(rank) + " axes, at most " + std::to_string(kMaxRank) + " are allowed");
  }
  std::array<hsize_t, kMaxRank> sizes{};
  if (H5Sget_simple_extent_dims(space, sizes.data(), nullptr) < 0) hdf5_damaged(file, object);
  std::vector<std::int64_t> signed_sizes;
  for (int axis = 0; axis < rank; ++axis) {
    const hsize_t size = sizes[static_cast<std::size_t>(axis)];
    if (size > static_cast<hsize_t>(std::numeric_limits<std::int64_t>::max())) hdf5_damaged(file, object);
    signed_sizes.push_back(static_cast<std::int64_t>(size));
  }
  try {
    return Shape(signed_sizes);
  } catch (const ShapeError& error) {
    throw FileError(file, object, error.what());
  }
}

namespace {

DType element_type(const std::string& file, const std::string& object, hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      if (H5Tget_size(type) <= 8) return H5Tget_size(type) == 8 ? DType::kFloat64 : DType::kFloat32;
      break;
    case H5T_INTEGER:
    case H5T_ENUM:  // the numbers behind the names; Python writes booleans so
      return DType::kInt32;
    default:
      break;
  }
  throw FileError(file, object, "holds neither floating-point numbers of at most 8 bytes nor integers");
}

herr_t note_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

herr_t note_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

}  // namespace

hid_t Hdf5Reader::Handles::array(const std::string& path) const {
  const auto known = arrays.find(path);
  if (known != arrays.end()) return *known->second;
  Hdf5Handle array(H5Dopen2(*file, path.c_str(), H5P_DEFAULT), H5Dclose);
  if (!array) throw FileError(bytes->path(), path, "is no array of this file");
  return *arrays.emplace(path, std::move(array)).first->second;
}

Hdf5Reader::Hdf5Reader(const std::string& path) : path_(path), handles_(std::make_unique<Handles>()) {
  handles_->bytes = std::make_shared<const InputFile>(path);  // whose messages say more
  const Hdf5Section section;
  if (H5Fis_hdf5(path.c_str()) <= 0) throw FileError(path, "", "is not an HDF5 file");
  // Closing gives back what the library held when it met an error.
  const Hdf5Handle access = hdf5_checked(path, "", {H5Pcreate(H5P_FILE_ACCESS), H5Pclose});
  if (H5Pset_fclose_degree(*access, H5F_CLOSE_STRONG) < 0) hdf5_damaged(path, "");
  handles_->file = Hdf5Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, *access), H5Fclose);
  if (!handles_->file) hdf5_damaged(path, "");
}

Hdf5Reader::~Hdf5Reader() {
  const Hdf5Section section;
  handles_.reset();
}

std::vector<std::string> Hdf5Reader::names(const std::string& group) const {
  const Hdf5Section section;
  const Hdf5Handle handle(H5Gopen2(*handles_->file, group.c_str(), H5P_DEFAULT), H5Gclose);
  if (!handle) throw FileError(path_, group, "is no group of this file");
  std::vector<std::string> names;
  if (H5Literate(*handle, H5_INDEX_NAME, H5_ITER_INC, nullptr, note_name, &names) < 0) hdf5_damaged(path_, group);
  return names;
}

bool Hdf5Reader::has(const std::string& path) const {
  const Hdf5Section section;
  // Each group on the way has to exist: the library takes a missing one for an error.
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    if (H5Lexists(*handles_->file, path.substr(0, at).c_str(), H5P_DEFAULT) <= 0) return false;
    if (at == std::string::npos) return true;
  }
}

std::uint64_t Hdf5Reader::address(const std::string& path) const {
  const Hdf5Section section;
#if H5_VERSION_GE(1, 12, 0)
  H5O_info1_t info{};
#else
  H5O_info_t info{};
#endif
  if (H5Oget_info_by_name1(*handles_->file, path.c_str(), &info, H5P_DEFAULT) < 0) hdf5_damaged(path_, path);
  return info.addr;
}

Hdf5Reader::Kind Hdf5Reader::kind(const std::string& path) const {
  const Hdf5Section section;
  if (path != "/" && !has(path)) return Kind::kNothing;
  const Hdf5Handle object(H5Oopen(*handles_->file, path.c_str(), H5P_DEFAULT), H5Oclose);
  if (!object) return Kind::kNothing;  // a link to what is not there
  switch (H5Iget_type(*object)) {
    case H5I_GROUP:
      return Kind::kGroup;
    case H5I_DATASET:
      break;
    default:
      return Kind::kOther;
  }
  const Hdf5Handle type = hdf5_checked(path_, path, {H5Dget_type(*object), H5Tclose});
  switch (H5Tget_class(*type)) {
    case H5T_FLOAT:
      return H5Tget_size(*type) <= 8 ? Kind::kNumbers : Kind::kOther;
    case H5T_INTEGER:
    case H5T_ENUM:
      return Kind::kNumbers;
    case H5T_STRING:
      return Kind::kTexts;
    case H5T_REFERENCE:
      return H5Tequal(*type, H5T_STD_REF_OBJ) > 0 ? Kind::kReferences : Kind::kOther;
    default:
      return Kind::kOther;
  }
}

Spec Hdf5Reader::spec(const std::string& path) const {
  const Hdf5Section section;
  const hid_t array = handles_->array(path);
  const Hdf5Handle space = hdf5_checked(path_, path, {H5Dget_space(array), H5Sclose});
  const Hdf5Handle type = hdf5_checked(path_, path, {H5Dget_type(array), H5Tclose});
  return {element_type(path_, path, *type), hdf5_shape(path_, path, *space)};
}

Tensor Hdf5Reader::read(const std::string& path, const Shape& first, const Shape& shape) const {
  const Hdf5Section section;
  const Spec all = spec(path);
  bool inside = first.rank() == shape.rank() && shape.rank() == all.shape.rank();
  for (int axis = 0; inside && axis < shape.rank(); ++axis) {
    inside = first[axis] <= all.shape[axis] && shape[axis] <= all.shape[axis] - first[axis];
  }
  if (!inside) {
    throw InputError(path_ + ": " + path + " is " + to_string(all.shape) + "; a block " + to_string(shape) + " at " +
                     to_string(first) + " does not lie inside");
  }
  const hid_t array = handles_->array(path);
  const Hdf5Handle file = hdf5_checked(path_, path, {H5Dget_space(array), H5Sclose});
  std::array<hsize_t, kMaxRank> start{}, count{};
  std::copy(first.begin(), first.end(), start.begin());
  std::copy(shape.begin(), shape.end(), count.begin());
  const Hdf5Handle memory = hdf5_checked(
      path_, path,
      {shape.rank() == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(shape.rank(), count.data(), nullptr), H5Sclose});
  if (shape.rank() > 0 &&
      H5Sselect_hyperslab(*file, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) < 0) {
    hdf5_damaged(path_, path);
  }
  hdf5_require_room(*handles_->bytes, path, shape.elements(), size_of(all.dtype));
  Tensor values(Spec{all.dtype, shape});
  if (values.elements() == 0) return values;
  if (all.dtype == DType::kInt32) {
    std::vector<std::int64_t> wide(static_cast<std::size_t>(values.elements()));
    if (H5Dread(array, H5T_NATIVE_INT64, *memory, *file, H5P_DEFAULT, wide.data()) < 0) hdf5_damaged(path_, path);
    for (std::size_t i = 0; i < wide.size(); ++i) {
      if (wide[i] != static_cast<std::int32_t>(wide[i])) {
        throw FileError(path_, path,
                        "value " + std::to_string(i) + " is " + std::to_string(wide[i]) + ", beyond 32-bit integers");
      }
      values.values<std::int32_t>()[i] = static_cast<std::int32_t>(wide[i]);
    }
    return values;
  }
  const hid_t type = all.dtype == DType::kFloat64 ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT;
  if (H5Dread(array, type, *memory, *file, H5P_DEFAULT, values.view().data()) < 0) hdf5_damaged(path_, path);
  return values;
}

Tensor Hdf5Reader::read(const std::string& path) const {
  const Shape shape = spec(path).shape;
  const std::vector<std::int64_t> zeros(static_cast<std::size_t>(shape.rank()), 0);
  return read(path, Shape(zeros), shape);
}

std::map<std::string, std::string> Hdf5Reader::text_attributes(const std::string& path) const {
  const Hdf5Section section;
  const Hdf5Handle object = hdf5_checked(path_, path, {H5Oopen(*handles_->file, path.c_str(), H5P_DEFAULT), H5Oclose});
  std::vector<std::string> names;
  if (H5Aiterate2(*object, H5_INDEX_NAME, H5_ITER_INC, nullptr, note_attribute, &names) < 0) hdf5_damaged(path_, path);
  std::map<std::string, std::string> texts;
  for (const std::string& name : names) {
    const std::string where = path + "@" + name;
    const Hdf5Handle attribute = hdf5_checked(path_, where, {H5Aopen(*object, name.c_str(), H5P_DEFAULT), H5Aclose});
    const Hdf5Handle type = hdf5_checked(path_, where, {H5Aget_type(*attribute), H5Tclose});
    const Hdf5Handle space = hdf5_checked(path_, where, {H5Aget_space(*attribute), H5Sclose});
    if (H5Tget_class(*type) != H5T_STRING || H5Tis_variable_str(*type) != 0 ||
        hdf5_shape(path_, where, *space).elements() != 1) {
      continue;
    }
    std::string raw(hdf5_text_length(path_, where, *type, 1), '\0');
    if (H5Aread(*attribute, *type, raw.data()) < 0) hdf5_damaged(path_, where);
    texts[name] = hdf5_cut(raw, raw.size())[0];
  }
  return texts;
}

namespace {

// An attribute whose type is of one of `classes`, as numbers of the native type.
template <class T>
std::vector<T> attribute_values(const std::string& file_path, hid_t file, const std::string& path,
                                const std::string& attribute, std::initializer_list<H5T_class_t> classes, hid_t native,
                                const char* kind) {
  const Hdf5Section section;
  const std::string where = path + "@" + attribute;
  const Hdf5Handle handle(H5Aopen_by_name(file, path.c_str(), attribute.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  if (!handle) throw FileError(file_path, where, "is missing");
  const Hdf5Handle type = hdf5_checked(file_path, where, {H5Aget_type(*handle), H5Tclose});
  const Hdf5Handle space = hdf5_checked(file_path, where, {H5Aget_space(*handle), H5Sclose});
  const Shape shape = hdf5_shape(file_path, where, *space);
  constexpr std::int64_t kMost = 1 << 16;
  if (std::ranges::find(classes, H5Tget_class(*type)) == classes.end() || shape.elements() > kMost) {
    throw FileError(file_path, where, std::string("is no list of ") + kind);
  }
  std::vector<T> values(static_cast<std::size_t>(shape.elements()));
  if (!values.empty() && H5Aread(*handle, native, values.data()) < 0) hdf5_damaged(file_path, where);
  return values;
}

}  // namespace

std::vector<std::int64_t> Hdf5Reader::integers(const std::string& path, const std::string& attribute) const {
  return attribute_values<std::int64_t>(path_, *handles_->file, path, attribute, {H5T_INTEGER}, H5T_NATIVE_INT64,
                                        "integers");
}

std::vector<double> Hdf5Reader::numbers(const std::string& path, const std::string& attribute) const {
  return attribute_values<double>(path_, *handles_->file, path, attribute, {H5T_INTEGER, H5T_FLOAT}, H5T_NATIVE_DOUBLE,
                                  "numbers");
}

}  // namespace chiasm
