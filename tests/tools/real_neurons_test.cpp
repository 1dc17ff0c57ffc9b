// SPDX-License-Identifier: Apache-2.0
// From weights and images to scores on recorded neurons, with the command alone, against the values of the data's
// README. Skipped where the data is not there.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

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

// SqueezeNet against 50 V4 neurons: ridge on features pooled to 7 x 7 and standardised, five splits into 512 and 128
// images. The tolerance is that of splits drawn differently: 20 of them move the medians by 0.01.
TEST(RealNeurons, SqueezenetPredictsMacaqueV4) {
  const std::string weights = shared_data("squeezenet/squeezenet_v1.0_decoded_f32.npz");
  const std::string images = shared_data("macaque_v4/images_210325.zip");
  const std::string responses = shared_data("macaque_v4/responses_raw_210325.npy");
  for (const std::string& file : {weights, images, responses}) {
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file;
  }
  const TempFolder folder;
  const std::string state = folder / "squeezenet.safetensors", features = folder / "features.h5";
  const ProcessResult converted =
      chiasm({"convert", weights, "--recipe", "squeezenet_1_0", "--map", "squeezenet_1_0", "--out", state});
  ASSERT_EQ(converted.status, 0) << converted.err;
  const ProcessResult extracted =
      chiasm({"extract", "squeezenet_1_0", "--weights", state, "--images", images, "--layers",
              "conv1,fire2,fire4,fire6,fire9", "--reduce", "pool:7", "--out", features, "--quiet"});
  ASSERT_EQ(extracted.status, 0) << extracted.err;
  const ProcessResult mapped =
      chiasm({"map", "--features", features, "--responses", responses, "--method", "ridge", "--standardise", "--alpha",
              "1:1e8:17", "--train-fraction", "0.8", "--splits", "5", "--bootstraps", "0", "--json", "--quiet"});
  ASSERT_EQ(mapped.status, 0) << mapped.err;
  const std::map<std::string, std::pair<double, double>> expected{{"conv1", {0.448, 0.535}},
                                                                  {"fire2", {0.515, 0.613}},
                                                                  {"fire4", {0.546, 0.640}},
                                                                  {"fire6", {0.582, 0.690}},
                                                                  {"fire9", {0.579, 0.682}}};
  const Json result = Json::parse(mapped.out);
  ASSERT_EQ(result["layers"].size(), expected.size());
  for (const Json& layer : result["layers"]) {
    const auto& [r, normalised] = expected.at(layer["layer"]);
    EXPECT_NEAR(layer["areas"][0]["raw"]["median"], r, 0.02) << layer["layer"];
    EXPECT_NEAR(layer["areas"][0]["normalised"]["median"], normalised, 0.02) << layer["layer"];
  }
  EXPECT_EQ(result["best"][0]["layer"], "fire6");
}

}  // namespace
}  // namespace chiasm::test
