// SPDX-License-Identifier: Apache-2.0
#include "engine/io/matlab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "kernels/error.h"
#include "tests/support/file_corpus.h"
#include "tests/support/source_tree.h"

namespace chiasm {
namespace {

using test::Bytes;
using test::error_of;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = MatlabValue::Kind;

std::string sample(const std::string& name) { return test::source_folder() + "/tests/data/matlab_" + name + ".mat"; }

MatlabValue value(const MatlabReader& file, const std::string& name) {
  for (std::size_t i = 0; i < file.variables().size(); ++i) {
    if (file.variables()[i].name == name) return file.read(i);
  }
  ADD_FAILURE() << "no variable " << name;
  return {};
}

std::vector<double> numbers(const Tensor& tensor) {
  return visit_any(tensor.dtype(), [&]<class T>() {
    return std::vector<double>(tensor.values<T>().begin(), tensor.values<T>().end());
  });
}

void read_everything(const std::string& path) {
  const MatlabReader file(path);
  for (std::size_t i = 0; i < file.variables().size(); ++i) file.read(i);
}

class Matlab : public testing::TestWithParam<std::string> {};

TEST_P(Matlab, ReadsNumbers) {
  const MatlabReader file(sample(GetParam()));
  ASSERT_EQ(file.variables().size(), 20U);
  for (const char* name : {"f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"}) {
    const MatlabValue found = value(file, name);
    ASSERT_EQ(found.kind, Kind::kNumbers) << name;
    EXPECT_EQ(found.numbers.shape(), (Shape{2, 3})) << name;
    EXPECT_THAT(numbers(found.numbers), ElementsAre(0, 2, 4, 1, 3, 5)) << name;
    for (const MatlabReader::Variable& variable : file.variables()) {
      if (variable.name == name) {
        EXPECT_EQ(variable.spec, found.numbers.spec()) << name;
      }
    }
  }
  EXPECT_EQ(value(file, "f4").numbers.dtype(), DType::kFloat32);
  EXPECT_EQ(value(file, "f8").numbers.dtype(), DType::kFloat64);
  EXPECT_EQ(value(file, "u1").numbers.dtype(), DType::kUInt8);
  EXPECT_EQ(value(file, "i2").numbers.dtype(), DType::kInt32);
  EXPECT_EQ(value(file, "u8").numbers.dtype(), DType::kFloat64);
  EXPECT_THAT(numbers(value(file, "large").numbers), ElementsAre(0, 2e300, 4e300, 1e300, 3e300, 5e300));
  EXPECT_THAT(numbers(value(file, "logical").numbers), ElementsAre(1, 0));
  EXPECT_EQ(value(file, "nothing").numbers.shape(), (Shape{0, 0}));
  const MatlabValue three = value(file, "three");
  EXPECT_EQ(three.shape, (Shape{2, 3, 2}));
  EXPECT_THAT(numbers(three.numbers), ElementsAre(0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11));
}

TEST_P(Matlab, ReadsTextsCellsAndStructs) {
  const MatlabReader file(sample(GetParam()));
  EXPECT_THAT(value(file, "text").texts, ElementsAre("V4 \xce\xbcV"));
  EXPECT_THAT(value(file, "rows").texts, ElementsAre("ab", "cde"));
  const MatlabValue cells = value(file, "cells");
  ASSERT_EQ(cells.kind, Kind::kCell);
  EXPECT_EQ(cells.shape, (Shape{1, 3}));
  EXPECT_THAT(cells.element(1).texts, ElementsAre("tw\xc3\xb6"));
  EXPECT_THAT(numbers(cells.element(2).numbers), ElementsAre(0, 2, 4, 1, 3, 5));
  const MatlabValue units = value(file, "units");
  ASSERT_EQ(units.kind, Kind::kStruct);
  EXPECT_THAT(units.fields, ElementsAre("id", "rates"));
  EXPECT_THAT(units.field(1, 0).texts, ElementsAre("u2"));
  EXPECT_THAT(numbers(units.field(0, 1).numbers), ElementsAre(1.5, 2.5));
  EXPECT_THAT(units.field(1, 1).fields, ElementsAre("deep"));
  EXPECT_THAT(numbers(units.field(1, 1).field(0, 0).numbers), ElementsAre(7));
  EXPECT_EQ(value(file, "complex").what, "an array of complex numbers");
  EXPECT_EQ(value(file, "sparse").what, "a sparse array");
}

TEST_P(Matlab, SurvivesDamage) {
  const Bytes valid = test::read_all(sample(GetParam()));
  // Every byte of the plain file counts as header: bits of all tags are flipped.
  const std::size_t header = GetParam() == "plain" ? valid.size() : 600;
  EXPECT_GT(test::expect_survives_damage(valid, header, 1000, false, read_everything), 1000);
}

INSTANTIATE_TEST_SUITE_P(Files, Matlab, testing::Values("plain", "compressed"),
                         [](const auto& info) { return info.param; });

TEST(MatlabReader, ReadsTheOtherByteOrder) {
  const MatlabReader file(sample("big_endian"));
  EXPECT_THAT(numbers(value(file, "f8").numbers), ElementsAre(0, 2, 4, 1, 3, 5));
  EXPECT_EQ(value(file, "packed").numbers.dtype(), DType::kFloat64);
  EXPECT_THAT(numbers(value(file, "packed").numbers), ElementsAre(0, -2, -4, -1, -3, -5));
  EXPECT_THAT(value(file, "text").texts, ElementsAre("V\xce\xbc\xf0\x9f\x98\x80"));
  EXPECT_THAT(value(file, "cells").element(0).texts, ElementsAre("ab"));
  EXPECT_EQ(value(file, "cells").element(1).numbers.shape(), (Shape{0, 0}));
  const Bytes valid = test::read_all(sample("big_endian"));
  EXPECT_GT(test::expect_survives_damage(valid, valid.size(), 1000, false, read_everything), 500);
}

TEST(MatlabReader, NamesWhatIsWrong) {
  const TempFolder folder;
  const auto error = [&](const Bytes& bytes) {
    return error_of<FileError>([&] { read_everything(folder.write("a.mat", bytes)); });
  };
  EXPECT_THAT(error(test::bytes_of("x")), HasSubstr("shorter than the header"));
  Bytes bytes = test::read_all(sample("plain"));
  bytes.resize(bytes.size() - 8);
  EXPECT_THAT(error(bytes), HasSubstr("follow in this file"));
  bytes = test::read_all(sample("plain"));
  bytes[125] = std::byte{2};
  EXPECT_THAT(error(bytes), HasSubstr("2 is HDF5"));
  bytes[126] = std::byte{'X'};
  EXPECT_THAT(error(bytes), HasSubstr("byte order"));
  bytes[0] = std::byte{'m'};
  EXPECT_THAT(error(bytes), HasSubstr("begins with MATLAB"));
}

Bytes words(const std::vector<std::uint32_t>& values) {
  Bytes bytes;
  for (const std::uint32_t value : values) test::append_big_endian(bytes, value);
  return bytes;
}

Bytes matrix(const Bytes& content) {
  Bytes bytes = words({14, static_cast<std::uint32_t>(content.size())});
  test::append(bytes, content);
  return bytes;
}

// A variable "c" of so many cells within each other, the innermost with `inner`.
Bytes nested(int levels, const Bytes& inner) {
  Bytes content = inner;
  for (int level = 0; level < levels; ++level) {
    Bytes cell = words({6, 8, 1, 0, 5, 8, 1, 1});
    test::append(cell, level + 1 == levels ? words({0x10001, 0x63000000}) : words({1, 0}));
    test::append(cell, matrix(content));
    content = cell;
  }
  Bytes file = test::bytes_of("MATLAB 5.0 MAT-file");
  file.resize(124, std::byte{' '});
  test::append(file, test::bytes_of(std::string_view("\x01\0MI", 4)));
  test::append(file, matrix(content));
  return file;
}

TEST(MatlabReader, HasLimits) {
  const TempFolder folder;
  const MatlabReader file(folder.write("a.mat", nested(3, {})));
  EXPECT_EQ(value(file, "c").element(0).element(0).element(0).numbers.shape(), (Shape{0, 0}));
  const auto error = [&](const Bytes& bytes) {
    return error_of<FileError>([&] { read_everything(folder.write("b.mat", bytes)); });
  };
  EXPECT_THAT(error(nested(40, {})), HasSubstr("more than 32 levels"));
  // Sizes that no file has: 2^31 - 1 cells, and 65535^2 numbers.
  Bytes cells = words({6, 8, 1, 0, 5, 8, 1, 0x7FFFFFFF, 1, 0});
  EXPECT_THAT(error(nested(1, cells)), HasSubstr("more than 1048576 values"));
  Bytes numbers = words({6, 8, 6, 0, 5, 8, 0xFFFF, 0xFFFF, 1, 0, 9, 8, 0, 0});
  EXPECT_THAT(error(nested(1, numbers)), HasSubstr("there are 1 numbers, 4294836225 are needed"));
  Bytes texts = words({6, 8, 4, 0, 5, 8, 0xFFFFFF, 1, 1, 0, 4, 8, 0, 0});
  EXPECT_THAT(error(nested(1, texts)), HasSubstr("there are 4 characters, 16777215 are needed"));
  Bytes negative = words({6, 8, 6, 0, 5, 8, 0xFFFFFFFF, 1, 1, 0, 9, 8, 0, 0});
  EXPECT_THAT(error(nested(1, negative)), HasSubstr("-1"));
}

// What SciPy reads from the same files: shapes, sums, and a few values.
TEST(MatlabReader, ReadsRealFiles) {
  const std::string cell = test::shared_data("rat_mec/10073-17010302_T3C1.mat");
  if (!std::filesystem::exists(cell)) GTEST_SKIP() << cell << " is not there";
  const auto sum = [](const Tensor& tensor) {
    double total = 0;
    for (const double number : numbers(tensor)) total += std::isnan(number) ? 0 : number;
    return total;
  };
  const Tensor times = value(MatlabReader(cell), "cellTS").numbers;
  EXPECT_EQ(times.shape(), (Shape{679, 1}));
  EXPECT_NEAR(sum(times), 195734.00221875, 1e-6);
  const MatlabReader position(test::shared_data("rat_mec/10073-17010302_POS.mat"));
  EXPECT_EQ(value(position, "posx").numbers.spec(), (Spec{DType::kFloat64, {30000, 1}}));
  EXPECT_NEAR(sum(value(position, "posy").numbers), 82581.13415297828, 1e-6);
  EXPECT_EQ(value(position, "posx2").numbers.spec(), (Spec{DType::kFloat64, {0, 0}}));
  const MatlabValue people = value(MatlabReader(test::shared_data("macaque_it92/92_brainRDMs.mat")), "RDMs");
  EXPECT_EQ(people.shape, (Shape{1, 4, 2}));
  EXPECT_THAT(people.fields, ElementsAre("RDM", "name", "color"));
  EXPECT_THAT(people.field(7, 1).texts, ElementsAre("hIT | TI | Session: 2"));
  EXPECT_EQ(people.field(7, 0).numbers.shape(), (Shape{92, 92}));
  EXPECT_NEAR(sum(people.field(7, 0).numbers), 6607.8643, 1e-2);  // float32
  const MatlabReader study(test::shared_data("macaque_it92/Kriegeskorte_Neuron2008_supplementalData.mat"));
  EXPECT_EQ(sum(value(study, "categoryVectors").numbers), 48 + 44 + 24 + 24 + 24 + 24 + 23 + 21 + 22 + 46 + 46 + 7);
  EXPECT_THAT(value(study, "categoryLabels").element(1).texts, ElementsAre("inanim"));
  const MatlabValue stimuli = value(study, "stimuli_92objs");
  ASSERT_EQ(stimuli.fields.back(), "image");
  EXPECT_EQ(stimuli.field(0, 5).shape, (Shape{175, 175, 3}));
  EXPECT_EQ(sum(stimuli.field(5, 5).numbers), 12105583);
  const MatlabValue maps = value(MatlabReader(test::shared_data("mouse_grid_scores/mouse_grids.mat")), "rateMaps");
  ASSERT_EQ(maps.elements.size(), 10U);
  EXPECT_NEAR(sum(maps.element(3).numbers), 970.0361791188443, 1e-9);
}

}  // namespace
}  // namespace chiasm
