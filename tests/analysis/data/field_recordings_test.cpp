// SPDX-License-Identifier: Apache-2.0
// Recordings as people have them: times in the wrong unit, trials without a stimulus, cells, objects, fluorescence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/data/array_container.h"
#include "analysis/data/feature_layers.h"
#include "analysis/data/read_neural.h"
#include "analysis/data/stimulus_index.h"
#include "engine/io/hdf5.h"
#include "engine/io/npy.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"
#include "tests/support/process.h"
#include "tests/support/source_tree.h"

namespace chiasm {
namespace {

using test::error_of;
using test::TempFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Numbers = std::vector<double>;

std::string sample(const std::string& name) { return test::source_folder() + "/tests/data/" + name; }

Tensor column(const Numbers& values) { return Tensor::of<double>({static_cast<std::int64_t>(values.size())}, values); }

// Four trials of half a second; the last has no stimulus unless it is given one.
void write_trials(Hdf5Writer& file, const Numbers& starts, const Numbers& stimuli) {
  Numbers stops = starts;
  for (double& stop : stops) stop += 0.5;
  file.array("/intervals/trials/start_time", column(starts).view());
  file.array("/intervals/trials/stop_time", column(stops).view());
  file.array("/intervals/trials/stimulus_id", column(stimuli).view());
}

// One unit that fires `spikes`.
std::string write_spikes(const TempFolder& folder, const Numbers& spikes, const Numbers& starts = {0, 1, 2, 3},
                         const Numbers& stimuli = {7, 8, 7, 8}) {
  Hdf5Writer file(folder / "spikes.nwb");
  file.array("/units/spike_times", column(spikes).view());
  const std::vector<std::int32_t> ends{static_cast<std::int32_t>(spikes.size())};
  file.array("/units/spike_times_index", Tensor::of<std::int32_t>({1}, ends).view());
  write_trials(file, starts, stimuli);
  file.commit();
  return folder / "spikes.nwb";
}

TEST(FieldRecordings, SpikesInMillisecondsAreAnError) {
  const TempFolder folder;
  const std::string good = write_spikes(folder, {0.1, 1.2, 2.3, 3.1, 3.4});
  EXPECT_THAT(read_neural(good).notes, IsEmpty());
  EXPECT_THAT(error_of<FileError>([&] {
                read_neural(write_spikes(folder, {100, 1200, 2300}));
              }),
              AllOf(HasSubstr("no spike of any unit lies in a trial"), HasSubstr("from 100 to 2300 s"),
                    HasSubstr("from 0 to 3.5 s"), HasSubstr("the former in milliseconds?")));
  EXPECT_THAT(error_of<FileError>([&] {
                read_neural(write_spikes(folder, {0.1, 1.2, 2.3}, {500, 1500, 2500, 3500}));
              }),
              HasSubstr("the trials in milliseconds?"));
  // Spikes before all trials say nothing about units of time.
  EXPECT_THAT(error_of<FileError>([&] {
                read_neural(write_spikes(folder, {90000, 90001}, {10, 11, 12, 13}));
              }),
              testing::Not(HasSubstr("milliseconds")));
  // A silent recording is one.
  EXPECT_EQ(read_neural(write_spikes(folder, {})).responses.values<double>()[0], 0.0);
}

TEST(FieldRecordings, TrialsWithoutAStimulusAreLeftOutAndCounted) {
  const TempFolder folder;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const NeuralDataset dataset = read_neural(write_spikes(folder, {0.1, 1.2, 3.1}, {0, 1, 2, 3}, {7, 8, 7, nan}));
  EXPECT_THAT(dataset.stimulus_ids, ElementsAre("7", "8"));
  EXPECT_EQ(dataset.responses.shape(), (Shape{1, 2, 2, 1}));
  EXPECT_THAT(dataset.notes, ElementsAre(HasSubstr("1 of 4 trials have no stimulus and are left out")));
  EXPECT_THAT(error_of<FileError>([&] {
                read_neural(write_spikes(folder, {0.1}, {0, 1, 2, 3}, {nan, nan, nan, nan}));
              }),
              HasSubstr("names no stimulus for any trial"));
  for (const char* missing : {"", "  ", "nan", "NaN", "N/A", "none", "NULL", "<NA>"})
    EXPECT_TRUE(is_missing_id(missing));
  for (const char* present : {"0", "nancy", "na1", "none.png", "-"}) EXPECT_FALSE(is_missing_id(present)) << present;
}

TEST(FieldRecordings, LinesOfATableWithoutAStimulusAreLeftOutAndCounted) {
  const TempFolder folder;
  test::write_text(folder / "long.csv", "unit,stimulus,response\na,x,1\na,N/A,9\na,y,2\na,,7\n");
  const NeuralDataset dataset = read_neural(folder / "long.csv");
  EXPECT_THAT(dataset.stimulus_ids, ElementsAre("x", "y"));
  EXPECT_THAT(dataset.notes, ElementsAre(HasSubstr("2 lines have no stimulus")));
}

TEST(FieldRecordings, TrialsAtTheSameTimeAreNoted) {
  const TempFolder folder;
  EXPECT_THAT(read_neural(write_spikes(folder, {0.1, 0.2}, {0, 0, 0, 1})).notes,
              ElementsAre(HasSubstr("2 of 4 trials begin and end at the same time as another")));
}

// dF/F of two regions: 10 samples a second, sample i of region r is i + 100 r.
std::string write_fluorescence(const TempFolder& folder, bool timestamps) {
  const std::string path = folder / "ophys.nwb", series = "/processing/ophys/DfOverF/RoiResponseSeries";
  Hdf5Writer file(path);
  Numbers values, times;
  for (int i = 0; i < 40; ++i) {
    values.insert(values.end(), {static_cast<double>(i), i + 100.0});
    times.push_back(i / 10.0);
  }
  file.array(series + "/data", Tensor::of<double>({40, 2}, values).view());
  if (timestamps) file.array(series + "/timestamps", column(times).view());
  write_trials(file, {0, 1, 2, 3}, {7, 8, 7, 8});
  file.commit();
  return path;
}

TEST(FieldRecordings, FluorescenceIsAveragedInBinsOfTrials) {
  const TempFolder folder;
  const std::string path = write_fluorescence(folder, true);
  const NeuralDataset whole = read_neural(path);
  EXPECT_EQ(whole.responses.shape(), (Shape{2, 2, 2, 1}));
  EXPECT_THAT(whole.stimulus_ids, ElementsAre("7", "8"));
  // Samples 0 to 4, 20 to 24, 10 to 14, 30 to 34; then those of the second region.
  EXPECT_THAT(whole.responses.values<double>(), ElementsAre(2, 22, 12, 32, 102, 122, 112, 132));
  const NeuralDataset bins = read_neural(path, {.bin_width_ms = 200});
  EXPECT_EQ(bins.responses.shape(), (Shape{2, 2, 2, 2}));
  EXPECT_THAT(bins.bin_starts_ms, ElementsAre(0, 200));
  EXPECT_EQ(bins.responses.values<double>()[1], 2.5);  // samples 2 and 3
  // Narrower than a sample: some bins hold none.
  const NeuralDataset narrow = read_neural(path, {.bin_width_ms = 50, .bins = 2});
  EXPECT_TRUE(std::isnan(narrow.responses.values<double>()[1]));
  EXPECT_THAT(narrow.notes, ElementsAre(HasSubstr("4 of 8 bins of trials hold no sample")));
  EXPECT_EQ(read_neural(path, {.key = "processing/ophys/DfOverF/RoiResponseSeries"}).units(), 2);
  EXPECT_THAT(error_of<InputError>([&] { read_neural(path, {.key = "none"}); }),
              HasSubstr("there are /processing/ophys/DfOverF/RoiResponseSeries"));
}

TEST(FieldRecordings, CellsOfOneShapeAreStacked) {
  const auto file = open_arrays(sample("matlab_cells.mat"));
  const Tensor all = file->read("responses{*}");
  ASSERT_EQ(all.shape(), (Shape{3, 2, 3}));
  EXPECT_EQ(file->spec("responses{*}").shape, all.shape());
  EXPECT_THAT(all.values<double>().first(6), ElementsAre(0, 2, 4, 1, 3, 5));
  EXPECT_EQ(all.values<double>()[12], 20);
  EXPECT_TRUE(file->has("responses{*}"));
  EXPECT_FALSE(file->has("none{*}"));
  EXPECT_EQ(read_neural(sample("matlab_cells.mat"), {.key = "responses{*}"}).responses.shape(), (Shape{3, 2, 3, 1}));
  EXPECT_THAT(error_of<FileError>([&] { file->read("unlike{*}"); }),
              AllOf(HasSubstr("unlike{2}"), HasSubstr("[1, 3]"), HasSubstr("[2, 3]")));
}

TEST(FieldRecordings, CellsOfVersion73AreThoseOfOlderFiles) {
  const auto file = open_arrays(sample("matlab73_cells.mat"));
  const Tensor all = file->read("responses{*}"), old = open_arrays(sample("matlab_cells.mat"))->read("responses{*}");
  EXPECT_EQ(all.spec(), old.spec());
  EXPECT_THAT(all.values<double>(), testing::ElementsAreArray(old.values<double>()));
  EXPECT_EQ(file->spec("responses{*}"), old.spec());
  EXPECT_THAT(file->read_part("responses{*}", 1, 1).values<double>(), ElementsAre(10, 12, 14, 11, 13, 15));
  EXPECT_THAT(file->read_part("responses{2}", 1, 1).values<double>(), ElementsAre(11, 13, 15));
  EXPECT_EQ(read_neural(sample("matlab73_cells.mat"), {.key = "responses{*}"}).responses.shape(), (Shape{3, 2, 3, 1}));
  // A cell that holds itself is listed once.
  EXPECT_THAT(file->arrays(), ElementsAre("nested{1}{1}", "nested{2}", "responses{1}", "responses{2}", "responses{3}",
                                          "unlike{1}", "unlike{2}"));
  EXPECT_EQ(file->read("nested{1}{2}{1}").values<double>()[0], 5.0);
  EXPECT_THAT(file->labels("names"), ElementsAre("one", "tw\u00f6"));
  EXPECT_THAT(file->labels("nested{1}{1}"), ElementsAre("5"));
  EXPECT_TRUE(file->has("responses{*}"));
  for (const char* none : {"none{*}", "waves{*}", "responses{4}", "responses{0}", "responses{1", "responses{1}x"}) {
    EXPECT_FALSE(file->has(none)) << none;
  }
  const auto refusal = [&](const char* name) { return error_of<FileError>([&] { file->read(name); }); };
  EXPECT_THAT(refusal("unlike{*}"), AllOf(HasSubstr("unlike{2}"), HasSubstr("[1, 3]"), HasSubstr("[2, 3]")));
  EXPECT_THAT(refusal("responses"), HasSubstr("is a cell, numbers are needed; responses{*} stacks"));
  EXPECT_THAT(refusal("waves"), HasSubstr("complex numbers: save real(waves)"));
  EXPECT_THAT(error_of<FileError>([] { read_neural(sample("matlab73_cells.mat")); }),
              HasSubstr("nested{*} stacks the arrays of a cell"));
}

TEST(FieldRecordings, NumbersThatAreNoneAreNamedInEveryFormat) {
  const TempFolder folder;
  const auto write_header = [&](const std::string& name, const std::string& descr) {
    std::string text = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (2,), }";
    text.resize(117, ' ');
    std::string file("\x93NUMPY\x01\x00\x76\x00", 10);
    file += text + "\n" + std::string(32, '\0');
    test::write_text(folder / name, file);
    return error_of<FileError>([&] { read_neural(folder / name); });
  };
  EXPECT_THAT(write_header("complex.npy", "<c16"), HasSubstr("complex numbers: save the real part"));
  EXPECT_THAT(write_header("texts.npy", "<U4"), HasSubstr("holds texts, no numbers"));
  Hdf5Writer file(folder / "texts.h5");
  file.texts("/responses", {"a", "b"});
  const std::vector<double> times{0, 1};
  file.array("/times", column(times).view());
  file.commit();
  // The one array of numbers beside them is not taken for them.
  EXPECT_THAT(error_of<FileError>([&] { read_neural(folder / "texts.h5"); }),
              HasSubstr("responses holds texts, no numbers"));
}

TEST(FieldRecordings, AResponseThatIsInfiniteIsNamed) {
  const TempFolder folder;
  Numbers values(24, 1.0);
  values[17] = std::numeric_limits<double>::infinity();
  write_npy(folder / "responses.npy", Tensor::of<double>({2, 3, 4}, values));
  EXPECT_THAT(error_of<FileError>([&] { read_neural(folder / "responses.npy"); }),
              HasSubstr("the value of unit 1 for stimulus 1, repeat 1 is inf"));
}

TEST(FieldRecordings, TextsInUtf16AreNamedAsSuch) {
  const TempFolder folder;
  const std::string little("\xFF\xFEu\0,\0", 6), unmarked("\0u\0,", 4);
  for (const std::string& text : {little, unmarked}) {
    test::write_text(folder / "table.csv", text);
    test::write_text(folder / "ids.txt", text);
    for (const char* name : {"table.csv", "ids.txt"}) {
      EXPECT_THAT(error_of<FileError>([&] {
                    name[0] == 't' ? void(read_neural(folder / name)) : void(read_stimulus_ids(folder / name));
                  }),
                  HasSubstr("is UTF-16 text"));
    }
  }
}

TEST(FieldRecordings, WhatCannotBeReadIsNamedWithAWayOut) {
  EXPECT_THAT(error_of<FileError>([] { read_neural(sample("matlab_unreadable.mat")); }),
              AllOf(HasSubstr("rates is a sparse array: save full(rates)"),
                    HasSubstr("waves is an array of complex numbers: save real(waves)")));
  EXPECT_THAT(error_of<FileError>([] { read_neural(sample("matlab73_string.mat")); }),
              HasSubstr("responses is a MATLAB string: save char(responses)"));
  EXPECT_THAT(error_of<FileError>([] { read_neural(sample("matlab73_string.mat"), {.key = "responses"}); }),
              HasSubstr("responses is a MATLAB string"));
}

// Listing what the links lead to, again and again, would take hours.
TEST(FieldRecordings, GroupsThatHoldEachOtherAreListedOnce) {
  const auto file = open_arrays(sample("circles.h5"));
  EXPECT_THAT(file->arrays(), ElementsAre("inner/rates"));
  EXPECT_TRUE(file->has("one/three/two/rates"));
}

TEST(FieldRecordings, AFeatureThatIsNotFiniteIsNamed) {
  const TempFolder folder;
  Numbers values(12, 1.0);
  values[7] = std::numeric_limits<double>::infinity();
  write_npy(folder / "features.npy", Tensor::of<double>({4, 3}, values));
  const auto features = open_feature_layers(folder / "features.npy");
  EXPECT_THAT(
      error_of<FileError>([&] { feature_reader<float>(features, 0, {0})(1, 3); }),
      AllOf(HasSubstr("features.npy"), HasSubstr("layer \"features\""), HasSubstr("unit 1 for stimulus 2 is inf")));
}

}  // namespace
}  // namespace chiasm
