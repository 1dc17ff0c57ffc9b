// SPDX-License-Identifier: Apache-2.0
#include "engine/features/feature_file.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "engine/io/hdf5.h"
#include "engine/io/npy.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"
#include "tests/support/process.h"

namespace chiasm {
namespace {

using test::error_of;
using test::TempFolder;
using testing::HasSubstr;

FeatureHeader small_header() {
  return {.layers = {{.name = "conv1", .shape = {2, 3, 4}, .arrival_step = 0},
                     {.name = "conv2:units", .shape = {5}, .arrival_step = 2}},
          .steps = {0, 3, 7},
          .step_ms = 12.5,
          .image_ids = {"a/1.png", "b \xc3\xa9.png", "c", "d", "e"},
          .attributes = {{"network", "tiny"}, {"weights", "untrained \xff"}, {"empty", ""}}};
}

float value(std::size_t layer, std::size_t step, std::int64_t image, std::int64_t unit) {
  return static_cast<float>(1000 * layer + 100 * step) + static_cast<float>(image) + static_cast<float>(unit) / 64;
}

std::vector<float> rows(const FeatureHeader& header, std::size_t layer, std::size_t step, std::int64_t first,
                        std::int64_t count) {
  std::vector<float> values;
  for (std::int64_t i = first; i < first + count; ++i) {
    for (std::int64_t u = 0; u < header.layers[layer].units(); ++u) values.push_back(value(layer, step, i, u));
  }
  return values;
}

// Blocks of two images, the last of one.
void fill(FeatureSink& sink, const FeatureHeader& header) {
  for (std::int64_t first = 0; first < 5; first += 2) {
    for (std::size_t layer = 0; layer < header.layers.size(); ++layer) {
      for (std::size_t step = 0; step < header.steps.size(); ++step) {
        sink.write(layer, step, first, rows(header, layer, step, first, std::min<std::int64_t>(2, 5 - first)));
      }
    }
  }
}

std::string write_small(const TempFolder& folder, const std::string& ending) {
  const FeatureHeader header = small_header();
  const auto sink = create_features(folder / ("features" + ending), header, 2);
  sink->add("pca/conv1/mean", Tensor::of<double>({2}, std::vector<double>{0.25, -1}));
  fill(*sink, header);
  EXPECT_FALSE(std::filesystem::exists(folder / ("features" + ending)));
  sink->commit();
  return folder / ("features" + ending);
}

class Features : public testing::TestWithParam<std::string> {
 protected:
  TempFolder folder;
};

TEST_P(Features, ComeBackAsTheyWere) {
  const std::string path = write_small(folder, GetParam());
  const FeatureHeader header = small_header();
  const auto source = open_features(path);
  EXPECT_EQ(source->header().layers, header.layers);
  EXPECT_EQ(source->header().steps, header.steps);
  EXPECT_DOUBLE_EQ(source->header().step_ms, 12.5);
  EXPECT_EQ(source->header().image_ids, header.image_ids);
  EXPECT_EQ(source->header().attributes.at("network"), "tiny");
  EXPECT_EQ(source->header().attributes.at("empty"), "");
  for (std::size_t layer = 0; layer < 2; ++layer) {
    for (std::size_t step = 0; step < 3; ++step) {
      for (const auto& [first, count] : {std::pair(0, 5), std::pair(1, 3), std::pair(4, 1), std::pair(2, 0)}) {
        const Tensor block = source->read(layer, step, first, count);
        ASSERT_EQ(block.shape(), (Shape{count, header.layers[layer].units()}));
        EXPECT_TRUE(std::ranges::equal(block.values<float>(), rows(header, layer, step, first, count)));
      }
    }
  }
  EXPECT_EQ(source->array("pca/conv1/mean").values<double>()[1], -1.0);
  EXPECT_THAT(error_of<FileError>([&] { source->array("pca/conv9/mean"); }), HasSubstr("conv9"));
  EXPECT_EQ(source->header().index_of("conv2:units"), 1);
  EXPECT_EQ(source->header().index_of("conv2"), -1);
}

// Reading an array whole checks its CRC-32, which was put together from those of its steps.
TEST(NpzFeatures, AreAnNpzFile) {
  const TempFolder folder;
  const Tensor whole = read_npz(write_small(folder, ".npz"), "conv1");
  ASSERT_EQ(whole.shape(), (Shape{3, 5, 24}));
  EXPECT_EQ(whole.values<float>()[(1 * 5 + 3) * 24 + 8], value(0, 1, 3, 8));
}

TEST_P(Features, SameValuesSameBytes) {
  const TempFolder other;
  EXPECT_EQ(test::read_all(write_small(folder, GetParam())), test::read_all(write_small(other, GetParam())));
}

TEST_P(Features, LeaveNothingUntilTheyAreComplete) {
  const FeatureHeader header = small_header();
  const std::string path = folder.write("features" + GetParam(), test::bytes_of("before"));
  {
    const auto sink = create_features(path, header, 2);
    sink->write(0, 0, 0, rows(header, 0, 0, 0, 2));
    EXPECT_THROW(sink->commit(), InternalError);
    EXPECT_THROW(sink->write(0, 0, 3, rows(header, 0, 0, 3, 1)), InternalError);
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"features" + GetParam()});
  EXPECT_EQ(test::read_all(path), test::bytes_of("before"));
}

// libhdf5 is as strict as its checksums; npz has a checksum of every array that is read whole.
TEST_P(Features, SurviveDamage) {
  const test::Bytes valid = test::read_all(write_small(folder, GetParam()));
  const auto load = [](const std::string& path) {
    const auto source = open_features(path);
    for (std::size_t layer = 0; layer < source->header().layers.size(); ++layer) source->read(layer, 0, 0, 1);
  };
  // A damaged HDF5 file costs the library ten times the time of a damaged zip file.
  const bool hdf5 = GetParam() == ".h5";
  EXPECT_GT(test::expect_survives_damage(valid, hdf5 ? 300 : 4096, hdf5 ? 150 : 1500, false, load, GetParam()), 100);
}

// What python3 and its packages make of the file, where they are installed.
TEST_P(Features, PythonReadsThem) {
  const std::string package = GetParam() == ".npz" ? "numpy" : "h5py";
  if (test::run_process({"/usr/bin/python3", "-c", "import " + package}).status != 0) {
    GTEST_SKIP() << "no " << package << " in /usr/bin/python3";
  }
  const std::string path = write_small(folder, GetParam());
  const std::string program =
      GetParam() == ".npz"
          ? "import sys, json, numpy\nf = numpy.load(sys.argv[1])\nx = f['conv1']\nids = f['image_ids']\n"
            "times = f['time_ms']\nname = json.loads(f['metadata'].item())['network']\nshape = list(f['shape_conv1'])\n"
            "assert f.zip.testzip() is None\nmean = f['pca/conv1/mean']\n"
          : "import sys, h5py\nf = h5py.File(sys.argv[1])\nx = f['features/conv1'][:]\nids = "
            "f['image_ids'].asstr()[:]\n"
            "times = f['time_ms'][:]\nname = f.attrs['network']\nname = name.decode() if isinstance(name, bytes) else "
            "name\n"
            "shape = list(f['features/conv1'].attrs['shape'])\nmean = f['pca/conv1/mean'][:]\n";
  const test::ProcessResult result = test::run_process(
      {"/usr/bin/python3", "-c",
       program + "print(x.shape, x.dtype, x[1, 3, 8], ids[1] == 'b \\u00e9.png', list(times), name, shape, mean[1])",
       path});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "(3, 5, 24) float32 103.125 True [0.0, 37.5, 87.5] tiny [2, 3, 4] -1.0\n");
}

INSTANTIATE_TEST_SUITE_P(Formats, Features, testing::Values(".npz", ".h5"),
                         [](const auto& info) { return info.param.substr(1); });

TEST(FeatureFile, NamesWhatIsWrong) {
  const TempFolder folder;
  FeatureHeader header = small_header();
  EXPECT_THAT(error_of<InputError>([&] { create_features(folder / "f.mat", header, 1); }),
              HasSubstr(".h5, .hdf5 and .npz"));
  header.layers[0].name = "steps";
  EXPECT_THAT(error_of<InputError>([&] { create_features(folder / "f.npz", header, 1); }), HasSubstr("\"steps\""));
  EXPECT_NO_THROW(create_features(folder / "f.h5", header, 1));
  header.layers[1].name = "steps";
  EXPECT_THAT(error_of<InputError>([&] { create_features(folder / "f.h5", header, 1); }), HasSubstr("\"steps\""));
  header.image_ids.clear();
  EXPECT_THAT(error_of<InputError>([&] { create_features(folder / "f.h5", header, 1); }), HasSubstr("0 images"));
  EXPECT_TRUE(folder.names().empty());

  write_npz(folder / "other.npz", {{"x", Tensor::zeros(DType::kFloat32, {2})}});
  EXPECT_THAT(error_of<FileError>([&] { open_features(folder / "other.npz"); }), HasSubstr("\"metadata\""));
  folder.write("text.h5", test::bytes_of("no HDF5"));
  EXPECT_THAT(error_of<FileError>([&] { open_features(folder / "text.h5"); }), HasSubstr("is not an HDF5 file"));
  EXPECT_THAT(error_of<FileError>([&] { open_features(folder / "none.h5"); }), HasSubstr("no such file"));
  {
    Hdf5Writer writer(folder / "foreign.h5");
    writer.array("/x", Tensor::zeros(DType::kFloat32, {2}).view());
    writer.commit();
  }
  EXPECT_THAT(error_of<FileError>([&] { open_features(folder / "foreign.h5"); }), HasSubstr("chiasm_features"));
}

TEST(Hdf5, ReadsBlocksAndSaysWhatIsMissing) {
  const TempFolder folder;
  {
    Hdf5Writer writer(folder / "a.h5");
    writer.array("/deep/down", {DType::kFloat64, {3, 4}}, {2, 2});
    writer.write("/deep/down", {1, 1}, Tensor::of<double>({2, 2}, std::vector<double>{1, 2, 3, 4}).view());
    writer.array("/whole", Tensor::of<std::int32_t>({2}, std::vector<std::int32_t>{-5, 6}).view());
    writer.attribute("/whole", "list", std::vector<std::int64_t>{1, std::int64_t{1} << 40});
    writer.texts("/texts", {"x", "longer", ""});
    writer.commit();
  }
  const Hdf5Reader reader(folder / "a.h5");
  EXPECT_THAT(reader.names("/"), testing::ElementsAre("deep", "texts", "whole"));
  EXPECT_TRUE(reader.has("/deep/down"));
  EXPECT_FALSE(reader.has("/deep/up"));
  EXPECT_FALSE(reader.has("/no/down"));
  const Tensor block = reader.read("/deep/down", {1, 1}, {2, 2});
  EXPECT_THAT(std::vector<double>(block.values<double>().begin(), block.values<double>().end()),
              testing::ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(reader.read("/whole").values<std::int32_t>()[0], -5);
  EXPECT_THAT(reader.integers("/whole", "list"), testing::ElementsAre(1, std::int64_t{1} << 40));
  EXPECT_THAT(reader.texts("/texts"), testing::ElementsAre("x", "longer", ""));
  EXPECT_THAT(error_of<InputError>([&] {
                reader.read("/deep/down", {1, 1}, {2, 4});
              }),
              HasSubstr("does not lie inside"));
  EXPECT_THAT(error_of<FileError>([&] { reader.read("/texts"); }), HasSubstr("neither floating-point"));
  EXPECT_THAT(error_of<FileError>([&] { reader.read("/none"); }), HasSubstr("/none: is no array"));
  EXPECT_THAT(error_of<FileError>([&] { reader.texts("/whole"); }), HasSubstr("does not hold texts"));
}

}  // namespace
}  // namespace chiasm
