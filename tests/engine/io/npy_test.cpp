// SPDX-License-Identifier: Apache-2.0
#include "engine/io/npy.h"

#include <gtest/gtest.h>

#include <limits>

#include "kernels/error.h"
#include "tests/engine/io/npy_bytes.h"
#include "tests/support/file_corpus.h"
#include "tests/support/source_tree.h"

namespace chiasm {
namespace {

using test::Bytes;
using test::bytes_of;
using test::error_of;
using test::npy_file;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

std::map<std::string, Tensor> samples() {
  std::map<std::string, Tensor> tensors;
  tensors["float"] = Tensor::of<float>({2, 2}, std::vector<float>{1, -2, std::numeric_limits<float>::infinity(), 0.1F});
  tensors["double"] = Tensor::of<double>({3}, std::vector<double>{1e300, -0.0, 5e-324});
  tensors["int"] = Tensor::of<std::int32_t>({}, std::vector<std::int32_t>{-7});
  tensors["byte"] = Tensor::of<std::uint8_t>({3, 1, 1}, std::vector<std::uint8_t>{0, 1, 255});
  tensors["none"] = Tensor::zeros(DType::kFloat64, {0, 5});
  return tensors;
}

void expect_same(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.spec(), b.spec());
  EXPECT_TRUE(std::ranges::equal(a.bytes(), b.bytes()));
}

std::vector<double> numbers(const Tensor& tensor) {
  return visit_any(tensor.dtype(), [&]<class T>() {
    return std::vector<double>(tensor.values<T>().begin(), tensor.values<T>().end());
  });
}

TEST(Npy, ComesBackAsItWas) {
  const TempFolder folder;
  for (const auto& [name, tensor] : samples()) {
    write_npy(folder / name, tensor);
    expect_same(read_npy(folder / name), tensor);
  }
}

TEST(Npz, ComesBackAsItWas) {
  const TempFolder folder;
  std::map<std::string, Tensor> tensors = samples();
  tensors["zeros"] = Tensor::zeros(DType::kFloat32, {300, 1000});
  for (const bool compress : {false, true}) {
    write_npz(folder / "file.npz", tensors, compress);
    const auto back = read_npz(folder / "file.npz");
    ASSERT_EQ(back.size(), tensors.size());
    for (const auto& [name, tensor] : tensors) expect_same(back.at(name), tensor);
    expect_same(read_npz(folder / "file.npz", "double"), tensors.at("double"));
    EXPECT_EQ(std::ssize(test::read_all(folder / "file.npz")) > 1'200'000, !compress);
  }
  write_npz(folder / "empty.npz", {});
  EXPECT_TRUE(read_npz(folder / "empty.npz").empty());
}

TEST(Npz, ReadsWhatNumpyWrote) {
  const auto deflated = read_npz(test::source_folder() + "/tests/data/deflated.npz");
  EXPECT_EQ(deflated.size(), 24U);
  for (const auto& [name, tensor] : deflated) {
    if (name == "bool" || name == "scalar" || name == "empty" || name == "one_axis") continue;
    EXPECT_EQ(tensor.shape(), (Shape{2, 3})) << name;
    EXPECT_THAT(numbers(tensor), ElementsAre(0, 1, 2, 3, 4, 5)) << name;
    const DType expected = name.ends_with("f8")                                                ? DType::kFloat64
                           : name.ends_with("f2") || name.ends_with("f4") || name == "fortran" ? DType::kFloat32
                           : name == "u1"                                                      ? DType::kUInt8
                                                                                               : DType::kInt32;
    EXPECT_EQ(tensor.dtype(), expected) << name;
  }
  EXPECT_EQ(deflated.at("bool").dtype(), DType::kUInt8);
  EXPECT_THAT(numbers(deflated.at("bool")), ElementsAre(1, 0));
  EXPECT_EQ(deflated.at("scalar").shape(), Shape{});
  EXPECT_THAT(numbers(deflated.at("scalar")), ElementsAre(2.5));
  EXPECT_EQ(deflated.at("empty").shape(), (Shape{0, 3}));
  EXPECT_EQ(deflated.at("one_axis").shape(), Shape{1});

  const auto stored = read_npz(test::source_folder() + "/tests/data/stored.npz");
  EXPECT_EQ(stored.size(), 3U);
  for (const auto& [name, tensor] : stored) EXPECT_THAT(numbers(tensor), ElementsAre(0, 1, 2, 3, 4, 5)) << name;
}

TEST(Npy, NamesWhatIsWrong) {
  const TempFolder folder;
  const auto error = [&](const Bytes& content) {
    const std::string path = folder.write("bad", content);
    return error_of<FileError>([&] { read_npy(path); });
  };
  const auto with = [&](const std::string& header, std::size_t data = 8) {
    return error(npy_file(header, Bytes(data)));
  };
  EXPECT_THAT(error(bytes_of("\x89PNG\r\n\x1a\n")), HasSubstr("magic string"));
  EXPECT_THAT(error(npy_file("{}", {}, 4)), HasSubstr("version: found 4.0"));
  EXPECT_THAT(error(npy_file(std::string(70000, ' '), {}, 2)), HasSubstr("header length: found 70000"));
  EXPECT_THAT(with("{}"), HasSubstr("descr, fortran_order and shape are needed"));
  EXPECT_THAT(with("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"),
              HasSubstr("Python objects are not read"));
  EXPECT_THAT(with("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"),
              HasSubstr("structured types"));
  EXPECT_THAT(with("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }"), HasSubstr("element type '<c8'"));
  EXPECT_THAT(with("{'descr': '|f4', 'fortran_order': False, 'shape': (1,), }"), HasSubstr("element type '|f4'"));
  EXPECT_THAT(with("{'descr': '', 'fortran_order': False, 'shape': (1,), }"), HasSubstr("element type ''"));
  EXPECT_THAT(with("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }"), HasSubstr("True or False"));
  EXPECT_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }"), HasSubstr("a size is needed"));
  EXPECT_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (2 2), }"), HasSubstr("')' is needed"));
  EXPECT_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }"),
              HasSubstr("63 bits"));
  EXPECT_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"),
              HasSubstr("63 bits"));
  EXPECT_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,), }"),
              HasSubstr("more than any"));
  EXPECT_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 2), }"),
              HasSubstr("8 axes"));
  EXPECT_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"),
              HasSubstr("values of [3]: needs 12 bytes"));
  EXPECT_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"), HasSubstr("bytes follow"));
  EXPECT_THAT(with("{'descr': '<f4', 'shape': (2,), 'shape': (2,), }"), HasSubstr("'shape' occurs twice"));
  EXPECT_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}"), HasSubstr("unknown key 'x'"));
  EXPECT_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } exec"), HasSubstr("text follows"));
  EXPECT_THAT(error(npy_file("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", Bytes(8, std::byte{127}))),
              HasSubstr("value 0 is 9187201950435737471, beyond 32-bit"));
}

TEST(Npz, NamesWhatIsWrong) {
  const TempFolder folder;
  const auto error = [&](const Bytes& content) {
    const std::string path = folder.write("bad", content);
    return error_of<FileError>([&] { read_npz(path); });
  };
  EXPECT_THAT(error({}), HasSubstr("not a zip file"));
  EXPECT_THAT(error(Bytes(70000)), HasSubstr("not a zip file"));
  write_npz(folder / "good", {{"w", Tensor::zeros(DType::kFloat32, {4})}});
  const Bytes good = test::read_all(folder / "good");
  const auto changed = [&](std::size_t from_end, int value) {
    Bytes bad = good;
    bad[bad.size() - from_end] = static_cast<std::byte>(value);
    return error(bad);
  };
  const std::size_t entry = 22 + 46 + 5;  // end record, directory entry, "w.npy"
  EXPECT_THAT(changed(22, 0), HasSubstr("not a zip file"));
  EXPECT_THAT(changed(6, 99), HasSubstr("does not end where"));
  EXPECT_THAT(changed(entry - 8, 1), HasSubstr("entry 0: is encrypted"));
  EXPECT_THAT(changed(entry - 10, 12), HasSubstr("compression method 12"));
  EXPECT_THAT(changed(entry - 16, 1), HasSubstr("bad(w.npy): zip entry: is damaged: its CRC-32"));
  EXPECT_THAT(changed(entry - 42, 9), HasSubstr("no matching header at byte 9"));
  EXPECT_THAT(changed(22 + 1, 'x'), HasSubstr("an NPZ file holds .npy entries only"));
  EXPECT_THAT(error_of<FileError>([&] { read_npz(folder / "good", "v"); }), HasSubstr("has no array \"v\"; it has w"));
}

TEST(Npy, SurvivesDamage) {
  const TempFolder folder;
  write_npy(folder / "file", samples().at("float"));
  const auto load = [](const std::string& path) { read_npy(path); };
  EXPECT_GT(test::expect_survives_damage(test::read_all(folder / "file"), 128, 2000, true, load), 500);
  const Bytes fortran = npy_file("{'descr': '>i8', 'fortran_order': True, 'shape': (2, 3), }", Bytes(48));
  EXPECT_GT(test::expect_survives_damage(fortran, 128, 2000, true, load), 500);
}

TEST(Npz, SurvivesDamage) {
  const TempFolder folder;
  const auto load = [](const std::string& path) { read_npz(path); };
  for (const bool compress : {false, true}) {
    write_npz(folder / "file", {{"a", samples().at("float")}, {"b", samples().at("byte")}}, compress);
    const Bytes valid = test::read_all(folder / "file");
    EXPECT_GT(test::expect_survives_damage(valid, valid.size(), 2000, true, load), 2000);
  }
}

TEST(Npz, RefusesWhatItCannotWrite) {
  const TempFolder folder;
  EXPECT_THROW(write_npz(folder / "file", {{"w", Tensor()}}), InputError);
  EXPECT_THROW(write_npz(folder / "file", {{"", Tensor::zeros(DType::kFloat32, {1})}}), InputError);
  EXPECT_THROW(write_npz(folder / "file", {{std::string(70000, 'x'), Tensor::zeros(DType::kFloat32, {1})}}),
               InputError);
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace chiasm
