// SPDX-License-Identifier: Apache-2.0
// Batches of samples with several fields and views, and how they fill a program.
#include "engine/data/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "engine/data/feed.h"
#include "engine/data/loader.h"
#include "engine/ops.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"

namespace chiasm {
namespace {

using test::error_of;
using testing::HasSubstr;

// Sample i: a 4 x 4 image of its 16 pixel numbers, two numbers (i, epoch), and a whole number.
class Fielded : public Source {
 public:
  std::int64_t size() const override { return 10; }
  Fields fields() const override {
    return {{"image", {{DType::kFloat32, {4, 4, 1}}, true}},
            {"pair", {{DType::kFloat32, {2}}}},
            {"number", {{DType::kInt32, {}}}}};
  }
  void read(const SampleAddress& address, Sample& sample) const override {
    Pixels& image = sample.image("image");
    image = {.height = 4, .width = 4, .channels = 1, .values = std::vector<float>(16)};
    std::iota(image.values.begin(), image.values.end(), 0.0F);
    const std::span<float> pair = sample.tensor("pair", {DType::kFloat32, {2}}).values<float>();
    pair[0] = static_cast<float>(address.index);
    pair[1] = static_cast<float>(address.epoch);
    *sample.tensor("number", {DType::kInt32, {}}).view().as<std::int32_t>() = 7 * address.index;
  }
};

const Augmentation kFlipped{.flip_probability = 0.5};

BatchMaker maker(std::vector<ImageShow> views, std::optional<std::vector<std::string>> tensors = {}) {
  return {std::make_shared<Fielded>(), std::move(views), std::move(tensors), 3};
}

TEST(BatchMaker, PutsFieldsSideBySide) {
  const Batch batch = maker({}).make(std::vector<std::int32_t>{4, 9, 4}, 2);
  EXPECT_EQ(batch.size(), 3);
  EXPECT_EQ(batch.at("image").shape(), (Shape{3, 4, 4, 1}));
  EXPECT_THAT(batch.at("pair").values<float>(), testing::ElementsAre(4, 2, 9, 2, 4, 2));
  EXPECT_THAT(batch.at("number").values<std::int32_t>(), testing::ElementsAre(28, 63, 28));
}

TEST(BatchMaker, HoldsWhatIsAskedFor) {
  const Fields fields = maker({}, std::vector<std::string>{"number"}).fields();
  EXPECT_EQ(fields.size(), 2U);
  EXPECT_TRUE(fields.contains("image"));
  EXPECT_FALSE(fields.at("number").image);
}

// Two views of the same image: of one draw they are equal, of two they are not, and each is what it is alone.
TEST(BatchMaker, ViewsDrawTheirOwnNumbers) {
  const std::vector<std::int32_t> indices{0, 1, 2, 3, 4, 5, 6, 7};
  const auto view = [](const char* name, std::uint32_t draw) {
    return ImageShow{.as = name, .augmentation = kFlipped, .draw = draw};
  };
  const Batch both = maker({view("a", 0), view("b", 1), view("c", 0)}).make(indices, 1);
  const Batch alone = maker({view("b", 1)}).make(indices, 1);
  EXPECT_TRUE(std::ranges::equal(both.at("a").bytes(), both.at("c").bytes()));
  EXPECT_FALSE(std::ranges::equal(both.at("a").bytes(), both.at("b").bytes()));
  EXPECT_TRUE(std::ranges::equal(both.at("b").bytes(), alone.at("b").bytes()));
}

TEST(BatchMaker, NamesWhatTheDataLacks) {
  EXPECT_THAT(error_of<InputError>([] { maker({}, std::vector<std::string>{"depth"}); }),
              testing::AllOf(HasSubstr("no field \"depth\""), HasSubstr("image, number, pair")));
  EXPECT_THAT(error_of<InputError>([] { maker({{.field = "pair"}}); }), HasSubstr("\"pair\" of the data is no image"));
  EXPECT_THAT(error_of<InputError>([] { maker({}, std::vector<std::string>{"image"}); }), HasSubstr("show it as a view"));
  EXPECT_THAT(error_of<InputError>([] { maker({{.as = "x"}, {.as = "x"}}); }), HasSubstr("two fields are called \"x\""));
}

TEST(Loader, GivesEveryFieldOfASource) {
  Loader loader(std::make_shared<Fielded>(), {.batch_size = 4, .shuffle = false, .epochs = 2, .workers = 2});
  std::vector<float> epochs;
  while (const std::optional<Batch> batch = loader.next()) epochs.push_back(batch->at("pair").values<float>()[1]);
  EXPECT_THAT(epochs, testing::ElementsAre(0, 0, 0, 1, 1, 1));
}

TEST(Feed, FillsInputsByNameAndRepeatsTheLastSample) {
  Graph graph;
  const Value pair = graph.input("pair", {DType::kFloat64, {4, 2}});
  graph.input("number", {DType::kInt32, {4}});
  graph.output("doubled", affine(pair, 2.0, 0.0));
  Program program(graph, {.threads = 1});
  feed(program, maker({}).make(std::vector<std::int32_t>{5, 6, 8}, 0));
  program.run_compute();
  const View doubled = program.output("doubled");
  EXPECT_THAT(std::vector<double>(doubled.as<double>(), doubled.as<double>() + 8),
              testing::ElementsAre(10, 0, 12, 0, 16, 0, 16, 0));
  const std::int32_t* number = program.input("number").as<std::int32_t>();
  EXPECT_THAT(std::vector<std::int32_t>(number, number + 4), testing::ElementsAre(35, 42, 56, 56));
}

TEST(Feed, RefusesOtherShapesAndTypes) {
  Graph graph;
  graph.output("x", affine(graph.input("pair", {DType::kFloat32, {2, 3}}), 1.0, 0.0));
  Program program(graph, {.threads = 1});
  EXPECT_THAT(error_of<ShapeError>([&] { feed(program, maker({}).make(std::vector<std::int32_t>{1}, 0)); }),
              HasSubstr("pair"));
  Graph other;
  other.output("x", affine(other.input("number", {DType::kFloat32, {2}}), 1.0, 0.0));
  Program floating(other, {.threads = 1});
  EXPECT_THAT(error_of<ShapeError>([&] { feed(floating, maker({}).make(std::vector<std::int32_t>{1}, 0)); }),
              HasSubstr("int32"));
}

}  // namespace
}  // namespace chiasm
