// SPDX-License-Identifier: Apache-2.0
// Entries written out of order, and files beyond 4 GiB. What NPZ needs besides is tested with it (npy_test.cpp).
#include "engine/io/zip.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "engine/io/array_file.h"
#include "engine/io/crc32.h"
#include "engine/io/npy.h"
#include "engine/io/npy_bytes.h"
#include "engine/io/npy_text.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"
#include "tests/support/source_tree.h"

namespace chiasm {
namespace {

using test::Bytes;
using test::error_of;
using test::TempFolder;
using testing::HasSubstr;

TEST(Crc32, OfTwoPiecesIsThatOfTheWhole) {
  const Bytes bytes = test::noise(1000);
  for (std::size_t cut : {0U, 1U, 499U, 1000U}) {
    const auto first = std::span(bytes).first(cut), second = std::span(bytes).subspan(cut);
    EXPECT_EQ(crc32_joined(crc32(first), crc32(second), std::ssize(second)), crc32(bytes)) << cut;
  }
}

TEST(ZipWriter, FillsReservedEntriesInAnyOrder) {
  const TempFolder folder;
  const Bytes content = test::noise(5000), other = test::noise(70, 2);
  ZipWriter writer(folder / "file.zip");
  const std::size_t large = writer.reserve("large", 5000);
  writer.add("other", std::array<std::span<const std::byte>, 1>{other}, true);
  writer.write(large, 3000, std::span(content).subspan(3000));
  writer.write(large, 0, std::span(content).first(3000));
  writer.set_checksum(large, crc32(content));
  EXPECT_FALSE(std::filesystem::exists(folder / "file.zip"));
  writer.commit();
  const ZipReader reader(folder / "file.zip");
  ASSERT_EQ(reader.entries().size(), 2U);
  for (const ZipReader::Entry& entry : reader.entries()) {
    ByteSource source = reader.open(entry);
    EXPECT_EQ(source.read(entry.bytes, "content"), entry.name == "large" ? content : other);
    reader.finish(entry, source);
  }
}

TEST(ZipWriter, AnEntryWithoutItsChecksumReadsAsDamaged) {
  const TempFolder folder;
  ZipWriter writer(folder / "file.zip");
  writer.write(writer.reserve("a", 3), 0, test::bytes_of("abc"));
  writer.commit();
  const ZipReader reader(folder / "file.zip");
  ByteSource source = reader.open(reader.entries()[0]);
  source.read(3, "content");
  EXPECT_THAT(error_of<FileError>([&] { reader.finish(reader.entries()[0], source); }), HasSubstr("CRC-32"));
}

// The CRC-32 of `count` zeros, by doubling.
std::uint32_t checksum_of_zeros(std::int64_t count) {
  std::uint32_t result = 0, piece = crc32(Bytes(1));
  for (std::int64_t bytes = 1; count > 0; count /= 2, bytes *= 2) {
    if (count % 2 == 1) result = crc32_joined(result, piece, bytes);
    piece = crc32_joined(piece, piece, bytes);
  }
  return result;
}

// Sizes, an offset and the directory beyond 32 bits. The file is sparse: it takes no room on the disk.
TEST(ZipWriter, GoesBeyond4GiB) {
  const TempFolder folder;
  const std::string path = folder / "large.npz";
  const Spec spec{DType::kFloat32, {3, 400, 1000, 1000}};  // 4.8 GB
  const Bytes preamble = npy_preamble(spec);
  const Tensor last = Tensor::of<float>({3}, std::vector<float>{1, -2, 3.5});
  {
    ZipWriter writer(path);
    const std::size_t entry = writer.reserve("large.npy", std::ssize(preamble) + spec.bytes());
    writer.write(entry, 0, preamble);
    const std::int64_t zeros = spec.bytes() - std::ssize(last.bytes());
    writer.write(entry, std::ssize(preamble) + zeros, last.bytes());
    std::uint32_t checksum = crc32_joined(crc32(preamble), checksum_of_zeros(zeros), zeros);
    checksum = crc32_joined(checksum, crc32(last.bytes()), std::ssize(last.bytes()));
    writer.set_checksum(entry, checksum);
    const Bytes after = npy_text("behind");
    writer.add("after.npy", std::array<std::span<const std::byte>, 1>{after}, false);
    writer.commit();
  }
  const ZipReader reader(path);
  ASSERT_EQ(reader.entries().size(), 2U);
  const ArrayFile array = ArrayFile::open_npz(reader, reader.entries()[0]);
  EXPECT_EQ(array.spec(), spec);
  const Tensor end = array.read(spec.shape.elements() - 4, 4);
  EXPECT_THAT(std::vector<float>(end.values<float>().begin(), end.values<float>().end()),
              testing::ElementsAre(0.0F, 1.0F, -2.0F, 3.5F));
  ByteSource source = reader.open(reader.entries()[1]);
  EXPECT_THAT(read_npy_texts(source), testing::ElementsAre("behind"));
  reader.finish(reader.entries()[1], source);

  // A locator that leads nowhere, and sizes that are missing, are errors and not crashes.
  const auto damaged = [&](std::int64_t from_end, std::byte value) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-from_end, std::ios::end);
    const char kept = static_cast<char>(file.peek());
    file.seekp(-from_end, std::ios::end);
    file.put(static_cast<char>(value));
    file.flush();
    const std::string message = error_of<FileError>([&] { ZipReader again(path); });
    file.seekp(-from_end, std::ios::end);
    file.put(kept);
    return message;
  };
  EXPECT_THAT(damaged(22 + 20 - 8, std::byte{0xFF}), HasSubstr("zip64 end record"));  // where the record is
  EXPECT_THAT(damaged(22 + 20 + 56, std::byte{0}), HasSubstr("zip64 end record"));    // its signature
  EXPECT_THAT(damaged(22 + 20 + 56 - 40, std::byte{9}), HasSubstr("does not end where"));  // the directory's size
  EXPECT_NO_THROW(ZipReader{path});
}

TEST(ArrayFile, ReadsPartsOfWhateverReadNpyReads) {
  const TempFolder folder;
  std::vector<float> values(60);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * i) / 7;
  const Tensor tensor = Tensor::of<float>({5, 4, 3}, values);
  write_npy(folder / "a.npy", tensor);
  write_npz(folder / "stored.npz", {{"a", tensor}});
  write_npz(folder / "deflated.npz", {{"a", tensor}}, true);
  std::vector<ArrayFile> files{ArrayFile::open_npy(folder / "a.npy")};
  for (const char* name : {"stored.npz", "deflated.npz"}) {
    const ZipReader zip(folder / name);
    files.push_back(ArrayFile::open_npz(zip, zip.entries()[0]));
  }
  for (const ArrayFile& file : files) {
    EXPECT_EQ(file.spec(), tensor.spec());
    const Tensor part = file.read(17, 20);
    EXPECT_TRUE(std::equal(part.values<float>().begin(), part.values<float>().end(), values.begin() + 17))
        << file.name();
  }
  const ZipReader numpy(test::source_folder() + "/tests/data/deflated.npz");
  for (const ZipReader::Entry& entry : numpy.entries()) {
    const Tensor whole = read_npz(numpy.path(), entry.name.substr(0, entry.name.size() - 4));
    const ArrayFile file = ArrayFile::open_npz(numpy, entry);
    EXPECT_TRUE(std::ranges::equal(file.read(0, whole.elements()).bytes(), whole.bytes())) << entry.name;
  }
}

TEST(ArrayFile, SurvivesDamage) {
  const TempFolder folder;
  write_npy(folder / "a", Tensor::zeros(DType::kFloat32, {5, 4}));
  const auto load = [](const std::string& path) {
    const ArrayFile file = ArrayFile::open_npy(path);
    file.read(0, file.spec().shape.elements());
  };
  EXPECT_GT(test::expect_survives_damage(test::read_all(folder / "a"), 128, 1000, true, load), 300);
}

}  // namespace
}  // namespace chiasm
