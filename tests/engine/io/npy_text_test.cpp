// SPDX-License-Identifier: Apache-2.0
#include "engine/io/npy_text.h"

#include <gtest/gtest.h>

#include "engine/io/npy.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"

namespace chiasm {
namespace {

using test::error_of;
using test::TempFolder;
using testing::HasSubstr;

std::vector<std::string> read_back(const std::vector<std::byte>& file) {
  const TempFolder folder;
  ByteSource source(folder.write("texts.npy", file));
  return read_npy_texts(source);
}

TEST(NpyText, ComesBackAsItWas) {
  // ASCII, two to four bytes a character, and bytes that are no UTF-8: a lone continuation, an overlong form, half a
  // surrogate pair, a sequence that ends early.
  const std::vector<std::string> texts{"a/b.png", "",          "\xc3\xa9t\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x92",
                                       "\x80x",   "\xc0\xafz", "\xed\xa0\x80",      "\xe2\x82",     "\xff"};
  EXPECT_EQ(read_back(npy_texts(texts)), texts);
  EXPECT_EQ(read_back(npy_text("one")), std::vector<std::string>{"one"});
  EXPECT_TRUE(read_back(npy_texts({})).empty());
}

TEST(NpyText, IsWhatNumpyWrites) {
  // numpy 1.24: np.save(f, np.array(["ab", "c\u20ac"]))
  const std::vector<std::byte> file = npy_texts({"ab", "c\xe2\x82\xac"});
  const std::string text(reinterpret_cast<const char*>(file.data()), file.size());
  EXPECT_THAT(text, HasSubstr("{'descr': '<U2', 'fortran_order': False, 'shape': (2,), }"));
  EXPECT_TRUE(text.ends_with(std::string("a\0\0\0b\0\0\0c\0\0\0\xac\x20\0\0", 16)));
}

TEST(NpyText, RefusesNumbersAndDamage) {
  const TempFolder folder;
  write_npy(folder / "numbers", Tensor::zeros(DType::kFloat32, {2}));
  EXPECT_THAT(error_of<FileError>([&] {
                ByteSource source(folder / "numbers");
                read_npy_texts(source);
              }),
              HasSubstr("texts is needed, found numbers"));
  const std::string texts = folder.write("texts", npy_texts({"a", "b"}));
  EXPECT_THAT(error_of<FileError>([&] { read_npy(texts); }), HasSubstr("numbers is needed, found texts"));
  const auto load = [](const std::string& path) {
    ByteSource source(path);
    read_npy_texts(source);
  };
  EXPECT_GT(test::expect_survives_damage(test::read_all(texts), 128, 1000, true, load), 300);
}

}  // namespace
}  // namespace chiasm
