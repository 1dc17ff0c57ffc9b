// SPDX-License-Identifier: Apache-2.0
#include "engine/io/array_file.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "engine/io/npy.h"
#include "engine/io/npy_header.h"
#include "kernels/error.h"

namespace chiasm {

ArrayFile ArrayFile::in_place(ByteSource source, std::shared_ptr<const InputFile> file, std::int64_t begin) {
  ArrayFile array;
  array.name_ = source.name();
  const NpyHeader header = read_npy_header(source);
  if (header.text_length > 0)
    throw FileError(source.name(), "NPY header", "an array of numbers is needed, found texts");
  const auto size = static_cast<std::int64_t>(size_of(header.type));
  const std::int64_t count = header.shape.elements();
  if (count > std::numeric_limits<std::int64_t>::max() / 8 || count * size != source.most_left()) {
    throw FileError(source.name(), "values of " + to_string(header.shape),
                    "do not fill the " + std::to_string(source.most_left()) + " bytes after the header");
  }
  array.file_ = std::move(file);
  array.begin_ = begin + source.position();
  array.type_ = header.type;
  array.big_endian_ = header.big_endian;
  array.spec_ = Spec{dtype_for(header.type), header.shape};
  return array;
}

namespace {

bool in_fortran_order(ByteSource source) {
  const NpyHeader header = read_npy_header(source);
  return header.fortran_order && header.shape.rank() > 1;
}

}  // namespace

ArrayFile ArrayFile::open_npy(const std::string& path) {
  auto file = std::make_shared<const InputFile>(path);
  const auto source = [&] { return ByteSource(file, 0, file->size(), Coding::kStored, path); };
  if (!in_fortran_order(source())) return in_place(source(), file, 0);
  ArrayFile array;
  array.name_ = path;
  array.whole_ = read_npy(path);
  array.spec_ = array.whole_.spec();
  return array;
}

ArrayFile ArrayFile::open_npz(const ZipReader& zip, const ZipReader::Entry& entry) {
  if (entry.method == 0 && !in_fortran_order(zip.open(entry))) {
    return in_place(zip.open(entry), zip.file(), zip.content_at(entry));
  }
  ByteSource source = zip.open(entry);
  ArrayFile array;
  array.name_ = source.name();
  array.whole_ = read_npy(source);
  zip.finish(entry, source);
  array.spec_ = array.whole_.spec();
  return array;
}

Tensor ArrayFile::read(std::int64_t first, std::int64_t count) const {
  Tensor part(Spec{spec_.dtype, {count}});
  if (whole_) {
    const std::size_t size = size_of(spec_.dtype);
    std::copy_n(whole_.bytes().data() + static_cast<std::size_t>(first) * size, part.bytes().size(),
                part.bytes().data());
    return part;
  }
  const auto size = static_cast<std::int64_t>(size_of(type_));
  std::vector<std::byte> raw(static_cast<std::size_t>(count * size));
  file_->read(begin_ + first * size, raw);
  decode_values(type_, big_endian_, raw, part.bytes(), name_, "values");
  return part;
}

}  // namespace chiasm
