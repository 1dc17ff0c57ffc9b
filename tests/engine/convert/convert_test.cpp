// SPDX-License-Identifier: Apache-2.0
#include "engine/convert/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/compare.h"
#include "tests/support/file_corpus.h"

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kMap = R"({
  "weight_map": 1,
  "tables": {"norm": {"weight": "gain", "running_mean": "mean"}},
  "rules": [
    {"source": "conv{i}.weight", "target": "conv{i+1}/weight"},
    {"source": "bn{i}.{p}", "target": "conv{i+1}/norm/{p|norm}"}
  ],
  "ignore": ["*.num_batches_tracked"]
})";

Parameters network() {
  Parameters p;
  p.declare({.name = "conv1/weight", .spec = {DType::kFloat32, {2, 3}}, .initialiser = Initialiser::constant(7.0)});
  p.declare({.name = "conv1/norm/gain", .spec = {DType::kFloat32, {3}}});
  p.declare({.name = "conv1/norm/mean", .spec = {DType::kFloat32, {3}}, .role = ParameterRole::kStatistic});
  p.declare({.name = "conv1/weight_backward", .spec = {DType::kFloat32, {2, 3}}, .role = ParameterRole::kBackward});
  p.declare({.name = "optimizer/velocity/conv1/weight",
             .spec = {DType::kFloat32, {2, 3}},
             .role = ParameterRole::kStatistic});
  p.initialise(1);
  return p;
}

std::map<std::string, Tensor> state() {
  const auto values = [](const Shape& shape, std::vector<float> v) { return Tensor::of<float>(shape, v); };
  return {{"conv0.weight", values({3, 2}, {0, 1, 2, 3, 4, 5})},
          {"bn0.weight", values({3}, {1, 2, 3})},
          {"bn0.running_mean", values({3}, {4, 5, 6})},
          {"bn0.num_batches_tracked", Tensor::zeros(DType::kInt32, {})}};
}

WeightMap map_of(const std::string& text) { return read_weight_map(Config::parse(text, "map.json")); }

TEST(Convert, FillsEveryParameter) {
  Parameters parameters = network();
  const Conversion done = convert_weights("x.npz", state(), map_of(kMap), parameters);
  EXPECT_THAT(done.entries, ElementsAre(Conversion::Entry{"bn0.running_mean", "conv1/norm/mean"},
                                        Conversion::Entry{"bn0.weight", "conv1/norm/gain"},
                                        Conversion::Entry{"conv0.weight", "conv1/weight"}));
  EXPECT_THAT(done.ignored, ElementsAre("bn0.num_batches_tracked"));
  EXPECT_THAT(parameters.tensors().at("conv1/weight").values<float>(), ElementsAre(0, 2, 4, 1, 3, 5));
  EXPECT_THAT(parameters.tensors().at("conv1/norm/mean").values<float>(), ElementsAre(4, 5, 6));
  EXPECT_THAT(parameters.tensors().at("conv1/weight_backward").values<float>(), ElementsAre(0, 0, 0, 0, 0, 0));
}

class ConvertErrors : public testing::Test {
 protected:
  std::string message(const std::map<std::string, Tensor>& tensors, const std::string& map = kMap) {
    Parameters parameters = network();
    const std::string text = error_of<FileError>([&] { convert_weights("x.npz", tensors, map_of(map), parameters); });
    EXPECT_EQ(parameters.tensors().at("conv1/weight").values<float>()[0], 7.0f) << "something was changed";
    EXPECT_THAT(text, HasSubstr("x.npz"));
    return text;
  }
};

TEST_F(ConvertErrors, ListsWhatIsMissingAndUnused) {
  auto tensors = state();
  tensors.erase("bn0.weight");
  tensors["fc.weight"] = Tensor::zeros(DType::kFloat32, {4, 5});
  tensors["conv1.weight"] = Tensor::zeros(DType::kFloat32, {4, 5});
  EXPECT_THAT(message(tensors), AllOf(HasSubstr("parameters that no tensor fills (1): conv1/norm/gain [3]"),
                                      HasSubstr("tensors that are neither used nor ignored (1): fc.weight [4, 5]"),
                                      HasSubstr("conv1.weight -> conv2/weight"), Not(HasSubstr("several"))));
  for (int i = 0; i < 9; ++i) tensors["extra" + std::to_string(i)] = Tensor::zeros(DType::kFloat32, {1});
  EXPECT_THAT(message(tensors), AllOf(HasSubstr("neither used nor ignored (10): "), HasSubstr("extra4 [1], ..."),
                                      Not(HasSubstr("extra5"))));
}

TEST_F(ConvertErrors, ListsTargetsFilledTwice) {
  auto tensors = state();
  tensors["conv00.weight"] = tensors["conv0.weight"];
  EXPECT_THAT(message(tensors), HasSubstr("conv1/weight (conv0.weight and conv00.weight)"));
}

TEST_F(ConvertErrors, NamesTheTensorThatDoesNotFit) {
  auto tensors = state();
  tensors["bn0.weight"] = Tensor::zeros(DType::kFloat32, {4});
  EXPECT_THAT(message(tensors), HasSubstr("bn0.weight -> conv1/norm/gain: found [4], wanted: [3]"));
  tensors["bn0.weight"] = Tensor::zeros(DType::kInt32, {3});
  EXPECT_THAT(message(tensors), HasSubstr("found int32[3], wanted: floating"));
}

TEST(WeightMap, IsReadStrictly) {
  const auto message = [](const std::string& text) { return error_of<FileError>([&] { map_of(text); }); };
  const auto with_rule = [&](const std::string& rule) {
    return message(R"({"weight_map": 1, "rules": [)" + rule + "]}");
  };
  EXPECT_THAT(message(R"({"rules": []})"), HasSubstr("weight_map"));
  EXPECT_THAT(message(R"({"weight_map": 2, "rules": []})"), HasSubstr("found 2"));
  EXPECT_THAT(with_rule(R"({"source": "a", "target": "b", "transpose": true})"), HasSubstr("transpose"));
  EXPECT_THAT(with_rule(R"({"source": "a{", "target": "b"})"), AllOf(HasSubstr("rules[0].source"), HasSubstr("brace")));
  EXPECT_THAT(with_rule(R"({"source": "a*", "target": "b"})"), HasSubstr("not allowed"));
  EXPECT_THAT(with_rule(R"({"source": "a", "target": "{b}"})"), AllOf(HasSubstr("rules[0].target"), HasSubstr("{b}")));
  EXPECT_THAT(with_rule(R"({"source": "a", "target": "b", "layout": "caffe"})"), HasSubstr("tensorflow"));
  EXPECT_THAT(with_rule(R"({"source": "a", "target": "b", "flatten": [1, 2]})"), HasSubstr("flatten"));
  EXPECT_THAT(with_rule(R"({"source": "a", "target": "b", "flatten": [1, 2, 3], "layout": "tensorflow"})"),
              HasSubstr("flatten"));
  EXPECT_THAT(message(R"({"weight_map": 1, "rules": [{"source": "a", "target": "b"}], "ignore": [3]})"),
              HasSubstr("ignore[0]"));
}

TEST(WeightMap, TakesTheFirstRuleThatFits) {
  const WeightMap map = map_of(R"({"weight_map": 1, "layout": "tensorflow", "tables": {"t": {"x": "y"}}, "rules": [
      {"source": "{a}.w", "target": "{a|t}"}, {"source": "b.w", "target": "first", "layout": "torch"},
      {"source": "{a}.w", "target": "other/{a}"}]})");
  EXPECT_EQ(map.find("x.w")->target, "y");
  EXPECT_EQ(map.find("b.w")->target, "first");
  EXPECT_EQ(map.find("b.w")->rule->relayout.source, Relayout::Source::kTorch);
  EXPECT_EQ(map.find("c.w")->target, "other/c");
  EXPECT_EQ(map.find("c.w")->rule->relayout.source, Relayout::Source::kTensorflow);
  EXPECT_FALSE(map.find("c.b"));
}

}  // namespace
}  // namespace chiasm::test
