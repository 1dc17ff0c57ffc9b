// SPDX-License-Identifier: Apache-2.0
// `chiasm convert` from the outside, and networks that run with what it makes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "engine/config/composition.h"
#include "engine/io/npy.h"
#include "engine/io/safetensors.h"
#include "engine/weights.h"
#include "models/tasks/classification/graphs.h"
#include "tests/support/compare.h"
#include "tests/support/file_corpus.h"
#include "tests/support/golden.h"
#include "tests/support/hashed.h"
#include "tests/support/process.h"
#include "tests/support/running_network.h"
#include "tests/support/source_tree.h"
#include "tools/recipe/recipe.h"

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string kRecipes = test::source_folder() + "/models/recipes/";
const std::string kSqueezenet = kRecipes + "squeezenet_1_0.json";

ProcessResult convert(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {chiasm_command(), "convert"});
  return run_process(arguments);
}

Tensor filled(const Spec& spec, const std::string& name, double scale, double offset = 0.0) {
  Tensor tensor(spec);
  fill_hashed(tensor.view(), name, scale, offset);
  return tensor;
}

// A state as an oracle describes it: tensors named "<prefix>shape/<name>" hold the shapes, `value` makes the content.
std::map<std::string, Tensor> state_of(const Golden& golden, const std::string& prefix,
                                       const std::function<Tensor(const std::string&, const Shape&)>& value) {
  std::map<std::string, Tensor> state;
  const std::string begin = prefix + "shape/";
  for (const std::string& name : golden.names()) {
    if (!name.starts_with(begin)) continue;
    const std::span<const std::int32_t> sizes = golden.at(name).values<std::int32_t>();
    const std::string key = name.substr(begin.size());
    state.emplace(key, value(key, Shape(std::vector<std::int64_t>(sizes.begin(), sizes.end()))));
  }
  return state;
}

std::int64_t inputs_of(const Shape& shape) { return shape.elements() / std::max<std::int64_t>(shape[0], 1); }

// Tensors a file could hold; the real names are of no importance to what is tested with them.
class ConvertCommand : public testing::Test {
 protected:
  ConvertCommand() {
    write_text(recipe, R"({"chiasm": 1, "name": "small",
      "data": {"format": "npz", "path": "none.npz", "train": {}, "test": {}},
      "model": {"image": [4, 4, 2], "steps": 1, "feedforward_delay": 0, "layers": [
        {"name": "conv1", "pre": [{"op": "conv", "channels": 3, "kernel": 3}, {"op": "batch_norm"}, "relu"]},
        {"name": "readout", "pre": [{"op": "flatten"}, {"op": "linear", "units": 5}]}]},
      "train": {"batch": 1, "epochs": 1, "optimizer": {"type": "sgd", "momentum": 0.9}, "learning_rate": 0.1}})");
    write_text(map, R"({"weight_map": 1,
      "tables": {"norm": {"weight": "gain", "bias": "offset", "running_mean": "running_mean", "running_var": "running_variance"}},
      "rules": [{"source": "0.{p}", "target": "conv1/conv/{p}"},
                {"source": "1.{p}", "target": "conv1/batch_norm/{p|norm}"},
                {"source": "4.weight", "target": "readout/linear/weight", "flatten": [3, 4, 4]},
                {"source": "4.bias", "target": "readout/linear/bias"}],
      "ignore": ["*.num_batches_tracked"]})");
    const auto add = [&](const std::string& name, const Shape& shape) {
      tensors[name] = filled({DType::kFloat32, shape}, name, 1.0);
    };
    add("0.weight", {3, 2, 3, 3});
    add("0.bias", {3});
    for (const char* p : {"weight", "bias", "running_mean", "running_var"}) add(std::string("1.") + p, {3});
    add("4.weight", {5, 48});
    add("4.bias", {5});
    tensors["1.num_batches_tracked"] = Tensor::zeros(DType::kInt32, {});
  }

  ProcessResult run(const std::vector<std::string>& more = {}) {
    write_npz(state, tensors);
    std::vector<std::string> arguments{state, "--recipe", recipe, "--map", map, "--out", out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return convert(arguments);
  }
  // Expects status 2, one line, and no output file.
  std::string refusal(const std::string& input) {
    const ProcessResult result = convert({input, "--recipe", recipe, "--map", map, "--out", out});
    EXPECT_EQ(result.status, 2) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_FALSE(std::filesystem::exists(out));
    return result.err;
  }

  TempFolder folder;
  std::string recipe = folder / "recipe.json", map = folder / "map.json", state = folder / "state.npz",
              out = folder / "weights.safetensors";
  std::map<std::string, Tensor> tensors;
};

TEST_F(ConvertCommand, WritesWeights) {
  const ProcessResult result = run();
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("8 tensors"), HasSubstr("1 tensors ignored")));
  const Safetensors file = read_safetensors(out);
  EXPECT_EQ(file.tensors.size(), 8u);
  EXPECT_EQ(file.metadata.at("recipe"), "small");
  EXPECT_EQ(file.metadata.at("converted_from"), "state.npz");
  EXPECT_EQ(file.tensors.at("readout/linear/weight").shape(), (Shape{48, 5}));
  // Output 2, from row 1, column 3, channel 2: column (2 * 4 + 1) * 4 + 3 there, row (1 * 4 + 3) * 3 + 2 here.
  EXPECT_EQ(file.tensors.at("readout/linear/weight").values<float>()[23 * 5 + 2],
            tensors["4.weight"].values<float>()[2 * 48 + 39]);
  EXPECT_EQ(file.tensors.at("conv1/batch_norm/running_variance").values<float>()[1],
            tensors["1.running_var"].values<float>()[1]);

  // Weights of chiasm need no map.
  const std::string again = folder / "again.safetensors";
  ASSERT_EQ(convert({out, "--recipe", recipe, "--out", again, "--set", "train.dtype=float64"}).status, 0);
  EXPECT_EQ(read_safetensors(again).tensors.at("conv1/conv/bias").dtype(), DType::kFloat64);
}

TEST_F(ConvertCommand, ListsAndDryRunsWithoutWriting) {
  const ProcessResult list = run({"--list"});
  EXPECT_EQ(list.status, 0);
  for (const char* text : {"0.weight", "float32[3, 2, 3, 3]", "conv1/conv/weight", "float32[3, 3, 2, 3]"}) {
    EXPECT_THAT(list.out, HasSubstr(text));
  }
  const ProcessResult dry = run({"--dry-run"});
  EXPECT_EQ(dry.status, 0);
  EXPECT_THAT(dry.out, AllOf(HasSubstr("1.running_var -> conv1/batch_norm/running_variance"), HasSubstr("would fit")));
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(ConvertCommand, SaysWhatDoesNotFit) {
  const auto with = [&](const std::string& name, const Shape& shape) {
    auto changed = tensors;
    changed[name] = Tensor::zeros(DType::kFloat32, shape);
    write_npz(state, changed);
    return refusal(state);
  };
  EXPECT_THAT(with("0.weight", {3, 2, 5, 5}), AllOf(HasSubstr("state.npz"), HasSubstr("0.weight -> conv1/conv/weight"),
                                                    HasSubstr("wanted: [3, 3, 2, 3]")));
  EXPECT_THAT(with("9.weight", {1}), AllOf(HasSubstr("state.npz"), HasSubstr("9.weight")));
  EXPECT_THAT(with("0.extra", {1}), HasSubstr("0.extra -> conv1/conv/extra"));
  write_npz(state, {});
  EXPECT_THAT(refusal(state), HasSubstr("no tensor fills (8)"));
}

TEST_F(ConvertCommand, RefusesWrongFiles) {
  write_npz(state, tensors);
  const Bytes whole = read_all(state);
  EXPECT_THAT(refusal(folder.write("cut.npz", Bytes(whole.begin(), whole.begin() + 1000))), HasSubstr("cut.npz"));
  write_safetensors(folder / "whole.safetensors", {tensors, {}});
  const Bytes safe = read_all(folder / "whole.safetensors");
  EXPECT_THAT(refusal(folder.write("cut.safetensors", Bytes(safe.begin(), safe.end() - 5))),
              HasSubstr("cut.safetensors"));
  EXPECT_THAT(refusal(folder / "none.npz"), HasSubstr("none.npz"));
  EXPECT_THAT(refusal(folder.write("old.pth", bytes_of("\x80\x02}q\x01X\x01\x01\x01\x01\x01.aaaaaaaaaaaaaaaa"))),
              AllOf(HasSubstr("old.pth"), HasSubstr("pickle"), HasSubstr("save_file")));
  EXPECT_THAT(refusal(folder.write("empty", {})), HasSubstr("empty"));
}

// numpy.savez("object.npz", **{"0.weight": numpy.array([None])}) is a pickle inside a header that says so.
TEST_F(ConvertCommand, RefusesArraysOfObjects) {
  write_npz(state, {{"0.weight", Tensor::zeros(DType::kFloat64, {1})}});
  Bytes bytes = read_all(state);
  const Bytes from = bytes_of("'<f8'"), to = bytes_of("'|O' ");
  const auto at = std::search(bytes.begin(), bytes.end(), from.begin(), from.end());
  ASSERT_NE(at, bytes.end());
  std::copy(to.begin(), to.end(), at);
  EXPECT_THAT(refusal(folder.write("object.npz", bytes)), AllOf(HasSubstr("object.npz"), HasSubstr("0.weight")));
}

TEST_F(ConvertCommand, ReadsMapsStrictly) {
  write_npz(state, tensors);
  std::string text = read_text(map);
  write_text(map, text.replace(text.find("\"ignore\""), 8, "\"ignores\""));
  EXPECT_THAT(refusal(state), AllOf(HasSubstr("map.json"), HasSubstr("ignores")));
  write_text(map, R"({"weight_map": 1, "rules": [{"source": "{x}.weight", "target": "conv1/conv/weight"}]})");
  EXPECT_THAT(refusal(state), HasSubstr("several tensors fill (1): conv1/conv/weight (0.weight and 1.weight)"));
  map = folder / "no.json";
  EXPECT_THAT(refusal(state), HasSubstr("no.json"));
}

TEST_F(ConvertCommand, AnUnknownMapListsTheShippedOnes) {
  const ProcessResult result = run_process({chiasm_command(), "convert", folder / "none.npz", "--recipe",
                                            "squeezenet_1_0", "--map", "nonesuch", "--out", folder / "o.safetensors"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("\"nonesuch\""), HasSubstr("resnet_v1_torchvision, squeezenet_1_0, ")));
}

TEST_F(ConvertCommand, MissingOutIsAnError) {
  write_npz(state, tensors);
  const ProcessResult result = convert({state, "--recipe", recipe, "--map", map});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("--out"));
}

// The input of the oracle and of the released expected values, B, G, R there and R, G, B here.
template <class T>
void show_waves(const MutableView& image) {
  const Shape& s = image.shape();
  T* next = image.as<T>();
  for (std::int64_t i = 0; i < s[1]; ++i) {
    for (std::int64_t j = 0; j < s[2]; ++j) {
      for (int c = 2; c >= 0; --c) {
        *next++ = static_cast<T>(60 * std::sin(0.05 * static_cast<double>(i) + 0.3 * c) +
                                 40 * std::cos(0.07 * static_cast<double>(j) - 0.2 * c));
      }
    }
  }
}

TEST(Squeezenet, RunsAsInPytorch) {
  const Golden golden("squeezenet");
  const TempFolder folder;
  const auto value = [](const std::string& name, const Shape& shape) {
    const double scale = shape.rank() > 1 ? std::sqrt(6.0 / static_cast<double>(inputs_of(shape))) : 5.0;
    return filled({DType::kFloat64, shape}, name, scale);
  };
  write_npz(folder / "state.npz", state_of(golden, "", value));
  const std::vector<std::string> small{"model.image=[63,63,3]", "train.dtype=float64"};
  const ProcessResult result = convert({folder / "state.npz", "--recipe", kSqueezenet, "--map", "squeezenet_1_0",
                                        "--out", folder / "w", "--set", small[0], "--set", small[1]});
  ASSERT_EQ(result.status, 0) << result.err;
  RunningNetwork running(load_recipe(kSqueezenet, small).network);
  load_weights(folder / "w", running.parameters);
  show_waves<double>(running.program->input("image"));
  running.run();
  // Sums of up to 576 terms; the roundings of 18 convolutions in a row add like a random walk, sqrt(18) < 5.
  const Tolerance tolerance = rounding_tolerance(DType::kFloat64, 5, 576);
  for (const char* fire : {"fire2", "fire9"}) {
    const Sketch s = sketch(running.at(fire, 0), fire);
    const std::vector<double> both{s.product, s.norm};
    EXPECT_TRUE(near(Tensor::of<double>({2}, both).view(), golden.at(fire).view(), tolerance)) << fire;
  }
  EXPECT_TRUE(near(running.copy_of("readout", 0).reshaped({1000}).view(), golden.at("scores").view(), tolerance));
}

struct Torchvision {
  const char* network;  // of the oracle
  const char* recipe;
  const char* map;
  int divisor;  // of the widths
  int side;     // of the image
};

class TorchvisionNetwork : public testing::TestWithParam<Torchvision> {};

// The recipe with narrow layers on small images; of VGG-16, the last convolution keeps its width for "flatten".
std::string narrow_recipe(const Torchvision& network, const std::string& path) {
  Config recipe = shipped_recipe(network.recipe, {"train.dtype=float64"});
  narrow(recipe, network.divisor);
  const std::string side = std::to_string(network.side);
  recipe.set("model.image", "[" + side + "," + side + ",3]");
  if (std::string(network.network).starts_with("vgg")) {
    recipe.set_integer("model.layers[12].pre[0].channels", 512);
    recipe.set_integer("model.layers[13].pre[1].units", 16);
    recipe.set_integer("model.layers[14].pre[0].units", 16);
  }
  write_text(path, dump_composed(recipe));
  return path;
}

TEST_P(TorchvisionNetwork, RunsAsInPytorch) {
  const Golden golden("torchvision_networks");
  const TempFolder folder;
  const std::string prefix = std::string(GetParam().network) + "/";
  const auto value = [](const std::string& name, const Shape& shape) {
    if (shape.rank() == 0) return Tensor::zeros(DType::kInt32, shape);
    if (shape.rank() > 1) {
      return filled({DType::kFloat64, shape}, name, std::sqrt(6.0 / static_cast<double>(inputs_of(shape))));
    }
    const bool variance = name.ends_with("running_var");
    return filled({DType::kFloat64, shape}, name, variance ? 0.5 : 0.3, variance || name.ends_with("weight") ? 1 : 0);
  };
  write_npz(folder / "state.npz", state_of(golden, prefix, value));
  const std::string recipe = narrow_recipe(GetParam(), folder / "recipe.json");
  const ProcessResult result = convert({folder / "state.npz", "--recipe", recipe, "--map",
                                        kRecipes + "weights/" + GetParam().map + ".json", "--out", folder / "w"});
  ASSERT_EQ(result.status, 0) << result.err;
  RunningNetwork running(load_recipe(recipe, {}).network);
  load_weights(folder / "w", running.parameters);
  fill_hashed(running.program->input("image"), "image", 1.0);
  running.run();
  // The longest sums are those of VGG-16's first full layer; 50 layers in a row in the deepest network, sqrt(50) < 8.
  EXPECT_TRUE(near(running.copy_of("readout", 0).reshaped({10}).view(), golden.at(prefix + "logits").view(),
                   rounding_tolerance(DType::kFloat64, 8, 25088)));
}

INSTANTIATE_TEST_SUITE_P(Convert, TorchvisionNetwork,
                         testing::Values(Torchvision{"resnet18", "resnet18_v1", "resnet_v1_torchvision", 8, 33},
                                         Torchvision{"resnet34", "resnet34_v1", "resnet_v1_torchvision", 8, 33},
                                         Torchvision{"resnet50", "resnet50_v1", "resnet_v1_torchvision", 8, 33},
                                         Torchvision{"vgg16", "vgg16", "vgg16_torchvision", 16, 224},
                                         Torchvision{"vgg16_bn", "vgg16_bn", "vgg16_bn_torchvision", 16, 224}),
                         [](const auto& info) { return std::string(info.param.network); });

TEST(Squeezenet, WithImagenetWeightsGivesTheExpectedScores) {
  const std::string weights = shared_data("squeezenet/squeezenet_v1.0_decoded_f32.npz");
  if (!std::filesystem::exists(weights)) GTEST_SKIP() << weights << " is not there";
  const TempFolder folder;
  const ProcessResult result =
      convert({weights, "--recipe", kSqueezenet, "--map", "squeezenet_1_0", "--out", folder / "w"});
  ASSERT_EQ(result.status, 0) << result.err;
  Parameters parameters;
  Program program(build_evaluation(load_recipe(kSqueezenet, {}).network, parameters, 1, {}), {});
  parameters.initialise(0);
  load_weights(folder / "w", parameters);
  program.bind_all(parameters.tensors());
  show_waves<float>(program.input("image"));
  program.run();
  const Tensor expected = read_npy(shared_data("squeezenet/expected_synthetic_pool_final.npy"));
  const View scores = program.output("logits");
  // As above, in float32 on both sides. Measured: 1.9e-6 of scores up to 6.6.
  EXPECT_TRUE(near(Tensor::of<float>({1000}, {scores.as<float>(), 1000}).view(), expected.view(),
                   rounding_tolerance(DType::kFloat32, 5, 576)));
  double mean = 0.0;
  for (int k = 0; k < 1000; ++k) mean += scores.as<float>()[k] / 1000.0;
  EXPECT_NEAR(mean, 0.880445, 1e-5);
  const std::pair<int, double> top[] = {{818, 6.566}, {562, 6.0174}, {908, 5.2121}, {907, 5.1695}, {592, 5.098}};
  for (const auto& [k, score] : top) EXPECT_NEAR(scores.as<float>()[k], score, 1e-4) << k;  // given to 4 decimals
}

}  // namespace
}  // namespace chiasm::test
