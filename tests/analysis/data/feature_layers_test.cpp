// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/feature_layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/features/feature_file.h"
#include "engine/io/hdf5.h"
#include "engine/io/npy.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"

namespace chiasm {
namespace {

using test::error_of;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

// Layer 0 has 2 x 3 units, layer 1 has 4, at steps 0, 2 and 5 for 5 images.
float value(std::size_t layer, std::size_t step, std::int64_t image, std::int64_t unit) {
  return static_cast<float>(1000 * layer + 100 * step) + static_cast<float>(10 * image + unit);
}

std::string write_extracted(const TempFolder& folder, const std::string& ending) {
  const FeatureHeader header{
      .layers = {{.name = "conv1", .shape = {1, 2, 3}}, {.name = "it", .shape = {4}, .arrival_step = 2}},
      .steps = {0, 2, 5},
      .image_ids = {"a", "b", "c", "d", "e"},
      .attributes = {}};
  const std::string path = folder / ("features" + ending);
  const auto sink = create_features(path, header, 5);
  for (std::size_t layer = 0; layer < 2; ++layer) {
    for (std::size_t step = 0; step < 3; ++step) {
      std::vector<float> rows;
      for (std::int64_t image = 0; image < 5; ++image) {
        for (std::int64_t unit = 0; unit < header.layers[layer].units(); ++unit)
          rows.push_back(value(layer, step, image, unit));
      }
      sink->write(layer, step, 0, rows);
    }
  }
  sink->commit();
  return path;
}

Tensor counting(const Shape& shape) {
  Tensor tensor(Spec{DType::kFloat32, shape});
  float next = 0;
  for (float& value : tensor.values<float>()) value = next++;
  return tensor;
}

class Extracted : public testing::TestWithParam<std::string> {};

TEST_P(Extracted, AreReadByLayerStepAndRow) {
  const TempFolder folder;
  const auto features = open_feature_layers(write_extracted(folder, GetParam()));
  ASSERT_EQ(features->layers().size(), 2U);
  EXPECT_EQ(features->layers()[0].shape, (Shape{1, 2, 3}));
  EXPECT_EQ(features->layers()[1].arrival_step, 2);
  EXPECT_EQ(features->layer("it"), 1U);
  EXPECT_THAT(features->steps(), ElementsAre(0, 2, 5));
  EXPECT_EQ(features->step_ms(), 10);
  EXPECT_THAT(features->stimuli().ids, ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(error_of<InputError>([&] { features->layer("v4"); }), HasSubstr("has no layer \"v4\"; it has conv1, it"));

  const auto rows = feature_reader<double>(features, 1, {2}, {4, 0, 1, 2, 0});
  const Matrix<double> block = rows(1, 4);
  for (const auto& [row, image] : {std::pair(0, 0), std::pair(1, 1), std::pair(2, 2), std::pair(3, 0)}) {
    for (int unit = 0; unit < 4; ++unit) EXPECT_EQ(block(row, unit), value(1, 2, image, unit)) << row << " " << unit;
  }
  EXPECT_EQ(rows(0, 1)(0, 3), value(1, 2, 4, 3));

  const CpuStream stream(1);
  const Source<float> means = feature_source<float>(features, 0, {0, 2});
  ASSERT_EQ(means.stimuli(), 5);
  ASSERT_EQ(means.units(), 6);
  EXPECT_EQ(means.values(stream)(3, 5), (value(0, 0, 3, 5) + value(0, 2, 3, 5)) / 2);
  EXPECT_THAT(error_of<InputError>([&] { open_feature_layers(features->path(), {.key = "it"}); }),
              HasSubstr("chiasm extract"));
}

INSTANTIATE_TEST_SUITE_P(Formats, Extracted, testing::Values(".npz", ".h5"),
                         [](const auto& info) { return info.param.substr(1); });

TEST(FeatureLayers, ArraysAreLayers) {
  const TempFolder folder;
  write_npy(folder / "pool5.npy", counting({4, 2, 3}));
  const auto one = open_feature_layers(folder / "pool5.npy");
  ASSERT_EQ(one->layers().size(), 1U);
  EXPECT_EQ(one->layers()[0].name, "pool5");
  EXPECT_EQ(one->layers()[0].shape, (Shape{2, 3}));
  EXPECT_EQ(one->stimuli().count, 4);
  EXPECT_TRUE(one->stimuli().ids.empty());
  EXPECT_TRUE(std::isnan(one->step_ms()));
  EXPECT_EQ(feature_reader<float>(one, 0, {0})(2, 2)(1, 4), 22);

  write_npz(folder / "two.npz",
            {{"a", counting({4, 6})},
             {"b", counting({4, 2})},
             {"stimulus_ids", Tensor::of<std::int32_t>({4}, std::vector<std::int32_t>{5, 6, 7, 8})}});
  const auto two = open_feature_layers(folder / "two.npz");
  ASSERT_EQ(two->layers().size(), 2U);
  EXPECT_EQ(two->layers()[1].name, "b");
  EXPECT_THAT(two->stimuli().ids, ElementsAre("5", "6", "7", "8"));
  EXPECT_EQ(feature_reader<double>(two, 1, {0}, {3, 2})(0, 2)(0, 1), 7);
  {
    Hdf5Writer writer(folder / "deep.h5");
    writer.array("/net/a", counting({4, 6}).view());
    writer.array("/net/b", counting({3, 2}).view());
    writer.commit();
  }
  EXPECT_THAT(error_of<FileError>([&] { open_feature_layers(folder / "deep.h5"); }),
              HasSubstr("\"net/a\" has 4 at 1 steps, \"net/b\" has 3 at 1"));
  const auto chosen = open_feature_layers(folder / "deep.h5", {.key = "net/b"});
  EXPECT_EQ(feature_reader<double>(chosen, 0, {0})(1, 2)(1, 1), 5);
}

TEST(FeatureLayers, TakesAxesInAnyOrder) {
  const TempFolder folder;
  write_npy(folder / "x.npy", counting({2, 3}));
  const auto columns = open_feature_layers(folder / "x.npy", {.axes = "unit,stimulus"});
  EXPECT_EQ(columns->stimuli().count, 3);
  EXPECT_EQ(feature_reader<float>(columns, 0, {0}, {2, 0})(0, 2).row(0)[1], 5);
  write_npy(folder / "x.npy", counting({2, 3, 4}));
  const auto timed = open_feature_layers(folder / "x.npy", {.axes = "time,stimulus,unit"});
  EXPECT_THAT(timed->steps(), ElementsAre(0, 1));
  EXPECT_EQ(timed->layers()[0].units(), 4);
  EXPECT_EQ(feature_reader<float>(timed, 0, {1})(2, 1)(0, 3), 23);
  EXPECT_EQ(feature_reader<float>(timed, 0, {0, 1})(1, 1)(0, 2), 12);
  folder.write("ids.txt", test::bytes_of("p\nq\nr\n"));
  EXPECT_THAT(
      open_feature_layers(folder / "x.npy", {.axes = "time,stimulus,unit", .ids = folder / "ids.txt"})->stimuli().ids,
      ElementsAre("p", "q", "r"));
  EXPECT_THAT(error_of<InputError>([&] { open_feature_layers(folder / "x.npy", {.ids = folder / "ids.txt"}); }),
              HasSubstr("has 3 ids"));
  EXPECT_THAT(error_of<InputError>([&] { open_feature_layers(folder / "x.npy", {.axes = "repeat,stimulus,unit"}); }),
              HasSubstr("no repeats"));
}

TEST(FeatureLayers, NamesWhatIsWrong) {
  const TempFolder folder;
  write_npz(folder / "none.npz", {{"a", counting({4})}});
  EXPECT_THAT(error_of<FileError>([&] { open_feature_layers(folder / "none.npz"); }),
              HasSubstr("holds no array of features"));
  write_npy(folder / "empty.npy", counting({4, 0}));
  EXPECT_THAT(error_of<FileError>([&] { open_feature_layers(folder / "empty.npy"); }), HasSubstr("it is empty"));
}

}  // namespace
}  // namespace chiasm
