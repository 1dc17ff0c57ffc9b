// SPDX-License-Identifier: Apache-2.0
#include "engine/data/resize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/data/image_view.h"
#include "tests/support/golden.h"
#include "tests/support/hashed.h"
#include "tests/support/source_tree.h"

namespace chiasm {
namespace {

std::vector<float> as_floats(const Pixels& image) {
  std::vector<float> values(static_cast<std::size_t>(image.count()));
  copy_values(image, values);
  return values;
}

// Against PyTorch's antialiased bilinear interpolation, growing, shrinking and mixed.
TEST(Resize, AgreesWithPyTorch) {
  const test::Golden golden("resize_bilinear");
  for (const char* name : {"same", "grow", "shrink", "mixed", "to_one", "from_one"}) {
    const Tensor& in = golden.at(std::string(name) + "/in0");
    const Tensor& expected = golden.at(std::string(name) + "/out0");
    const auto narrow = [](const Tensor& tensor) {
      return std::vector<float>(tensor.values<double>().begin(), tensor.values<double>().end());
    };
    const Shape& from = in.shape();
    const Pixels image{.height = from[0], .width = from[1], .channels = from[2], .values = narrow(in)};
    const ImageSize to{expected.shape()[0], expected.shape()[1]};
    const Pixels out = resize(image, {0, 0, from[0], from[1]}, to, Interpolation::kBilinear);
    // Values below 4 in magnitude; two roundings to float32 here, a float32 computation of about 10 terms there.
    EXPECT_THAT(out.values, testing::Pointwise(testing::FloatNear(4e-6F), narrow(expected))) << name;
  }
}

struct Case {
  const char* name;
  ImageBox box;
  ImageSize to;
};
constexpr Case kCases[] = {
    {"shrink", {5, 3, 90, 120}, {9, 11}}, {"grow", {30, 40, 7, 9}, {12, 13}}, {"squeeze", {0, 0, 96, 128}, {130, 10}}};

// Of a photograph, against the library that each is named after (tests/oracles/image_pipeline.py).
TEST(Resize, AgreesWithEachLibraryOnAPhotograph) {
  const test::Golden golden("image_pipeline");
  const Pixels photo = pixels_of(read_image(test::source_folder() + "/tests/data/photograph.png"));
  for (const std::string& method : interpolation_names()) {
    for (const Case& c : kCases) {
      const std::string name = std::string(c.name) + "/" + method;
      const Pixels out = resize(photo, c.box, c.to, interpolation_of(method));
      const bool bytes = method.starts_with("pillow");
      ASSERT_EQ(out.is_bytes(), bytes);
      const std::vector<double> values = bytes ? std::vector<double>(out.bytes.begin(), out.bytes.end())
                                               : std::vector<double>(out.values.begin(), out.values.end());
      const Tensor& row = golden.at(name + "/row");
      const std::int64_t begin = c.to.height / 2 * row.elements();
      // Bytes are the same. Numbers below 2: sums of up to 200 float32 terms there, of doubles here.
      const double tolerance = bytes ? 0.0 : 2.0 * std::numeric_limits<float>::epsilon() * std::sqrt(200.0);
      for (std::int64_t i = 0; i < row.elements(); ++i) {
        ASSERT_NEAR(values[static_cast<std::size_t>(begin + i)], row.values<double>()[static_cast<std::size_t>(i)],
                    tolerance)
            << name << " " << i;
      }
      const Tensor all = Tensor::of<double>({std::ssize(values)}, values);
      const test::Sketch sketch = test::sketch(all.view(), name);
      const auto expected = golden.at(name + "/sketch").values<double>();
      // Independent errors of the elements, and of the sums of what are here bytes.
      const double total = std::sqrt(static_cast<double>(values.size())) * tolerance + 1e-12 * expected[1];
      EXPECT_NEAR(sketch.product, expected[0], total) << name;
      EXPECT_NEAR(sketch.norm, expected[1], total) << name;
    }
  }
}

// A part of what is asked for is that part, to the bit.
TEST(Resize, GivesAWindow) {
  const Pixels photo = pixels_of(read_image(test::source_folder() + "/tests/data/photograph.png"));
  for (const std::string& method : interpolation_names()) {
    for (const ImageSize size :
         {ImageSize{40, 50}, ImageSize{96, 50}, ImageSize{40, 128}, ImageSize{96, 128}, ImageSize{200, 300}}) {
      const ImageBox window{7, 9, 21, 30};
      const Interpolation interpolation = interpolation_of(method);
      const ImageBox whole{.height = 96, .width = 128};
      const Pixels part = resize(photo, whole, size, window, interpolation);
      const Pixels all = resize(photo, whole, size, interpolation);
      EXPECT_EQ(as_floats(part), as_floats(resize(all, window, {21, 30}, interpolation))) << method << size.height;
    }
  }
}

TEST(Resize, ReadsOnlyTheBox) {
  Pixels in{.height = 5, .width = 6, .channels = 2, .values = std::vector<float>(60, std::nanf(""))};
  for (const std::size_t y : {1, 2}) {
    for (std::size_t x = 2; x < 5; ++x) in.values[(y * 6 + x) * 2] = in.values[(y * 6 + x) * 2 + 1] = 3;
  }
  for (const std::string& method : interpolation_names()) {
    const Pixels out = resize(in, {1, 2, 2, 3}, {4, 4}, interpolation_of(method));
    EXPECT_THAT(out.values, testing::Each(testing::FloatNear(3, 1e-6F))) << method;
  }
}

TEST(ImageView, CentresTheBox) {
  EXPECT_EQ(centred_box({10, 20}, {1, 1}), (ImageBox{0, 5, 10, 10}));
  EXPECT_EQ(centred_box({20, 10}, {1, 1}), (ImageBox{5, 0, 10, 10}));
  EXPECT_EQ(centred_box({9, 9}, {2, 1}), (ImageBox{0, 2, 9, 4}));
  EXPECT_EQ(centred_box({1, 1000}, {1000, 1}), (ImageBox{0, 499, 1, 1}));
}

// spec/mouse_vision.md 1: 918 x 1174, Resize 256 gives 256 x 327, and the crop of 224 begins at row 16, column 52.
TEST(ImageView, ResizesTheShorterSideAndCropsTheMiddle) {
  const ImageView mouse{.resize = 256, .crop = 224};
  EXPECT_EQ(mouse.resized({918, 1174}), (ImageSize{256, 327}));
  EXPECT_EQ(mouse.resized({1174, 918}), (ImageSize{327, 256}));
  EXPECT_EQ(mouse.middle({256, 327}, {64, 64}), (ImageBox{16, 52, 224, 224}));
  EXPECT_EQ((ImageView{.resize = 64}.resized({918, 1174})), (ImageSize{64, 81}));
  EXPECT_EQ((ImageView{.resize = 64}.middle({64, 81}, {64, 81})), (ImageBox{0, 0, 64, 81}));
  EXPECT_EQ((ImageView{.crop = 32}.middle({20, 40}, {64, 64})), (ImageBox{0, 10, 20, 20}));
  // spec/convrnn.md 7.3: a side of floor(0.875 * 333) = 291, offsets floor((333 - 291 + 1) / 2) and of 500 likewise.
  EXPECT_EQ((ImageView{.fraction = 0.875}.middle({333, 500}, {224, 224})), (ImageBox{21, 105, 291, 291}));
  EXPECT_EQ((ImageView{.fraction = 0.875, .whole_aspect = true}.middle({333, 500}, {299, 299})),
            (ImageBox{20, 31, 293, 438}));
}

}  // namespace
}  // namespace chiasm
