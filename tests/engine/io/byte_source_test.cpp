// SPDX-License-Identifier: Apache-2.0
#include "engine/io/byte_source.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "engine/io/crc32.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"

namespace chiasm {
namespace {

using test::Bytes;
using test::error_of;
using test::TempFolder;
using testing::HasSubstr;

TEST(InputFile, SaysWhyAFileCannotBeRead) {
  const TempFolder folder;
  const auto open = [](const std::string& path) { return error_of<FileError>([&] { InputFile file(path); }); };
  EXPECT_THAT(open(folder / "absent"), HasSubstr("absent: no such file"));
  EXPECT_THAT(open(folder.path()), HasSubstr("is a folder"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(open(folder / "pipe"), HasSubstr("not a regular file"));
  if (::geteuid() != 0) {  // root may read everything
    ::chmod(folder.write("locked", test::bytes_of("x")).c_str(), 0);
    EXPECT_THAT(open(folder / "locked"), HasSubstr("no permission"));
  }
}

TEST(InputFile, RefusesAFileOverTheLimit) {
  const TempFolder folder;
  const std::string path = folder.write("four", test::bytes_of("1234"));
  EXPECT_EQ(read_file(path, 4).size(), 4U);
  EXPECT_THAT(error_of<FileError>([&] { read_file(path, 3); }), HasSubstr("has 4 bytes, at most 3"));
}

TEST(InputFile, ReportsAFileThatShrank) {
  const TempFolder folder;
  const InputFile file(folder.write("shrinks", Bytes(100)));
  std::filesystem::resize_file(folder / "shrinks", 10);
  Bytes out(100);
  EXPECT_THAT(error_of<FileError>([&] { file.read(0, out); }), HasSubstr("byte 10: the file ends here"));
}

TEST(Crc32, HasTheStandardCheckValue) {
  const Bytes digits = test::bytes_of("123456789");
  EXPECT_EQ(crc32(digits), 0xCBF43926U);
  EXPECT_EQ(crc32(std::span(digits).subspan(4), crc32(std::span(digits).first(4))), 0xCBF43926U);
}

TEST(ByteSource, ReadsPlainAndGzipAlike) {
  const TempFolder folder;
  const Bytes content = test::noise(300000);
  const Bytes half(content.begin(), content.begin() + 100000), rest(content.begin() + 100000, content.end());
  Bytes members = test::gzip(half);
  test::append(members, test::gzip(rest));
  for (const Bytes& stored : {content, test::gzip(content), members}) {
    ByteSource source(folder.write("file", stored));
    Bytes first(7);
    source.read(first, "first");
    const Bytes others = source.read(std::ssize(content) - 7, "others");
    source.expect_end();
    EXPECT_TRUE(std::equal(first.begin(), first.end(), content.begin()));
    EXPECT_TRUE(std::equal(others.begin(), others.end(), content.begin() + 7));
    EXPECT_EQ(source.crc32(), crc32(content));
  }
}

TEST(ByteSource, NeverTrustsALength) {
  const TempFolder folder;
  const Bytes zeros(1 << 20);
  for (const Bytes& stored : {zeros, test::gzip(zeros)}) {
    const std::string path = folder.write("zeros", stored);
    EXPECT_THAT(error_of<FileError>([&] { ByteSource(path).read(std::int64_t{1} << 50, "values"); }),
                HasSubstr("values: needs 1125899906842624 bytes, at most"));
    EXPECT_THAT(error_of<FileError>([&] { ByteSource(path).read((1 << 20) + 1, "values"); }), HasSubstr("values"));
    EXPECT_THAT(error_of<FileError>([&] {
                  ByteSource source(path);
                  source.read((1 << 20) - 1, "values");
                  source.expect_end();
                }),
                HasSubstr("byte 1048575: bytes follow"));
  }
}

TEST(ByteSource, FindsDamageInGzip) {
  const TempFolder folder;
  const Bytes content = test::noise(1000);
  const Bytes whole = test::gzip(content);
  const auto read_all = [&](const Bytes& stored) {
    ByteSource source(folder.write("file", stored));
    source.read(std::ssize(content), "content");
    source.expect_end();
  };
  EXPECT_NO_THROW(read_all(whole));
  // Every shorter file is refused, also when only the trailing checksum is cut.
  for (std::size_t length = 0; length < whole.size(); length += length < 40 || length + 20 > whole.size() ? 1 : 37) {
    EXPECT_THROW(read_all(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length))), FileError)
        << length;
  }
  Bytes wrong_checksum = whole;
  wrong_checksum[whole.size() - 5] ^= std::byte{1};
  EXPECT_THAT(error_of<FileError>([&] { read_all(wrong_checksum); }), HasSubstr("incorrect data check"));
  Bytes garbage = whole;
  test::append(garbage, test::bytes_of("garbage"));
  EXPECT_THROW(read_all(garbage), FileError);
}

// A zip entry is one deflate stream: a second one after it is not content.
TEST(ByteSource, RefusesBytesAfterADeflateStream) {
  const TempFolder folder;
  const Bytes content = test::noise(100), member = test::gzip(content);
  const Bytes deflated(member.begin() + 10, member.end() - 8);  // without the header and trailer of gzip
  Bytes twice = deflated;
  test::append(twice, deflated);
  const auto read_all = [&](const Bytes& stored) {
    const auto file = std::make_shared<InputFile>(folder.write("file", stored));
    ByteSource source(file, 0, file->size(), Coding::kDeflate, "entry");
    EXPECT_EQ(source.read(100, "content"), content);
    source.expect_end();
  };
  EXPECT_NO_THROW(read_all(deflated));
  EXPECT_THAT(error_of<FileError>([&] { read_all(twice); }), HasSubstr("bytes follow the compressed data"));
}

}  // namespace
}  // namespace chiasm
