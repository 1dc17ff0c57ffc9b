// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/neural_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "analysis/data/read_neural.h"
#include "analysis/data/stimulus_match.h"
#include "analysis/data/write_neural.h"
#include "engine/io/npy.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"
#include "tests/support/source_tree.h"

namespace chiasm {
namespace {

using test::error_of;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Responses 1000 unit + 100 stimulus + 10 repeat + bin; the last repeat of stimulus 1 of unit 2 is missing.
template <class T>
NeuralDataset small() {
  NeuralDataset dataset;
  dataset.responses = Tensor(Spec{dtype_of<T>, {4, 3, 2, 5}});
  T* value = dataset.responses.values<T>().data();
  for (int unit = 0; unit < 4; ++unit) {
    for (int stimulus = 0; stimulus < 3; ++stimulus) {
      for (int repeat = 0; repeat < 2; ++repeat) {
        for (int bin = 0; bin < 5; ++bin) {
          const bool missing = unit == 2 && stimulus == 1 && repeat == 1;
          *value++ = missing ? std::numeric_limits<T>::quiet_NaN()
                             : static_cast<T>(1000 * unit + 100 * stimulus + 10 * repeat + bin);
        }
      }
    }
  }
  dataset.unit_ids = {"u0", "u1", "u\xc3\xa9", "u3"};
  dataset.areas = {"V4", "IT", "V4", "IT"};
  dataset.specimens = {"m1", "m1", "m2", "m2"};
  dataset.reliability = {0.5, 0.25, kNan, -0.1};
  dataset.stimulus_ids = {"a/1.png", "a/2.png", "b.png"};
  dataset.bin_starts_ms = {70, 80, 90, 100, 110};
  dataset.bin_width_ms = 10;
  return dataset;
}

template <class T>
T at(const NeuralDataset& dataset, std::int64_t unit, std::int64_t stimulus, std::int64_t repeat, std::int64_t bin) {
  return dataset.responses.values<T>()[static_cast<std::size_t>(dataset.offset(unit, stimulus, repeat, bin))];
}

void expect_same(const NeuralDataset& a, const NeuralDataset& b) {
  EXPECT_EQ(a.responses.spec(), b.responses.spec());
  EXPECT_TRUE(std::ranges::equal(a.responses.bytes(), b.responses.bytes()));
  EXPECT_EQ(a.unit_ids, b.unit_ids);
  EXPECT_EQ(a.areas, b.areas);
  EXPECT_EQ(a.specimens, b.specimens);
  EXPECT_EQ(a.stimulus_ids, b.stimulus_ids);
  EXPECT_EQ(a.bin_starts_ms, b.bin_starts_ms);
  EXPECT_THAT(a.bin_width_ms, testing::NanSensitiveDoubleEq(b.bin_width_ms));
  EXPECT_THAT(a.reliability, testing::Pointwise(testing::NanSensitiveDoubleEq(), b.reliability));
}

class Written : public testing::TestWithParam<std::string> {};

TEST_P(Written, ComesBackAsItWas) {
  const TempFolder folder;
  const std::string path = folder / ("responses" + GetParam());
  for (const NeuralDataset& dataset : {small<float>(), small<double>()}) {
    write_neural(path, dataset);
    expect_same(read_neural(path), dataset);
  }
  NeuralDataset bare{.responses = small<double>().responses};
  write_neural(path, bare);
  expect_same(read_neural(path), bare);
}

TEST_P(Written, SurvivesDamage) {
  const TempFolder folder;
  const std::string path = folder / ("responses" + GetParam());
  write_neural(path, small<float>());
  // A damaged HDF5 file costs the library ten times the time of a damaged zip file.
  const bool hdf5 = GetParam() == ".h5";
  EXPECT_GT(test::expect_survives_damage(
                test::read_all(path), hdf5 ? 300 : 1024, hdf5 ? 150 : 1000, false,
                [](const std::string& damaged) { read_neural(damaged); }, GetParam()),
            100);
}

INSTANTIATE_TEST_SUITE_P(Formats, Written, testing::Values(".npz", ".h5"),
                         [](const auto& info) { return info.param.substr(1); });

TEST(WriteNeural, NamesWhatIsWrong) {
  const TempFolder folder;
  NeuralDataset dataset = small<float>();
  EXPECT_THAT(error_of<InputError>([&] { write_neural(folder / "x.mat", dataset); }), HasSubstr(".npz, .h5"));
  dataset.areas.pop_back();
  EXPECT_THAT(error_of<FileError>([&] { write_neural(folder / "x.npz", dataset); }),
              HasSubstr("areas: there are 3, 4 or none are needed"));
  dataset = small<float>();
  dataset.stimulus_ids[2] = dataset.stimulus_ids[0];
  EXPECT_THAT(error_of<FileError>([&] { write_neural(folder / "x.npz", dataset); }),
              HasSubstr("\"a/1.png\" occurs twice"));
  dataset = small<float>();
  dataset.responses.values<float>()[7] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(error_of<FileError>([&] { write_neural(folder / "x.npz", dataset); }),
              HasSubstr("unit 0 for stimulus 0 (a/1.png), repeat 1, time bin 2 is inf"));
  EXPECT_TRUE(folder.names().empty());
}

TEST(NeuralDataset, SelectsUnitsAndStimuli) {
  const NeuralDataset dataset = small<double>();
  const NeuralDataset units = select_units(dataset, std::vector<std::int64_t>{3, 0});
  EXPECT_EQ(units.responses.shape(), (Shape{2, 3, 2, 5}));
  EXPECT_EQ(at<double>(units, 0, 2, 1, 4), 3214);
  EXPECT_EQ(at<double>(units, 1, 0, 1, 3), 13);
  EXPECT_THAT(units.areas, ElementsAre("IT", "V4"));
  EXPECT_THAT(units.unit_ids, ElementsAre("u3", "u0"));
  EXPECT_THAT(units.reliability, ElementsAre(-0.1, 0.5));
  const NeuralDataset reliable = select_units(
      dataset, [&](std::int64_t unit) { return dataset.reliability[static_cast<std::size_t>(unit)] > 0.3; });
  EXPECT_THAT(reliable.unit_ids, ElementsAre("u0"));
  const NeuralDataset stimuli = select_stimuli(dataset, std::vector<std::int64_t>{2, 1});
  EXPECT_EQ(stimuli.responses.shape(), (Shape{4, 2, 2, 5}));
  EXPECT_EQ(at<double>(stimuli, 3, 0, 1, 4), 3214);
  EXPECT_EQ(at<double>(stimuli, 1, 1, 0, 0), 1100);
  EXPECT_TRUE(std::isnan(at<double>(stimuli, 2, 1, 1, 0)));
  EXPECT_THAT(stimuli.stimulus_ids, ElementsAre("b.png", "a/2.png"));
  EXPECT_THAT(error_of<InputError>([&] { select_units(dataset, std::vector<std::int64_t>{4}); }), HasSubstr("unit 4"));
  EXPECT_THAT(error_of<InputError>([&] { select_stimuli(dataset, std::vector<std::int64_t>{-1}); }), HasSubstr("-1"));
  EXPECT_THAT(error_of<InputError>([&] {
                select_stimuli(dataset, std::vector<std::int64_t>{1, 1});
              }),
              HasSubstr("twice"));
}

TEST(NeuralDataset, GroupsUnitsBySpecimen) {
  const NeuralDataset dataset = small<float>();
  EXPECT_THAT(areas_of(dataset), ElementsAre("V4", "IT"));
  const std::vector<SpecimenUnits> it = by_specimen(dataset, "IT");
  ASSERT_EQ(it.size(), 2U);
  EXPECT_EQ(it[0].specimen, "m1");
  EXPECT_THAT(it[0].units, ElementsAre(1));
  EXPECT_THAT(it[1].units, ElementsAre(3));
  EXPECT_THAT(by_specimen(dataset)[1].units, ElementsAre(2, 3));
  EXPECT_THAT(error_of<InputError>([&] { by_specimen(dataset, "V1"); }), HasSubstr("there are V4, IT"));
  NeuralDataset bare{.responses = dataset.responses};
  EXPECT_THAT(areas_of(bare), ElementsAre(""));
  ASSERT_EQ(by_specimen(bare).size(), 1U);
  EXPECT_THAT(by_specimen(bare)[0].units, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(error_of<InputError>([&] { by_specimen(bare, "V1"); }), HasSubstr("no areas"));
}

TEST(NeuralDataset, AveragesOverTime) {
  const NeuralDataset dataset = small<double>();
  const NeuralDataset window = average_time(dataset, 80, 110);
  EXPECT_EQ(window.responses.shape(), (Shape{4, 3, 2, 1}));
  EXPECT_EQ(at<double>(window, 3, 2, 1, 0), 3212);  // bins 1, 2, 3
  EXPECT_TRUE(std::isnan(at<double>(window, 2, 1, 1, 0)));
  EXPECT_THAT(window.bin_starts_ms, ElementsAre(80));
  EXPECT_EQ(window.bin_width_ms, 30);
  EXPECT_EQ(at<double>(average_time(dataset, 75, 109.9), 0, 0, 0, 0), 1.5);  // bins 1, 2
  EXPECT_EQ(at<double>(average_time(dataset), 0, 0, 0, 0), 2);
  EXPECT_THAT(error_of<InputError>([&] { average_time(dataset, 81, 99); }),
              HasSubstr("no bin lies between 81 and 99 ms"));
  EXPECT_THAT(error_of<InputError>([&] { average_time({.responses = dataset.responses}, 0, 9); }),
              HasSubstr("not known"));
}

TEST(ReadNeural, TakesAxesInAnyOrder) {
  const TempFolder folder;
  const Tensor tensor = Tensor::of<std::int32_t>({2, 3}, std::vector<std::int32_t>{0, 1, 2, 10, 11, 12});
  write_npy(folder / "x.npy", tensor);
  EXPECT_EQ(read_neural(folder / "x.npy").responses.shape(), (Shape{2, 3, 1, 1}));
  const NeuralDataset dataset =
      read_neural(folder / "x.npy", {.axes = "images, neurons", .area = "V4", .specimen = "m"});
  EXPECT_EQ(dataset.responses.spec(), (Spec{DType::kFloat64, {3, 2, 1, 1}}));
  EXPECT_EQ(at<double>(dataset, 2, 1, 0, 0), 12);
  EXPECT_THAT(dataset.areas, ElementsAre("V4", "V4", "V4"));
  EXPECT_THAT(dataset.specimens, ElementsAre("m", "m", "m"));
  EXPECT_EQ(read_neural(folder / "x.npy", {.axes = "time,trial"}).responses.shape(), (Shape{1, 1, 3, 2}));
  const auto error = [&](const NeuralReadOptions& options) {
    return error_of<InputError>([&] { read_neural(folder / "x.npy", options); });
  };
  EXPECT_THAT(error({.axes = "unit,stimulus,repeat"}),
              HasSubstr("int32[2, 3], which does not have the axes unit,stimulus,repeat"));
  EXPECT_THAT(error({.axes = "unit,unit"}), HasSubstr("unit occurs twice"));
  EXPECT_THAT(error({.axes = "unit,"}), HasSubstr("\"\" is no axis"));
  EXPECT_THAT(error({.key = "x"}), HasSubstr("one array without a name"));
}

TEST(ReadNeural, TakesIdsFromElsewhere) {
  const TempFolder folder;
  write_npy(folder / "x.npy", Tensor::zeros(DType::kFloat32, {2, 3}));
  folder.write("ids.txt", test::bytes_of("one\r\ntwo\nthree"));
  EXPECT_THAT(read_neural(folder / "x.npy", {.ids = folder / "ids.txt"}).stimulus_ids,
              ElementsAre("one", "two", "three"));
  folder.write("images/b.png", test::bytes_of(""));
  folder.write("images/a.png", test::bytes_of(""));
  EXPECT_THAT(read_stimulus_ids(folder / "images"), ElementsAre("a.png", "b.png"));
  EXPECT_THAT(error_of<InputError>([&] { read_neural(folder / "x.npy", {.ids = folder / "images"}); }),
              HasSubstr("has 2 ids"));
  folder.write("ids.txt", test::bytes_of("one\n\nthree"));
  EXPECT_THAT(error_of<FileError>([&] { read_stimulus_ids(folder / "ids.txt"); }), HasSubstr("line 2: is empty"));
}

TEST(ReadNeural, ChoosesTheArray) {
  const TempFolder folder;
  const std::string path = folder / "x.npz";
  const Tensor matrix = Tensor::zeros(DType::kFloat32, {2, 3});
  const Tensor names = Tensor::of<std::int32_t>({2}, std::vector<std::int32_t>{12, 7});
  write_npz(path, {{"first", matrix}, {"second", matrix}, {"cells", names}});
  EXPECT_THAT(error_of<FileError>([&] { read_neural(path); }),
              HasSubstr("has 3 arrays; say which one holds the responses: cells, first, second"));
  EXPECT_THAT(read_neural(path, {.key = "first", .unit_ids = "cells"}).unit_ids, ElementsAre("12", "7"));
  EXPECT_THAT(error_of<FileError>([&] { read_neural(path, {.key = "third"}); }),
              HasSubstr("has no array \"third\"; it has cells, first"));
  EXPECT_THAT(error_of<FileError>([&] { read_neural(path, {.key = "cells"}); }), HasSubstr("int32[2]"));
  EXPECT_THAT(error_of<FileError>([&] { read_neural(path, {.key = "first", .stimulus_ids = "cells"}); }),
              HasSubstr("stimulus ids: there are 2, 3 or none are needed"));
  write_npz(path, {{"data", matrix}, {"second", matrix}});
  EXPECT_EQ(read_neural(path).responses.shape(), (Shape{2, 3, 1, 1}));
  EXPECT_THAT(error_of<FileError>([&] { read_neural(folder.write("x.pkl", test::bytes_of("x"))); }),
              HasSubstr("no known format"));
}

// Numbers of shared/data/README.md.
TEST(ReadNeural, ReadsTheV4Recording) {
  const std::string path = test::shared_data("macaque_v4/responses_raw_210325.npy");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const NeuralDataset dataset = read_neural(path, {.ids = test::shared_data("macaque_v4/images_210325.zip")});
  EXPECT_EQ(dataset.units(), 50);
  EXPECT_EQ(dataset.stimuli(), 640);
  EXPECT_EQ(dataset.stimulus_ids.front(), "image0001.jpg");
  std::vector<int> repeats;
  for (std::int64_t stimulus = 0; stimulus < 640; ++stimulus) {
    int count = 0;
    for (std::int64_t repeat = 0; repeat < dataset.repeats(); ++repeat) {
      count += visit_floating(dataset.responses.dtype(),
                              [&]<class T>() { return !std::isnan(at<T>(dataset, 0, stimulus, repeat, 0)); });
    }
    repeats.push_back(count);
  }
  EXPECT_EQ(std::ranges::min(repeats), 6);
  EXPECT_EQ(std::ranges::max(repeats), 10);
}

TEST(AlignStimuli, ById) {
  const StimulusMatch match = align_stimuli({"f", 4, {"a", "b", "c", "d"}}, {"r", 3, {"c", "x", "a"}});
  EXPECT_EQ(match.how, StimulusMatch::How::kById);
  EXPECT_THAT(match.first, ElementsAre(2, 0));
  EXPECT_THAT(match.second, ElementsAre(0, 2));
  EXPECT_EQ(match.only_first, 2);
  EXPECT_THAT(match.only_first_names, ElementsAre("b", "d"));
  EXPECT_THAT(match.only_second_names, ElementsAre("x"));
  EXPECT_FALSE(match.complete());
  EXPECT_EQ(
      match.text,
      "2 stimuli matched by id; 2 of the 4 stimuli of f are left out (b, d); 1 of the 3 stimuli of r are left out "
      "(x)");
  const StimulusMatch all = align_stimuli({"f", 6, {"a", "b", "c", "d", "e", "f"}}, {"r", 1, {"a"}});
  EXPECT_THAT(all.text, HasSubstr("5 of the 6 stimuli of f are left out (b, c, d, ...)"));
}

TEST(AlignStimuli, ByFileNameWhereNoIdAgrees) {
  const StimulusMatch match =
      align_stimuli({"f", 2, {"bear/image1.jpg", "cat/image2.jpg"}}, {"r", 2, {"image2", "image1"}});
  EXPECT_EQ(match.how, StimulusMatch::How::kByFileName);
  EXPECT_THAT(match.first, ElementsAre(1, 0));
  EXPECT_TRUE(match.complete());
  // Not when two files would become one.
  EXPECT_THAT(error_of<InputError>([] {
                align_stimuli({"f", 2, {"a/1.jpg", "b/1.jpg"}}, {"r", 1, {"1"}});
              }),
              HasSubstr("no stimulus of f is in r: the first ids are \"a/1.jpg\" and \"1\""));
}

TEST(AlignStimuli, ByPosition) {
  const StimulusMatch match = align_stimuli({"f", 3, {"a", "b", "c"}}, {"r", 3});
  EXPECT_EQ(match.how, StimulusMatch::How::kByPosition);
  EXPECT_THAT(match.first, ElementsAre(0, 1, 2));
  EXPECT_THAT(match.second, ElementsAre(0, 1, 2));
  EXPECT_THAT(match.text, HasSubstr("by position, because r has no ids"));
  EXPECT_THAT(error_of<InputError>([] {
                align_stimuli({"f", 3}, {"r", 2, {"a", "b"}});
              }),
              HasSubstr("f has 3 stimuli and r has 2; f has no ids"));
  EXPECT_THAT(error_of<InputError>([] {
                align_stimuli({"f", 2, {"a", "a"}}, {"r", 2, {"a", "b"}});
              }),
              HasSubstr("\"a\" is that of stimulus 0 and of stimulus 1"));
}

}  // namespace
}  // namespace chiasm
