// SPDX-License-Identifier: Apache-2.0
#include "engine/io/safetensors.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include "kernels/error.h"
#include "tests/support/file_corpus.h"
#include "tests/support/source_tree.h"

namespace chiasm {
namespace {

using test::Bytes;
using test::bytes_of;
using test::error_of;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

template <class T>
Tensor tensor(const Shape& shape, std::vector<T> values) {
  return Tensor::of<T>(shape, values);
}

Safetensors sample() {
  Safetensors content;
  content.tensors["a/b"] = tensor<float>({2, 2}, {1, -2, std::numeric_limits<float>::infinity(), 0.1F});
  content.tensors["double"] = tensor<double>({3}, {1e300, -0.0, 5e-324});
  content.tensors["int"] = tensor<std::int32_t>({}, {-7});
  content.tensors["byte"] = tensor<std::uint8_t>({3, 1}, {0, 1, 255});
  content.tensors["none"] = Tensor::zeros(DType::kFloat64, {0, 5});
  content.metadata = {{"step", "12"}, {"quote \" and \n", "µ"}};
  return content;
}

void expect_same(const Safetensors& a, const Safetensors& b) {
  EXPECT_EQ(a.metadata, b.metadata);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, expected] : b.tensors) {
    ASSERT_TRUE(a.tensors.contains(name)) << name;
    EXPECT_EQ(a.tensors.at(name).spec(), expected.spec()) << name;
    EXPECT_TRUE(std::ranges::equal(a.tensors.at(name).bytes(), expected.bytes())) << name;
  }
}

// A file of a header and `data` bytes of zeros.
Bytes file_of(const std::string& header, std::size_t data) {
  const auto length = std::bit_cast<std::array<std::byte, 8>>(std::uint64_t{header.size()});
  Bytes file(length.begin(), length.end());
  test::append(file, bytes_of(header));
  file.resize(file.size() + data);
  return file;
}

TEST(Safetensors, ComesBackAsItWas) {
  const TempFolder folder;
  write_safetensors(folder / "file", sample());
  expect_same(read_safetensors(folder / "file"), sample());
  write_safetensors(folder / "again", read_safetensors(folder / "file"));
  EXPECT_EQ(test::read_all(folder / "again"), test::read_all(folder / "file"));
  write_safetensors(folder / "empty", {});
  expect_same(read_safetensors(folder / "empty"), {});
}

TEST(Safetensors, ReadsWhatPythonWrote) {
  const Safetensors content = read_safetensors(test::source_folder() + "/tests/data/python.safetensors");
  EXPECT_EQ(content.metadata, (std::map<std::string, std::string>{{"format", "np"}, {"note", "µ"}}));
  const auto at = [&](const std::string& name) -> const Tensor& { return content.tensors.at(name); };
  EXPECT_EQ(content.tensors.size(), 9U);
  EXPECT_EQ(at("conv/weight").shape(), (Shape{2, 3, 4}));
  for (int i = 0; i < 24; ++i) EXPECT_EQ(at("conv/weight").values<float>()[static_cast<std::size_t>(i)], i / 8.0F - 1);
  EXPECT_THAT(at("double").values<double>(), ElementsAre(std::numbers::pi, 0, std::numeric_limits<double>::infinity()));
  EXPECT_TRUE(std::signbit(at("double").values<double>()[1]));
  EXPECT_THAT(at("half").values<float>(),
              ElementsAre(1.5F, -0x1p-24F, 65504.0F, std::numeric_limits<float>::infinity()));
  EXPECT_EQ(at("labels").shape(), (Shape{2, 1}));
  EXPECT_THAT(at("labels").values<std::int32_t>(), ElementsAre(-1, 2147483647));
  EXPECT_THAT(at("long").values<std::int32_t>(), ElementsAre(-5, 7));
  EXPECT_THAT(at("bytes").values<std::uint8_t>(), ElementsAre(0, 255, 7));
  EXPECT_THAT(at("mask").values<std::uint8_t>(), ElementsAre(1, 0));
  EXPECT_EQ(at("scalar").shape(), Shape{});
  EXPECT_THAT(at("scalar").values<float>(), ElementsAre(3.25F));
  EXPECT_EQ(at("empty").shape(), (Shape{0, 4}));
}

TEST(Safetensors, FindsDamagedData) {
  const TempFolder folder;
  write_safetensors(folder / "file", sample());
  Bytes file = test::read_all(folder / "file");
  file[file.size() - 3] ^= std::byte{4};
  folder.write("file", file);
  EXPECT_THAT(error_of<FileError>([&] { read_safetensors(folder / "file"); }),
              HasSubstr("data: are damaged: their CRC-32"));
}

TEST(Safetensors, SurvivesDamage) {
  const TempFolder folder;
  Safetensors content = sample();
  write_safetensors(folder / "file", content);
  const auto load = [](const std::string& path) { read_safetensors(path); };
  const Bytes valid = test::read_all(folder / "file");
  EXPECT_GT(test::expect_survives_damage(valid, valid.size() - 64, 2000, true, load), 2000);
  // Without a checksum, damage to the data is not seen and must load.
  const Bytes python = test::read_all(test::source_folder() + "/tests/data/python.safetensors");
  EXPECT_GT(test::expect_survives_damage(python, python.size() - 200, 500, true, load), 500);
}

TEST(Safetensors, NamesTheFieldThatIsWrong) {
  const TempFolder folder;
  const auto error = [&](const Bytes& content) {
    const std::string path = folder.write("bad", content);
    return error_of<FileError>([&] { read_safetensors(path); });
  };
  const auto one = [&](const std::string& fields, std::size_t data = 8) {
    return error(file_of("{\"w\":{" + fields + "}}", data));
  };
  EXPECT_THAT(error({}), HasSubstr("header length: the file has 0 bytes"));
  EXPECT_THAT(error(Bytes(8, std::byte{255})), HasSubstr("header length: found 18446744073709551615, at most 0"));
  EXPECT_THAT(error(file_of("{}", 1)), HasSubstr("data: 1 bytes where the header describes 0"));
  EXPECT_THAT(error(file_of("[]", 0)), HasSubstr("not a JSON object"));
  EXPECT_THAT(error(file_of("{\"w\":", 0)), HasSubstr("not valid JSON"));
  EXPECT_THAT(error(file_of("{\"w\": 1}", 0)), HasSubstr("tensor \"w\": is not a JSON object"));
  EXPECT_THAT(error(file_of(std::string(100000, '['), 0)), HasSubstr("nested deeper"));
  EXPECT_THAT(error(file_of("{\"__metadata__\":{\"a\":1}}", 0)), HasSubstr("\"a\": is not a string"));
  EXPECT_THAT(error(file_of("{\"__metadata__\":[]}", 0)), HasSubstr("__metadata__: is not a JSON object"));
  const std::string entry = R"("w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  EXPECT_THAT(error(file_of("{" + entry + "," + entry + "}", 8)), HasSubstr("\"w\": occurs twice"));
  EXPECT_THAT(error(file_of("{" + entry + "}", 9)), HasSubstr("9 bytes where the header describes 8"));
  EXPECT_THAT(error(file_of("{" + entry + "}", 7)), HasSubstr("7 bytes where the header describes 8"));
  EXPECT_THAT(one(R"("dtype":"F32","shape":[2])"), HasSubstr("are needed"));
  EXPECT_THAT(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8],"x":0)"), HasSubstr("unknown field \"x\""));
  EXPECT_THAT(one(R"("dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8])"),
              HasSubstr("\"dtype\": occurs twice"));
  EXPECT_THAT(one(R"("dtype":"C64","shape":[1],"data_offsets":[0,8])"), HasSubstr("dtype: found \"C64\"; F32"));
  EXPECT_THAT(one(R"("dtype":3,"shape":[1],"data_offsets":[0,8])"), HasSubstr("dtype: found number"));
  EXPECT_THAT(one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), HasSubstr("shape: item 0"));
  EXPECT_THAT(one(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), HasSubstr("shape: item 0"));
  EXPECT_THAT(one(R"("dtype":"F32","shape":2,"data_offsets":[0,8])"), HasSubstr("shape: a list"));
  EXPECT_THAT(one(R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8])"), HasSubstr("at most 8 axes"));
  EXPECT_THAT(one(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8])"), HasSubstr("63 bits"));
  EXPECT_THAT(one(R"("dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8])"),
              HasSubstr("8 bytes do not hold"));
  EXPECT_THAT(one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"),
              HasSubstr("8 bytes do not hold F32 values of shape [3]"));
  EXPECT_THAT(one(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), HasSubstr("ascending"));
  EXPECT_THAT(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,9])"), HasSubstr("two ascending"));
  EXPECT_THAT(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615])"), HasSubstr("item 1"));
  EXPECT_THAT(one(R"("dtype":"F32","shape":[2],"data_offsets":[4,12])", 12), HasSubstr("begins at 4 where 0 is next"));
  EXPECT_THAT(error(file_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                            R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
                            6)),
              HasSubstr("tensor \"b\", data_offsets: begins at 2 where 4 is next"));
}

TEST(Safetensors, RefusesALongIntegerBeyondInt32) {
  const TempFolder folder;
  Bytes file = file_of(R"({"w":{"dtype":"I64","shape":[2],"data_offsets":[0,16]}})", 16);
  file[file.size() - 4] = std::byte{1};
  folder.write("file", file);
  EXPECT_THAT(error_of<FileError>([&] { read_safetensors(folder / "file"); }),
              HasSubstr("value 1 is 4294967296, beyond"));
}

TEST(Safetensors, RefusesWhatItCannotWrite) {
  const TempFolder folder;
  const auto error = [&](Safetensors content) {
    return error_of<InputError>([&] { write_safetensors(folder / "file", content); });
  };
  EXPECT_THAT(error({{{"w", Tensor()}}, {}}), HasSubstr("\"w\" has no data"));
  EXPECT_THAT(error({{{"__metadata__", Tensor::zeros(DType::kFloat32, {1})}}, {}}), HasSubstr("__metadata__"));
  EXPECT_THAT(error({{{"\xff", Tensor::zeros(DType::kFloat32, {1})}}, {}}), HasSubstr("UTF-8"));
  EXPECT_THAT(error({{}, {{"chiasm.crc32", ""}}}), HasSubstr("reserved"));
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace chiasm
