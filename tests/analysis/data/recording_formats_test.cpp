// SPDX-License-Identifier: Apache-2.0
// Recordings in the formats of others, from files that tests/data/make_*.py made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "analysis/data/array_container.h"
#include "analysis/data/feature_layers.h"
#include "analysis/data/read_neural.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"
#include "tests/support/source_tree.h"

namespace chiasm {
namespace {

using test::error_of;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string sample(const std::string& name) { return test::source_folder() + "/tests/data/" + name; }

double at(const NeuralDataset& dataset, std::int64_t unit, std::int64_t stimulus, std::int64_t repeat,
          std::int64_t bin) {
  return visit_floating(dataset.responses.dtype(), [&]<class T>() {
    return static_cast<double>(
        dataset.responses.values<T>()[static_cast<std::size_t>(dataset.offset(unit, stimulus, repeat, bin))]);
  });
}

// Spikes of tests/data/make_recordings.py, counted by hand.
TEST(Nwb, CountsSpikesInBinsOfTrials) {
  const NeuralDataset dataset = read_neural(sample("recording.nwb"), {.bin_width_ms = 50});
  EXPECT_EQ(dataset.responses.spec(), (Spec{DType::kFloat64, {2, 2, 2, 4}}));  // the shortest trial takes 200 ms
  EXPECT_THAT(dataset.stimulus_ids, ElementsAre("a.png", "b.png"));
  EXPECT_THAT(dataset.unit_ids, ElementsAre("950911880", "8589934592"));
  EXPECT_THAT(dataset.areas, ElementsAre("V4 \xce\xbc", "V1"));
  EXPECT_THAT(dataset.specimens, ElementsAre("monkey A", "monkey A"));
  EXPECT_THAT(dataset.bin_starts_ms, ElementsAre(0, 50, 100, 150));
  EXPECT_EQ(dataset.bin_width_ms, 50);
  const auto rates = [&](int unit, int stimulus, int repeat) {
    return std::vector{at(dataset, unit, stimulus, repeat, 0), at(dataset, unit, stimulus, repeat, 1),
                       at(dataset, unit, stimulus, repeat, 2), at(dataset, unit, stimulus, repeat, 3)};
  };
  EXPECT_THAT(rates(0, 1, 0), ElementsAre(20, 20, 20, 0));
  EXPECT_THAT(rates(0, 1, 1), ElementsAre(40, 0, 0, 0));
  EXPECT_THAT(rates(0, 0, 0), ElementsAre(0, 0, 20, 0));
  EXPECT_THAT(rates(1, 1, 0), ElementsAre(20, 0, 0, 0));
  EXPECT_THAT(rates(1, 1, 1), ElementsAre(0, 0, 0, 20));
  EXPECT_TRUE(std::isnan(at(dataset, 0, 0, 1, 0)));  // the image was shown once
}

TEST(Nwb, TakesOtherBinsStimuliAndLabels) {
  const std::string path = sample("recording.nwb");
  const NeuralDataset window = read_neural(path, {.first_bin_ms = 40});
  EXPECT_EQ(window.responses.shape(), (Shape{2, 2, 2, 1}));
  EXPECT_NEAR(window.bin_width_ms, 160, 1e-9);
  EXPECT_NEAR(at(window, 0, 1, 0, 0), 2 / 0.16, 1e-9);
  // Numbers are sorted by value.
  EXPECT_THAT(read_neural(path, {.stimulus_ids = "frame"}).stimulus_ids, ElementsAre("9", "10"));
  EXPECT_THAT(read_neural(path, {.stimulus_ids = "correct"}).stimulus_ids, ElementsAre("0", "1"));
  EXPECT_THAT(read_neural(path, {.areas = "quality", .specimen = "ignored"}).areas, ElementsAre("good", "noise"));
  EXPECT_EQ(read_neural(path, {.bin_width_ms = 10, .bins = 7}).bins(), 7);
  const auto error = [&](const NeuralReadOptions& options) {
    return error_of<InputError>([&] { read_neural(path, options); });
  };
  EXPECT_THAT(error({.intervals = "none"}), HasSubstr("no intervals \"none\"; there are epochs, trials"));
  EXPECT_THAT(error({.intervals = "epochs"}), HasSubstr("say which is the column"));
  EXPECT_THAT(error({.stimulus_ids = "none"}), HasSubstr("\"none\" is not the column"));
  EXPECT_THAT(error({.key = "x"}), HasSubstr("NWB has no key to choose"));
  EXPECT_THAT(error({.first_bin_ms = 300}), HasSubstr("the shortest trial takes 200"));
}

TEST(Assembly, GathersRepeats) {
  const NeuralDataset dataset = read_neural(sample("assembly.nc"));
  EXPECT_EQ(dataset.responses.spec(), (Spec{DType::kFloat32, {2, 3, 2, 2}}));
  EXPECT_THAT(dataset.stimulus_ids, ElementsAre("a", "c", "\xc3\xa9"));
  EXPECT_THAT(dataset.unit_ids, ElementsAre("Chabo_L_M_5_9", "Tito_L_P_1_2"));
  EXPECT_THAT(dataset.areas, ElementsAre("IT", "V4"));
  EXPECT_THAT(dataset.specimens, ElementsAre("Chabo", "Tito"));
  EXPECT_THAT(dataset.bin_starts_ms, ElementsAre(70, 170));
  EXPECT_EQ(dataset.bin_width_ms, 100);
  // Presentations c, a, c, e', a are numbers 0 to 4: 100 presentation + 10 neuroid + bin.
  EXPECT_EQ(at(dataset, 0, 0, 0, 0), 100);
  EXPECT_EQ(at(dataset, 1, 0, 1, 1), 411);
  EXPECT_EQ(at(dataset, 1, 1, 1, 0), 210);
  EXPECT_EQ(at(dataset, 0, 2, 0, 1), 301);
  EXPECT_TRUE(std::isnan(at(dataset, 0, 2, 1, 0)));
  const NeuralDataset objects = read_neural(sample("assembly.nc"), {.stimulus_ids = "object_name"});
  EXPECT_EQ(objects.responses.shape(), (Shape{2, 1, 5, 2}));
  EXPECT_THAT(error_of<InputError>([] { read_neural(sample("assembly.nc"), {.stimulus_ids = "animal"}); }),
              HasSubstr("no coordinate \"animal\" along presentation"));
  EXPECT_THAT(error_of<InputError>([] { read_neural(sample("assembly.nc"), {.key = "image_id"}); }),
              HasSubstr("no array presentation x neuroid"));
}

// The library (1.10.8) copies from wherever a member of a compound type is said to be.
TEST(Assembly, RefusesMembersOutsideOfTheirType) {
  const TempFolder folder;
  test::Bytes bytes = test::read_all(sample("assembly.nc"));
  const test::Bytes name = test::bytes_of(std::string_view("dimension\0\0\0\0\0\0\0", 16));
  int found = 0;
  for (auto at = bytes.begin(); (at = std::search(at, bytes.end(), name.begin(), name.end())) != bytes.end(); ++found) {
    at += 16;
    for (int i = 0; i < 4; ++i) at[i] = std::byte{0x7F};  // where the member begins
  }
  ASSERT_GE(found, 3);
  EXPECT_THAT(error_of<FileError>([&] { read_neural(folder.write("a.nc", bytes)); }), HasSubstr("a.nc"));
}

TEST(Matlab, IsAContainerOfArrays) {
  const auto file = open_arrays(sample("matlab_compressed.mat"));
  EXPECT_THAT(file->arrays(), testing::IsSupersetOf({"cells{3}", "f4", "units(1).rates", "units(2).rates.deep"}));
  EXPECT_EQ(file->read("units(1).rates").values<double>()[1], 2.5);
  EXPECT_EQ(file->read("cells{3}").values<double>()[2], 4);
  EXPECT_EQ(file->read_part("three", 1, 1).values<double>()[2], 3);
  EXPECT_THAT(file->labels("rows"), ElementsAre("ab", "cde"));
  EXPECT_THAT(file->labels("units(2).id"), ElementsAre("u2"));
  EXPECT_THAT(file->labels("f4"), ElementsAre("0", "2", "4", "1", "3", "5"));
  for (const char* name : {"units", "cells{4}", "cells{0}", "cells(1)", "units.id", "units(3).id", "units(1)", "f4{1}",
                           "x", "units(1", "cells{1x}"}) {
    EXPECT_FALSE(file->has(name)) << name;
  }
  EXPECT_THAT(error_of<FileError>([&] { file->read("text"); }), HasSubstr("is text, numbers are needed"));
  EXPECT_THAT(error_of<FileError>([&] { file->read("complex"); }), HasSubstr("complex numbers"));
  EXPECT_THAT(error_of<FileError>([&] { file->labels("cells"); }), HasSubstr("has 6 values in a cell"));
  const NeuralDataset dataset =
      read_neural(sample("matlab_plain.mat"), {.key = "three", .axes = "stimulus,unit,repeat", .stimulus_ids = "rows"});
  EXPECT_EQ(dataset.responses.shape(), (Shape{3, 2, 2, 1}));
  EXPECT_EQ(at(dataset, 2, 1, 1, 0), 11);
  EXPECT_THAT(dataset.stimulus_ids, ElementsAre("ab", "cde"));
}

TEST(Matlab, Version73IsSeenAsMatlabSeesIt) {
  const NeuralDataset dataset = read_neural(sample("matlab73.mat"), {.axes = "stimulus,unit", .stimulus_ids = "names"});
  EXPECT_EQ(dataset.responses.shape(), (Shape{3, 2, 1, 1}));
  EXPECT_EQ(at(dataset, 2, 0, 0, 0), 4);
  EXPECT_EQ(at(dataset, 1, 1, 0, 0), 3);
  EXPECT_THAT(dataset.stimulus_ids, ElementsAre("one", "three"));
  EXPECT_EQ(open_arrays(sample("matlab73.mat"))->read_part("rates", 1, 1).values<double>()[2], 5);
}

TEST(Csv, ReadsMatrices) {
  const TempFolder folder;
  const auto read = [&](const std::string& text, const NeuralReadOptions& options = {}) {
    return read_neural(folder.write("x.csv", test::bytes_of(text)), options);
  };
  NeuralDataset dataset = read("unit,s1,\"s,2\"\nu1,1,2.5\nu2,,-3e2\nu3,NaN,7\n");
  EXPECT_EQ(dataset.responses.spec(), (Spec{DType::kFloat64, {3, 2, 1, 1}}));
  EXPECT_THAT(dataset.unit_ids, ElementsAre("u1", "u2", "u3"));
  EXPECT_THAT(dataset.stimulus_ids, ElementsAre("s1", "s,2"));
  EXPECT_EQ(at(dataset, 1, 1, 0, 0), -300);
  EXPECT_TRUE(std::isnan(at(dataset, 1, 0, 0, 0)));
  EXPECT_TRUE(std::isnan(at(dataset, 2, 0, 0, 0)));

  dataset = read("\xEF\xBB\xBF# note\r\n;11;12\r\n7;1;2\r\n8;3;4\r\n", {.axes = "stimulus,unit"});
  EXPECT_THAT(dataset.unit_ids, ElementsAre("11", "12"));
  EXPECT_THAT(dataset.stimulus_ids, ElementsAre("7", "8"));
  EXPECT_EQ(at(dataset, 1, 0, 0, 0), 2);

  dataset = read("  1   2 3\n 4 5   6  \n");
  EXPECT_EQ(dataset.responses.shape(), (Shape{2, 3, 1, 1}));
  EXPECT_EQ(at(dataset, 1, 2, 0, 0), 6);
  EXPECT_THAT(dataset.unit_ids, IsEmpty());
  EXPECT_THAT(dataset.stimulus_ids, IsEmpty());
  EXPECT_THAT(read("u1,1,2\nu2,3,4").unit_ids, ElementsAre("u1", "u2"));
  EXPECT_THAT(read("a,b\n1,2\n").stimulus_ids, ElementsAre("a", "b"));
  EXPECT_EQ(read("1\t2\n").responses.shape(), (Shape{1, 2, 1, 1}));

  const auto error = [&](const std::string& text) { return error_of<FileError>([&] { read(text); }); };
  EXPECT_THAT(error(""), HasSubstr("is empty"));
  EXPECT_THAT(error("a,b\n"), HasSubstr("holds no numbers"));
  EXPECT_THAT(error("1,2\n3\n"), HasSubstr("line 2: has 1 cells, the first row has 2"));
  EXPECT_THAT(error("1,2\n\n3,x\n"), HasSubstr("line 3: cell 2 is \"x\", a number is needed"));
  EXPECT_THAT(error("a,b\n1,\"2\n"), HasSubstr("line 2: a quote does not close"));
  EXPECT_THAT(error("a,b\n\"1\"x,2\n"), HasSubstr("text follows a quote"));
  EXPECT_THAT(error("1,1e999\n"), HasSubstr("is inf;"));
  EXPECT_THAT(error(std::string("1,2\0", 4)), HasSubstr("byte 3: is zero"));
}

TEST(Csv, ReadsOneResponsePerLine) {
  const TempFolder folder;
  const auto read = [&](const std::string& text) { return read_neural(folder.write("x.tsv", test::bytes_of(text))); };
  const NeuralDataset dataset = read(
      "Image\tneuron\ttime_ms\tResponse\tarea\tanimal\n"
      "b\tn2\t20\t1\tIT\tm\n"
      "a\tn1\t10\t2\tV4\tm\n"
      "b\tn2\t20\t3\tIT\tm\n"
      "a\tn2\t10\t\tIT\tm\n");
  EXPECT_EQ(dataset.responses.shape(), (Shape{2, 2, 2, 2}));
  EXPECT_THAT(dataset.unit_ids, ElementsAre("n2", "n1"));
  EXPECT_THAT(dataset.areas, ElementsAre("IT", "V4"));
  EXPECT_THAT(dataset.specimens, ElementsAre("m", "m"));
  EXPECT_THAT(dataset.stimulus_ids, ElementsAre("a", "b"));
  EXPECT_THAT(dataset.bin_starts_ms, ElementsAre(10, 20));
  EXPECT_EQ(dataset.bin_width_ms, 10);
  EXPECT_EQ(at(dataset, 0, 1, 1, 1), 3);
  EXPECT_EQ(at(dataset, 1, 0, 0, 0), 2);
  EXPECT_TRUE(std::isnan(at(dataset, 0, 0, 0, 0)));
  EXPECT_TRUE(std::isnan(at(dataset, 1, 1, 0, 1)));
  const NeuralDataset repeats = read("stimulus\tunit\ttrial\tvalue\na\tu\t2\t5\na\tu\t1\t6\n");
  EXPECT_EQ(repeats.responses.shape(), (Shape{1, 1, 2, 1}));
  EXPECT_TRUE(repeats.bin_starts_ms.empty());
  const auto error = [&](const std::string& text) { return error_of<FileError>([&] { read(text); }); };
  EXPECT_THAT(error("stimulus\tunit\ttrial\tvalue\na\tu\t1\t5\na\tu\t1\t6\n"),
              HasSubstr("line 3: is a second response"));
  EXPECT_THAT(error("stimulus\tunit\tvalue\na\tu\tx\n"), HasSubstr("value is \"x\", a number is needed"));
  EXPECT_THAT(error("stimulus\tunit\tvalue\tarea\na\tu\t1\tV4\na\tu\t1\tIT\n"), HasSubstr("says \"IT\" of a unit"));
  EXPECT_THAT(error("stimulus\tunit\tvalue\na\tu\n"), HasSubstr("has 2 cells"));
  EXPECT_THAT(error("stimulus\tunit\tvalue\n"), HasSubstr("holds no responses"));
}

TEST(FeatureLayers, ReadsTextAndMatlab) {
  const TempFolder folder;
  const auto table = open_feature_layers(folder.write("fc6.csv", test::bytes_of("image,f1,f2\na,1,2\nb,3,4\n")));
  EXPECT_EQ(table->layers()[0].name, "fc6");
  EXPECT_THAT(table->stimuli().ids, ElementsAre("a", "b"));
  EXPECT_EQ(feature_reader<double>(table, 0, {0})(1, 1)(0, 1), 4);
  const auto columns = open_feature_layers(folder / "fc6.csv", {.axes = "unit,stimulus"});
  EXPECT_THAT(columns->stimuli().ids, ElementsAre("f1", "f2"));
  EXPECT_EQ(feature_reader<double>(columns, 0, {0})(1, 1)(0, 0), 2);
  const auto matlab = open_feature_layers(sample("matlab_plain.mat"), {.key = "f8"});
  EXPECT_EQ(feature_reader<float>(matlab, 0, {0})(1, 1)(0, 2), 5);
}

TEST(Matlab, ReadsRealFilesAsResponses) {
  const std::string path = test::shared_data("macaque_it92/Kriegeskorte_Neuron2008_supplementalData.mat");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const auto file = open_arrays(path);
  EXPECT_EQ(file->spec("RDMs_mIT_hIT_fig1(1).RDM").shape, (Shape{1, 4186}));
  // SciPy reads 0.6997838145444901 there.
  EXPECT_NEAR(file->read("RDMs_mIT_hIT_fig1(1).RDM").values<double>()[1], 0.6997838145444901, 1e-15);
  EXPECT_THAT(file->labels("RDMs_mIT_hIT_fig1(2).name"), ElementsAre("hITvisStim_316vx"));
  EXPECT_EQ(file->labels("categoryLabels").size(), 12U);
  EXPECT_THAT(error_of<FileError>([&] { read_neural(path); }), HasSubstr("say which one holds the responses"));
  const NeuralDataset maps =
      read_neural(path, {.key = "categoryVectors", .axes = "stimulus,unit", .unit_ids = "categoryLabels"});
  EXPECT_EQ(maps.responses.shape(), (Shape{12, 92, 1, 1}));
  EXPECT_EQ(maps.unit_ids[1], "inanim");
}

// Every reader, on files cut short and with flipped bits anywhere.
class Damaged : public testing::TestWithParam<std::string> {};

TEST_P(Damaged, GivesOneError) {
  const std::string ending = GetParam().substr(GetParam().find('.'));
  const test::Bytes valid = test::read_all(sample(GetParam()));
  const int refused = test::expect_survives_damage(
      valid, ending == ".mat" ? 600 : 400, 400, false,
      [](const std::string& path) { read_neural(path, {.key = path.ends_with(".mat") ? "rates" : ""}); }, ending);
  EXPECT_GT(refused, 100);
}

INSTANTIATE_TEST_SUITE_P(Files, Damaged,
                         testing::Values("recording.nwb", "assembly.nc", "matlab73.mat", "matlab73_cells.mat"),
                         [](const auto& info) { return info.param.substr(0, info.param.find('.')); });

TEST(Csv, SurvivesDamage) {
  const test::Bytes matrix = test::bytes_of("unit,s1,\"s,2\"\nu1,1,2.5\nu2,,-3e2\nu3,NaN,7\n");
  const auto load = [](const std::string& path) { read_neural(path); };
  EXPECT_GT(test::expect_survives_damage(matrix, 200, 2000, false, load, ".csv"), 100);
  const test::Bytes lines = test::bytes_of("stimulus,unit,repeat,value,area\na,u,1,5,V4\nb,u,1,6,V4\na,v,2,7,IT\n");
  EXPECT_GT(test::expect_survives_damage(lines, 200, 2000, false, load, ".csv"), 100);
}

}  // namespace
}  // namespace chiasm
