// SPDX-License-Identifier: Apache-2.0
#include "engine/convert/relayout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "kernels/error.h"
#include "tests/support/file_corpus.h"

namespace chiasm::test {
namespace {

using testing::HasSubstr;
using Source = Relayout::Source;

// 0, 1, 2, ...: a value says where it came from.
Tensor counting(const Shape& shape, DType dtype = DType::kFloat32) {
  Tensor tensor(Spec{dtype, shape});
  visit_any(dtype, [&]<class T>() { std::iota(tensor.values<T>().begin(), tensor.values<T>().end(), T{0}); });
  return tensor;
}

std::vector<float> applied(const Relayout& relayout, const Shape& from, const Shape& to) {
  const Tensor result = relayout.apply(counting(from), Spec{DType::kFloat32, to});
  EXPECT_EQ(result.shape(), to);
  return {result.values<float>().begin(), result.values<float>().end()};
}

// Expects to[h, w, i, o] = from[o, i, h, w] = ((o I + i) H + h) W + w, with input channels read in either direction.
void expect_kernel(const std::vector<float>& values, int outputs, int inputs, int height, int width, bool reversed) {
  std::size_t at = 0;
  for (int h = 0; h < height; ++h) {
    for (int w = 0; w < width; ++w) {
      for (int i = 0; i < inputs; ++i) {
        for (int o = 0; o < outputs; ++o) {
          const int channel = reversed ? inputs - 1 - i : i;
          ASSERT_EQ(values[at++], static_cast<float>(((o * inputs + channel) * height + h) * width + w));
        }
      }
    }
  }
  EXPECT_EQ(at, values.size());
}

TEST(Relayout, KernelsOfTorch) {
  expect_kernel(applied({}, {5, 3, 2, 4}, {2, 4, 3, 5}), 5, 3, 2, 4, false);
  expect_kernel(applied({.reverse_input_channels = true}, {5, 3, 2, 4}, {2, 4, 3, 5}), 5, 3, 2, 4, true);
  expect_kernel(applied({}, {5, 1, 3, 3}, {3, 3, 1, 5}), 5, 1, 3, 3, false);  // depthwise
}

TEST(Relayout, MatricesOfTorch) {
  EXPECT_EQ(applied({}, {2, 3}, {3, 2}), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(applied({}, {2, 3}, {1, 1, 3, 2}), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  // The same order of values as a kernel over the whole image.
  for (const Shape& to : {Shape{24, 5}, Shape{2, 4, 3, 5}}) {
    expect_kernel(applied({.flattened = Shape{3, 2, 4}}, {5, 24}, to), 5, 3, 2, 4, false);
    expect_kernel(applied({.reverse_input_channels = true, .flattened = Shape{3, 2, 4}}, {5, 24}, to), 5, 3, 2, 4,
                  true);
    expect_kernel(applied({}, {5, 3, 2, 4}, to), 5, 3, 2, 4, false);
  }
}

TEST(Relayout, TensorflowNeedsNoReordering) {
  const Relayout plain{.source = Source::kTensorflow};
  std::vector<float> same(24);
  std::iota(same.begin(), same.end(), 0.0f);
  EXPECT_EQ(applied(plain, {2, 2, 3, 2}, {2, 2, 3, 2}), same);
  EXPECT_EQ(applied(plain, {4, 6}, {4, 6}), same);
  EXPECT_EQ(applied(plain, {2, 2, 6, 1}, {2, 2, 1, 6}), same);
  EXPECT_EQ(applied({.source = Source::kTensorflow, .reverse_input_channels = true}, {1, 1, 3, 2}, {1, 1, 3, 2}),
            (std::vector<float>{4, 5, 2, 3, 0, 1}));
}

TEST(Relayout, VectorsStayAsTheyAre) {
  EXPECT_EQ(applied({}, {3}, {3}), (std::vector<float>{0, 1, 2}));
  EXPECT_EQ(applied({}, {}, {}), (std::vector<float>{0}));
}

TEST(Relayout, ConvertsFloatingTypes) {
  const Tensor wide = Relayout{}.apply(counting({2, 2}), Spec{DType::kFloat64, {2, 2}});
  EXPECT_EQ(wide.values<double>()[1], 2.0);
  const Tensor narrow = Relayout{}.apply(counting({2, 2}, DType::kFloat64), Spec{DType::kFloat32, {2, 2}});
  EXPECT_EQ(narrow.values<float>()[1], 2.0f);
  EXPECT_THROW(Relayout{}.apply(counting({2}, DType::kInt32), Spec{DType::kFloat32, {2}}), InputError);
}

TEST(Relayout, RefusesOtherShapes) {
  const auto message = [](const Relayout& relayout, const Shape& from, const Shape& to) {
    return error_of<InputError>([&] { applied(relayout, from, to); });
  };
  EXPECT_THAT(message({}, {5, 3, 2, 4}, {4, 2, 3, 5}),
              HasSubstr("found [5, 3, 2, 4], which becomes [2, 4, 3, 5], wanted: [4, 2, 3, 5]"));
  EXPECT_THAT(message({}, {2, 3}, {2, 3}), HasSubstr("becomes [3, 2]"));
  EXPECT_THAT(message({}, {3}, {4}), HasSubstr("found [3], wanted: [4]"));
  EXPECT_THAT(message({.flattened = Shape{3, 2, 2}}, {5, 13}, {12, 5}), HasSubstr("[outputs, 12]"));
  EXPECT_THAT(message({.flattened = Shape{3, 2, 2}}, {12}, {12}), HasSubstr("[outputs, 12]"));
  EXPECT_THAT(message({.reverse_input_channels = true}, {3}, {3}), HasSubstr("reverse_input_channels"));
  EXPECT_THAT(message({}, {5, 12}, {2, 2, 3, 5}), HasSubstr("wanted: [2, 2, 3, 5]"));  // C, H, W or H, W, C?
}

}  // namespace
}  // namespace chiasm::test
