// SPDX-License-Identifier: Apache-2.0
#include <hdf5.h>

#include <algorithm>
#include <array>

#include "engine/io/hdf5.h"
#include "engine/io/hdf5_handle.h"
#include "kernels/error.h"

namespace chiasm {

struct Hdf5Writer::Handles {
  Hdf5Handle file;
  std::map<std::string, Hdf5Handle> arrays;  // closed before the file
};

namespace {

// Of a chunked array that is written in whole chunks, nothing is kept for later.
constexpr std::size_t kCacheBytes = std::size_t{1} << 20;
constexpr std::size_t kCacheSlots = 521;

hid_t memory_type(DType type) {
  switch (type) {
    case DType::kFloat32:
      return H5T_NATIVE_FLOAT;
    case DType::kFloat64:
      return H5T_NATIVE_DOUBLE;
    case DType::kInt32:
      return H5T_NATIVE_INT32;
    case DType::kUInt8:
      return H5T_NATIVE_UINT8;
  }
  throw InternalError("unknown element type");
}

hid_t file_type(DType type) {
  switch (type) {
    case DType::kFloat32:
      return H5T_IEEE_F32LE;
    case DType::kFloat64:
      return H5T_IEEE_F64LE;
    case DType::kInt32:
      return H5T_STD_I32LE;
    case DType::kUInt8:
      return H5T_STD_U8LE;
  }
  throw InternalError("unknown element type");
}

std::array<hsize_t, kMaxRank> sizes_of(const Shape& shape) {
  std::array<hsize_t, kMaxRank> sizes{};
  std::copy(shape.begin(), shape.end(), sizes.begin());
  return sizes;
}

}  // namespace

// Evaluates to the handle of a call, and fails with the library's reason when there is none.
#define CHIASM_HDF5(call, close) checked(path_, Hdf5Handle((call), close))

namespace {

[[noreturn]] void fail(const std::string& path) { throw SystemError("cannot write " + path + ": " + hdf5_reason()); }

Hdf5Handle checked(const std::string& path, Hdf5Handle handle) {
  if (!handle) fail(path);
  return handle;
}

void require(const std::string& path, herr_t status) {
  if (status < 0) fail(path);
}

Hdf5Handle space_of(const std::string& path_, const Shape& shape) {
  const auto sizes = sizes_of(shape);
  return shape.rank() == 0 ? CHIASM_HDF5(H5Screate(H5S_SCALAR), H5Sclose)
                           : CHIASM_HDF5(H5Screate_simple(shape.rank(), sizes.data(), nullptr), H5Sclose);
}

// Fixed-length UTF-8, filled up with zeros.
Hdf5Handle text_type(const std::string& path_, std::size_t length) {
  Hdf5Handle type = CHIASM_HDF5(H5Tcopy(H5T_C_S1), H5Tclose);
  require(path_, H5Tset_size(*type, std::max<std::size_t>(1, length)));
  require(path_, H5Tset_strpad(*type, H5T_STR_NULLPAD));
  require(path_, H5Tset_cset(*type, H5T_CSET_UTF8));
  return type;
}

}  // namespace

Hdf5Writer::Hdf5Writer(const std::string& path) : path_(path), file_(path), handles_(std::make_unique<Handles>()) {
  const Hdf5Section section;
  const Hdf5Handle access = CHIASM_HDF5(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  require(path_, H5Pset_libver_bounds(*access, H5F_LIBVER_V110, H5F_LIBVER_LATEST));
  require(path_, H5Pset_fclose_degree(*access, H5F_CLOSE_STRONG));
  handles_->file =
      CHIASM_HDF5(H5Fcreate(file_.temporary_path().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, *access), H5Fclose);
}

Hdf5Writer::~Hdf5Writer() {
  const Hdf5Section section;
  handles_.reset();
}

void Hdf5Writer::array(const std::string& path, const Spec& spec, const Shape& chunk) {
  const Hdf5Section section;
  const Hdf5Handle space = space_of(path_, spec.shape);
  const Hdf5Handle create = CHIASM_HDF5(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  require(path_, H5Pset_obj_track_times(*create, false));  // the same values give the same file
  const Hdf5Handle access = CHIASM_HDF5(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  const Hdf5Handle link = CHIASM_HDF5(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  require(path_, H5Pset_create_intermediate_group(*link, 1));
  if (chunk.rank() > 0 && spec.shape.elements() > 0) {
    require(path_, H5Pset_chunk(*create, chunk.rank(), sizes_of(chunk).data()));
    require(path_, H5Pset_fletcher32(*create));
    require(path_, H5Pset_fill_time(*create, H5D_FILL_TIME_NEVER));
    require(path_, H5Pset_chunk_cache(*access, kCacheSlots, kCacheBytes, 1.0));
  }
  handles_->arrays[path] = CHIASM_HDF5(
      H5Dcreate2(*handles_->file, path.c_str(), file_type(spec.dtype), *space, *link, *create, *access), H5Dclose);
}

void Hdf5Writer::write(const std::string& path, const Shape& first, const View& block) {
  const Hdf5Section section;
  const hid_t array = *handles_->arrays.at(path);
  const Hdf5Handle file = CHIASM_HDF5(H5Dget_space(array), H5Sclose);
  const Hdf5Handle memory = space_of(path_, block.shape());
  if (block.shape().rank() > 0) {
    const auto start = sizes_of(first), count = sizes_of(block.shape());
    require(path_, H5Sselect_hyperslab(*file, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr));
  }
  if (block.elements() == 0) return;
  require(path_, H5Dwrite(array, memory_type(block.dtype()), *memory, *file, H5P_DEFAULT, block.data()));
}

void Hdf5Writer::array(const std::string& path, const View& values) {
  array(path, values.spec(), {});
  const std::vector<std::int64_t> zeros(static_cast<std::size_t>(values.shape().rank()), 0);
  write(path, Shape(zeros), values);
}

void Hdf5Writer::texts(const std::string& path, const std::vector<std::string>& values) {
  const Hdf5Section section;
  std::size_t length = 1;
  for (const std::string& value : values) length = std::max(length, value.size());
  std::string raw;
  raw.reserve(length * values.size());
  for (const std::string& value : values) raw += value + std::string(length - value.size(), '\0');
  const Hdf5Handle type = text_type(path_, length);
  const Hdf5Handle space = space_of(path_, {std::ssize(values)});
  const Hdf5Handle create = CHIASM_HDF5(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  require(path_, H5Pset_obj_track_times(*create, false));
  const Hdf5Handle array = CHIASM_HDF5(
      H5Dcreate2(*handles_->file, path.c_str(), *type, *space, H5P_DEFAULT, *create, H5P_DEFAULT), H5Dclose);
  if (!values.empty()) require(path_, H5Dwrite(*array, *type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()));
}

void Hdf5Writer::attribute(const std::string& path, const std::string& name, const std::string& value) {
  const Hdf5Section section;
  const Hdf5Handle type = text_type(path_, value.size());
  const Hdf5Handle space = space_of(path_, {});
  const Hdf5Handle attribute = CHIASM_HDF5(H5Acreate_by_name(*handles_->file, path.c_str(), name.c_str(), *type, *space,
                                                             H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                                           H5Aclose);
  require(path_, H5Awrite(*attribute, *type, value.empty() ? "" : value.data()));
}

void Hdf5Writer::attribute(const std::string& path, const std::string& name, const std::vector<std::int64_t>& values) {
  const Hdf5Section section;
  const Hdf5Handle space = space_of(path_, {std::ssize(values)});
  const Hdf5Handle attribute = CHIASM_HDF5(H5Acreate_by_name(*handles_->file, path.c_str(), name.c_str(), H5T_STD_I64LE,
                                                             *space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                                           H5Aclose);
  if (!values.empty()) require(path_, H5Awrite(*attribute, H5T_NATIVE_INT64, values.data()));
}

#undef CHIASM_HDF5

void Hdf5Writer::commit() {
  const Hdf5Section section;
  for (auto& [path, array] : handles_->arrays) {
    if (!array.close()) fail(path_);
  }
  handles_->arrays.clear();
  require(path_, H5Fflush(*handles_->file, H5F_SCOPE_LOCAL));
  if (!handles_->file.close()) fail(path_);
  file_.commit();
}

}  // namespace chiasm
