// SPDX-License-Identifier: Apache-2.0
// Sources other than labelled images: arrays with several fields, and what is drawn.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "engine/data/array_source.h"
#include "engine/data/dataset.h"
#include "engine/data/generators/generator.h"
#include "engine/data/loader.h"
#include "engine/io/npy.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"

namespace chiasm {
namespace {

using test::error_of;
using test::TempFolder;
using testing::HasSubstr;

template <class T>
Tensor counted(const Shape& shape, T step) {
  Tensor tensor(Spec{dtype_of<T>, shape});
  T value = 0;
  for (T& v : tensor.values<T>()) v = value, value = static_cast<T>(value + step);
  return tensor;
}

class ArrayFields : public testing::Test {
 protected:
  ArrayFields() {
    write_npz(path_, {{"pictures", counted<std::uint8_t>({3, 2, 2}, 1)},
                      {"depths", counted<double>({3, 2, 2, 1}, 0.5)},
                      {"rates", counted<float>({3, 4}, 1.0F)},
                      {"labels", counted<std::int32_t>({3}, 1)},
                      {"short", counted<float>({2, 4}, 1.0F)}});
  }
  TempFolder folder_;
  std::string path_ = folder_ / "fields.npz";
};

TEST_F(ArrayFields, AreFieldsOfSamples) {
  const auto source = open_array_source(
      path_,
      {{"image", {"pictures", true}}, {"depth", {"depths", true}}, {"response", {"rates"}}, {"label", {"labels"}}});
  EXPECT_EQ(source->size(), 3);
  EXPECT_EQ(field_names(source->fields()), "depth, image, label, response");
  EXPECT_EQ(source->fields().at("image"), (Field{{DType::kFloat32, {2, 2, 1}}, true}));
  EXPECT_EQ(source->fields().at("response"), (Field{{DType::kFloat32, {4}}}));
  EXPECT_THAT(source->class_names(), testing::ElementsAre("0", "1", "2"));
  Sample sample;
  source->read({.index = 2}, sample);
  const Sample& read = sample;
  EXPECT_THAT(read.image("image").bytes, testing::ElementsAre(8, 9, 10, 11));
  EXPECT_THAT(read.image("depth").values, testing::ElementsAre(4.0F, 4.5F, 5.0F, 5.5F));
  EXPECT_THAT(read.tensor("response").values<float>(), testing::ElementsAre(8, 9, 10, 11));
  EXPECT_EQ(read.tensor("label").values<std::int32_t>()[0], 2);
}

TEST_F(ArrayFields, NameWhatIsWrong) {
  const auto error = [&](const std::map<std::string, ArrayField>& fields) {
    return error_of<InputError>([&] { open_array_source(path_, fields); });
  };
  EXPECT_THAT(error({{"response", {"spikes"}}}), testing::AllOf(HasSubstr("spikes"), HasSubstr("rates")));
  EXPECT_THAT(error({{"a", {"rates"}}, {"b", {"short"}}}),
              testing::AllOf(HasSubstr("fields.npz(short)"), HasSubstr("2 samples"), HasSubstr("3")));
  EXPECT_THAT(error({{"image", {"rates", true}}}), HasSubstr("images are [samples, height, width, channels]"));
  EXPECT_THAT(error({{"image", {"labels", true}}}), HasSubstr("int32"));
}

TEST_F(ArrayFields, LimitTakesSamplesEvenlySpaced) {
  const auto source = open_source({.format = "arrays", .path = path_, .fields = {{"r", {"rates"}}}, .limit = 2});
  ASSERT_EQ(source->size(), 2);
  Sample sample;
  source->read({.index = 1}, sample);
  EXPECT_EQ(std::as_const(sample).tensor("r").values<float>()[0], 4.0F);
}

std::shared_ptr<const Source> generator(const std::string& name, const std::string& part, std::uint32_t stream = 0) {
  const Config own = Config::parse(part, "recipe"), data = Config::parse("{}", "recipe");
  auto source = make_generator(name, {own.root(), data.root(), stream});
  own.finish();
  return source;
}

TEST(AddingProblem, MarksOneNumberInEachHalfAndAsksForTheirSum) {
  const auto source = generator("adding_problem", R"({"samples": 500, "length": [6, 9]})");
  ASSERT_EQ(source->size(), 500);
  Sample made;
  const Sample& sample = made;
  std::set<std::int64_t> lengths;
  double sum = 0.0, squares = 0.0;
  for (std::int32_t index = 0; index < 500; ++index) {
    source->read({.seed = 3, .epoch = 1, .index = index}, made);
    const auto input = sample.tensor("input").values<float>(), target = sample.tensor("target").values<float>();
    const auto mask = sample.tensor("mask").values<float>();
    ASSERT_EQ(input.size(), 18U);
    const auto last = std::ranges::find(mask, 1.0F) - mask.begin();
    EXPECT_EQ(std::ranges::count(mask, 1.0F), 1);
    const std::int64_t length = last + 1;
    lengths.insert(length);
    std::vector<std::int64_t> marked;
    double expected = 0.0;
    for (std::int64_t t = 0; t < 9; ++t) {
      const float value = input[static_cast<std::size_t>(2 * t)], marker = input[static_cast<std::size_t>(2 * t + 1)];
      if (marker == 1.0F) {
        marked.push_back(t);
        expected += value;
      }
      if (t >= length) {
        EXPECT_EQ(value, 0.0F);
      }
    }
    ASSERT_EQ(marked.size(), 2U);
    EXPECT_LT(marked[0], length / 2);
    EXPECT_GE(marked[1], length / 2);
    EXPECT_LT(marked[1], length);
    EXPECT_NEAR(target[static_cast<std::size_t>(last)], expected, 1e-6);
    sum += expected;
    squares += expected * expected;
  }
  EXPECT_EQ(lengths, (std::set<std::int64_t>{6, 7, 8, 9}));
  // Of two uniform numbers: mean 1, variance 1/6.
  EXPECT_NEAR(sum / 500, 1.0, 5 * 0.41 / std::sqrt(500.0));
  EXPECT_NEAR(squares / 500 - sum / 500 * (sum / 500), 1.0 / 6.0, 0.05);
}

TEST(CopyMemory, AsksForTheSymbolsAfterTheSign) {
  const auto source = generator("copy_memory", R"({"samples": 20, "length": [3, 5], "items": 4, "symbols": 3})");
  Sample made;
  const Sample& sample = made;
  for (std::int32_t index = 0; index < 20; ++index) {
    source->read({.seed = 1, .index = index}, made);
    const auto input = sample.tensor("input").values<float>();
    const auto target = sample.tensor("target").values<std::int32_t>();
    const auto mask = sample.tensor("mask").values<float>();
    ASSERT_EQ(target.size(), 13U);
    const auto length = static_cast<std::size_t>(std::accumulate(mask.begin(), mask.end(), 0.0F));
    const std::size_t wait = length - 8;
    std::vector<int> shown;
    for (std::size_t t = 0; t < length; ++t) {
      const auto row = input.subspan(5 * t, 5);
      EXPECT_EQ(std::accumulate(row.begin(), row.end(), 0.0F), 1.0F);
      shown.push_back(static_cast<int>(std::ranges::find(row, 1.0F) - row.begin()));
    }
    for (std::size_t t = 0; t < 4; ++t) {
      EXPECT_LT(shown[t], 3);
      EXPECT_EQ(target[wait + 4 + t], shown[t]);
    }
    for (std::size_t t = 4; t < length; ++t) EXPECT_EQ(shown[t], t == 3 + wait ? 4 : 3);
    for (std::size_t t = 0; t < 4 + wait; ++t) EXPECT_EQ(target[t], 3);
  }
}

TEST(Generators, AreFunctionsOfSeedEpochIndexAndPart) {
  const char* part = R"({"samples": 4, "length": 5})";
  const auto a = generator("adding_problem", part), b = generator("adding_problem", part);
  const auto test = generator("adding_problem", part, 1);
  const auto values = [](const Source& source, SampleAddress address) {
    Sample sample;
    source.read(address, sample);
    const auto input = std::as_const(sample).tensor("input").values<float>();
    return std::vector<float>(input.begin(), input.end());
  };
  const SampleAddress address{.seed = 1, .epoch = 2, .index = 3};
  const std::vector<float> reference = values(*a, address);
  EXPECT_EQ(values(*b, address), reference);
  EXPECT_NE(values(*test, address), reference);
  EXPECT_NE(values(*a, {.seed = 2, .epoch = 2, .index = 3}), reference);
  EXPECT_NE(values(*a, {.seed = 1, .epoch = 3, .index = 3}), reference);
  EXPECT_NE(values(*a, {.seed = 1, .epoch = 2, .index = 2}), reference);
}

TEST(Generators, GiveTheSameBatchesWithAnyWorkers) {
  const auto source = generator("copy_memory", R"({"samples": 30, "length": 5})");
  Loader alone(source, {.batch_size = 7, .seed = 5, .epochs = 2, .workers = 0});
  Loader together(source, {.batch_size = 7, .seed = 5, .epochs = 2, .workers = 3});
  while (const std::optional<Batch> batch = alone.next()) {
    const std::optional<Batch> same = together.next();
    for (const auto& [name, field] : batch->fields) {
      EXPECT_TRUE(std::ranges::equal(field.bytes(), same->at(name).bytes())) << name;
    }
  }
}

TEST(Generators, NameWhatIsMissing) {
  EXPECT_THAT(error_of<InputError>([] { generator("adding_problem", R"({"samples": 4})"); }), HasSubstr("\"length\""));
  EXPECT_THAT(error_of<InputError>([] { generator("adding_problem", R"({"samples": 4, "length": 1})"); }),
              HasSubstr("length"));
  EXPECT_THAT(error_of<InputError>([] { generator("adding_problem", R"({"samples": 4, "length": [5, 3]})"); }),
              HasSubstr("length[1]"));
}

}  // namespace
}  // namespace chiasm
