// SPDX-License-Identifier: Apache-2.0
// SqueezeNet against monkey and human IT: 92 images of objects (Kriegeskorte et al. 2008), skipped where they are
// absent. The same by hand, from weights to a table of Spearman's correlations:
//   chiasm convert squeezenet_v1.0_decoded_f32.npz --recipe squeezenet_1_0 --map squeezenet_1_0 --out
//   weights.safetensors chiasm extract squeezenet_1_0 --weights weights.safetensors --images
//   stimuli_92x175x175x3_u8.npy
//       --layers conv1,fire2,fire4,fire6,fire8,fire9 --out features.h5
//   chiasm rsa --features features.h5 --rdm mIT_674neurons_rdm_4186.npy --rdm hIT_316vx_rdm_4186.npy
//       --comparison spearman
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/io/npy.h"
#include "tests/support/file_corpus.h"
#include "tests/support/process.h"
#include "tests/support/source_tree.h"

namespace chiasm::test {
namespace {

using Json = nlohmann::json;

ProcessResult chiasm(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), chiasm_command());
  return run_process(arguments);
}

std::string data(const std::string& name) { return shared_data("macaque_it92/" + name); }

// Rows of [images, rows, columns, channels] resized to `to`, bilinear, pixel centres at i + 1/2, rounded to 8 bits. The
// published values rest on pixels that an image library rounded after each of two passes; chiasm itself does not round,
// which moves the similarities by up to 0.0004.
Tensor resized_rows(const Tensor& images, std::int64_t to) {
  const Shape& from = images.shape();
  Tensor result(Spec{DType::kUInt8, {from[0], to, from[2], from[3]}});
  const std::int64_t row = from[2] * from[3];
  const double step = static_cast<double>(from[1]) / static_cast<double>(to);
  for (std::int64_t n = 0; n < from[0]; ++n) {
    for (std::int64_t i = 0; i < to; ++i) {
      const double place =
          std::clamp((static_cast<double>(i) + 0.5) * step - 0.5, 0.0, static_cast<double>(from[1] - 1));
      const auto first = static_cast<std::int64_t>(place);
      const double weight = place - static_cast<double>(first);
      const std::uint8_t* above = images.values<std::uint8_t>().data() + (n * from[1] + first) * row;
      const std::uint8_t* below = first + 1 < from[1] ? above + row : above;
      std::uint8_t* out = result.values<std::uint8_t>().data() + (n * to + i) * row;
      for (std::int64_t k = 0; k < row; ++k) {
        out[k] = static_cast<std::uint8_t>(std::floor((1.0 - weight) * above[k] + weight * below[k] + 0.5));
      }
    }
  }
  return result;
}

Tensor with_axes_exchanged(const Tensor& images) {
  const Shape& from = images.shape();
  Tensor result(Spec{DType::kUInt8, {from[0], from[2], from[1], from[3]}});
  for (std::int64_t n = 0; n < from[0]; ++n) {
    for (std::int64_t i = 0; i < from[1]; ++i) {
      for (std::int64_t j = 0; j < from[2]; ++j) {
        const auto source = images.values<std::uint8_t>().begin() + ((n * from[1] + i) * from[2] + j) * from[3];
        std::copy_n(source, from[3],
                    result.values<std::uint8_t>().begin() + ((n * from[2] + j) * from[1] + i) * from[3]);
      }
    }
  }
  return result;
}

TEST(ObjectImages, SqueezeNetHasTheExpectedSimilarityToIt) {
  const std::string weights = shared_data("squeezenet/squeezenet_v1.0_decoded_f32.npz");
  const std::string stimuli = data("stimuli_92x175x175x3_u8.npy");
  for (const std::string& file : {weights, stimuli}) {
    if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not there";
  }
  const std::string recipe = source_folder() + "/models/recipes/squeezenet_1_0.json";
  const TempFolder folder;
  ASSERT_EQ(chiasm({"convert", weights, "--recipe", recipe, "--map", "squeezenet_1_0", "--out", folder / "w"}).status,
            0);
  // Columns first, then rows.
  const Tensor columns = with_axes_exchanged(resized_rows(with_axes_exchanged(read_npy(stimuli)), 227));
  write_npy(folder / "images.npy", resized_rows(columns, 227));
  const ProcessResult extracted =
      chiasm({"extract", recipe, "--weights", folder / "w", "--images", folder / "images.npy", "--layers",
              "fire6,fire8,fire9", "--out", folder / "features.h5", "--quiet"});
  ASSERT_EQ(extracted.status, 0) << extracted.err;
  const ProcessResult compared =
      chiasm({"rsa", "--features", folder / "features.h5", "--rdm", data("mIT_674neurons_rdm_4186.npy"), "--rdm",
              data("hIT_316vx_rdm_4186.npy"), "--comparison", "spearman", "--json", "--quiet"});
  ASSERT_EQ(compared.status, 0) << compared.err;
  const Json result = Json::parse(compared.out);
  // Given to three decimals.
  const double expected[2][3] = {{.347, .394, .403}, {.226, .288, .307}};
  for (std::size_t brain = 0; brain < 2; ++brain) {
    ASSERT_EQ(result["references"][brain]["layers"].size(), 3u);
    for (std::size_t layer = 0; layer < 3; ++layer) {
      EXPECT_NEAR(result["references"][brain]["layers"][layer]["similarity"].get<double>(), expected[brain][layer],
                  5.1e-4)
          << brain << ", layer " << layer;
    }
  }
}

}  // namespace
}  // namespace chiasm::test
