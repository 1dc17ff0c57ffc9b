// SPDX-License-Identifier: Apache-2.0
#include "engine/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/io/npy.h"
#include "engine/io/safetensors.h"
#include "engine/snapshot.h"
#include "tests/support/compare.h"
#include "tests/support/file_corpus.h"

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A weight, a statistic, and where asked for a backward weight and the state of an optimizer.
Parameters network(std::uint64_t seed, DType dtype = DType::kFloat32, bool untied = false, bool optimizer = false) {
  Parameters p;
  const Initialiser uniform = Initialiser::uniform(1.0);
  p.declare({.name = "conv/weight", .spec = {dtype, {3, 2}}, .initialiser = uniform});
  p.declare({.name = "norm/mean", .spec = {dtype, {2}}, .initialiser = uniform, .role = ParameterRole::kStatistic});
  if (untied) {
    p.declare({.name = "conv/weight_backward",
               .spec = {dtype, {3, 2}},
               .initialiser = uniform,
               .role = ParameterRole::kBackward});
  }
  if (optimizer) {
    p.declare({.name = "optimizer/velocity/conv/weight",
               .spec = {dtype, {3, 2}},
               .initialiser = uniform,
               .role = ParameterRole::kStatistic});
  }
  p.initialise(seed);
  return p;
}

const char* const kNames[] = {"conv/weight", "norm/mean"};

std::map<std::string, Tensor> copies(const Parameters& parameters) {
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, tensor] : parameters.tensors()) tensors.emplace(name, tensor.clone());
  return tensors;
}

void expect_unchanged(const Parameters& parameters, const std::map<std::string, Tensor>& before) {
  for (const auto& [name, tensor] : before) {
    EXPECT_TRUE(bit_equal(parameters.tensors().at(name).view(), tensor.view())) << name;
  }
}

class Weights : public testing::Test {
 protected:
  std::string error_for(std::map<std::string, Tensor> tensors) {
    write_safetensors(path, {std::move(tensors), {}});
    Parameters parameters = network(2);
    const auto before = copies(parameters);
    const std::string message = error_of<FileError>([&] { load_weights(path, parameters); });
    expect_unchanged(parameters, before);
    EXPECT_THAT(message, HasSubstr(path));
    return message;
  }
  TempFolder folder;
  std::string path = folder / "w.safetensors";
};

TEST_F(Weights, ComeBackAsTheyWere) {
  const Parameters saved = network(1, DType::kFloat64, true, true);
  save_weights(path, saved, {{"recipe", "x"}});
  EXPECT_EQ(read_safetensors(path).tensors.size(), 3u);  // no optimizer state
  EXPECT_EQ(read_safetensors(path).metadata.at("recipe"), "x");
  Parameters other = network(2, DType::kFloat64, true, true);
  const auto before = copies(other);
  load_weights(path, other);
  for (const char* name : {"conv/weight", "norm/mean", "conv/weight_backward"}) {
    EXPECT_TRUE(bit_equal(other.tensors().at(name).view(), saved.tensors().at(name).view())) << name;
  }
  const char* const velocity = "optimizer/velocity/conv/weight";
  EXPECT_TRUE(bit_equal(other.tensors().at(velocity).view(), before.at(velocity).view()));
}

TEST_F(Weights, AreReadFromSnapshotsAndNpz) {
  const Parameters run = network(1, DType::kFloat32, false, true);
  save_snapshot(path, run, {12, 3, 4});
  write_npz(folder / "w.npz", network(1).tensors(), true);
  for (const std::string& file : {path, folder / "w.npz"}) {
    Parameters other = network(2);
    load_weights(file, other);
    for (const char* name : kNames) {
      EXPECT_TRUE(bit_equal(other.tensors().at(name).view(), run.tensors().at(name).view())) << file << ' ' << name;
    }
  }
}

TEST_F(Weights, WithoutBackwardWeightsLeaveTheDraw) {
  save_weights(path, network(1));
  Parameters untied = network(2, DType::kFloat32, true);
  const auto before = copies(untied);
  load_weights(path, untied);
  const char* const backward = "conv/weight_backward";
  EXPECT_TRUE(bit_equal(untied.tensors().at(backward).view(), before.at(backward).view()));
  EXPECT_FALSE(bit_equal(untied.tensors().at("conv/weight").view(), before.at("conv/weight").view()));
}

TEST_F(Weights, ConvertBetweenFloatingTypes) {
  const Parameters saved = network(1, DType::kFloat64);
  save_weights(path, saved);
  Parameters narrow = network(2, DType::kFloat32), wide = network(2, DType::kFloat64);
  load_weights(path, narrow);
  EXPECT_EQ(narrow.tensors().at("conv/weight").dtype(), DType::kFloat32);
  for (const char* name : kNames) {
    // One rounding to float32.
    EXPECT_TRUE(near(narrow.tensors().at(name).view(), saved.tensors().at(name).view(), {.relative = 6e-8}));
  }
  save_weights(path, narrow);
  load_weights(path, wide);
  EXPECT_EQ(wide.tensors().at("conv/weight").values<double>()[4],
            static_cast<double>(narrow.tensors().at("conv/weight").values<float>()[4]));
}

TEST_F(Weights, OfAnotherNetworkChangeNothing) {
  const auto good = [] { return network(1).tensors(); };
  auto tensors = good();
  tensors.erase("norm/mean");
  tensors["other"] = Tensor::zeros(DType::kFloat32, {7});
  EXPECT_THAT(error_for(tensors), AllOf(HasSubstr("norm/mean"), HasSubstr("wanted: float32[2]"), HasSubstr("other")));
  tensors = good();
  tensors["extra"] = Tensor::zeros(DType::kFloat32, {7});
  tensors["extra2"] = Tensor::zeros(DType::kFloat32, {7});
  EXPECT_THAT(error_for(tensors), AllOf(HasSubstr("extra: found float32[7]"), HasSubstr("first of 2")));
  tensors = good();
  tensors["conv/weight"] = Tensor::zeros(DType::kFloat32, {2, 3});
  EXPECT_THAT(error_for(tensors), HasSubstr("conv/weight: found float32[2, 3], wanted: float32[3, 2]"));
  tensors = good();
  tensors["norm/mean"] = Tensor::zeros(DType::kInt32, {2});
  EXPECT_THAT(error_for(tensors), HasSubstr("norm/mean: found int32[2], wanted: float32[2]"));
}

// Both are refused before anything in them is interpreted.
TEST_F(Weights, OfPythonPicklesAreRefused) {
  Parameters parameters = network(1);
  const std::string legacy = folder.write("old.pth", bytes_of("\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19."));
  EXPECT_THAT(error_of<FileError>([&] { load_weights(legacy, parameters); }),
              AllOf(HasSubstr(legacy), HasSubstr("pickle"), HasSubstr("save_file")));
  write_npz(folder / "new.pt", {{"archive/data.pkl", Tensor::zeros(DType::kUInt8, {4})}});
  Bytes zip = read_all(folder / "new.pt");
  // The name of the entry, "archive/data.pkl.npy", in its header and in the directory.
  for (std::size_t i = 0; i + 4 <= zip.size(); ++i) {
    if (zip[i] == std::byte{'.'} && zip[i + 1] == std::byte{'n'} && zip[i + 2] == std::byte{'p'}) {
      std::ranges::copy(bytes_of(".pkl"), zip.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  folder.write("new.pt", zip);
  EXPECT_THAT(error_of<FileError>([&] { load_weights(folder / "new.pt", parameters); }), HasSubstr("pickle"));
}

TEST_F(Weights, SurviveDamage) {
  save_weights(path, network(1));
  Parameters parameters = network(2);
  expect_survives_damage(read_all(path), 200, 200, true,
                         [&](const std::string& damaged) { load_weights(damaged, parameters); });
}

}  // namespace
}  // namespace chiasm::test
