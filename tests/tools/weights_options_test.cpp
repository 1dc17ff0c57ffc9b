// SPDX-License-Identifier: Apache-2.0
// --init of `chiasm train` and --weights of `chiasm evaluate`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/io/crc32.h"
#include "engine/io/npy.h"
#include "engine/io/safetensors.h"
#include "engine/weights.h"
#include "tests/support/file_corpus.h"
#include "tests/support/hashed.h"
#include "tests/support/process.h"
#include "tests/support/source_tree.h"

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int kSamples = 32;

// Images whose class is whether their mean is above that of the others.
class WeightsOptions : public testing::Test {
 protected:
  WeightsOptions() {
    Tensor images(Spec{DType::kFloat32, {kSamples, 4, 4, 1}}), labels(Spec{DType::kInt32, {kSamples}});
    fill_hashed(images.view(), "images", 0.1, 0.4);
    for (int i = 0; i < kSamples; ++i) {
      labels.values<std::int32_t>()[static_cast<std::size_t>(i)] = i % 2;
      for (int p = 0; p < 16; ++p) images.values<float>()[static_cast<std::size_t>(16 * i + p)] += 0.2f * (i % 2);
    }
    write_npz(folder / "data.npz", {{"images", images}, {"labels", labels}});
    write_text(recipe, R"({"chiasm": 1, "name": "means",
      "data": {"format": "npz", "path": ")" +
                           folder / "data.npz" + R"(", "train": {}, "test": {}},
      "model": {"image": [4, 4, 1], "steps": 2, "layers": [
        {"name": "conv", "pre": [{"op": "conv", "channels": 2, "kernel": 3}, {"op": "batch_norm"}, "relu"]},
        {"name": "readout", "pre": [{"op": "flatten"}, {"op": "linear", "units": 2}]}]},
      "train": {"batch": 8, "epochs": 10, "optimizer": {"type": "sgd", "momentum": 0.9}, "learning_rate": 0.05}})");
  }

  ProcessResult chiasm(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), chiasm_command());
    return run_process(arguments);
  }
  ProcessResult train(const std::string& out, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"train", recipe, "--out", folder / out, "--threads", "1", "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return chiasm(arguments);
  }
  std::string snapshot(const std::string& run, int step) const {
    return folder / (run + "/snapshots/step-" + std::to_string(step) + ".safetensors");
  }
  nlohmann::json starts(const std::string& run) const {
    return nlohmann::json::parse(read_text(folder / (run + "/environment.json"))).at("starts");
  }
  nlohmann::json evaluate(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{"evaluate", "--json", "--threads", "1"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ProcessResult result = chiasm(all);
    EXPECT_EQ(result.status, 0) << result.err;
    return nlohmann::json::parse(result.out);
  }

  TempFolder folder;
  std::string recipe = folder / "recipe.json";
};

TEST_F(WeightsOptions, ARecipeIsEvaluatedWithWeights) {
  ASSERT_EQ(train("run", {}).status, 0);
  const nlohmann::json run = evaluate({folder / "run"});
  const std::string file = run.at("snapshot");
  const nlohmann::json with = evaluate({recipe, "--weights", file});
  EXPECT_EQ(with.at("loss"), run.at("loss"));
  EXPECT_EQ(with.at("loss_by_step"), run.at("loss_by_step"));
  EXPECT_EQ(with.at("weights"), file);
  // A run with the weights of another file.
  ASSERT_EQ(train("other", {"--seed", "9", "--max-steps", "1"}).status, 0);
  EXPECT_NE(evaluate({folder / "other"}).at("loss"), run.at("loss"));
  EXPECT_EQ(evaluate({folder / "other", "--weights", file}).at("loss"), run.at("loss"));
  EXPECT_EQ(evaluate({recipe, "--weights", file, "--set", "data.test.limit=7"}).at("samples"), 7);
}

TEST_F(WeightsOptions, EvaluateSaysWhatIsMissing) {
  const auto refusal = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "evaluate");
    const ProcessResult result = chiasm(arguments);
    EXPECT_EQ(result.status, 2) << result.err;
    return result.err;
  };
  EXPECT_THAT(refusal({recipe}), HasSubstr("--weights"));
  EXPECT_THAT(refusal({recipe, "--snapshot", "x"}), HasSubstr("has no snapshots"));
  EXPECT_THAT(refusal({recipe, "--snapshot", "x", "--weights", "y"}), HasSubstr("one of them"));
  EXPECT_THAT(refusal({recipe, "--weights", folder / "none"}), HasSubstr("none"));
  std::filesystem::create_directory(folder / "empty");
  EXPECT_THAT(refusal({folder / "empty", "--weights", "y"}), HasSubstr("no recipe.json"));
  write_npz(folder / "w.npz", {{"conv/conv/weight", Tensor::zeros(DType::kFloat32, {3, 3, 1, 2})}});
  EXPECT_THAT(refusal({recipe, "--weights", folder / "w.npz"}), AllOf(HasSubstr("w.npz"), HasSubstr("conv/conv/bias")));
}

TEST_F(WeightsOptions, TrainingStartsFromInit) {
  ASSERT_EQ(train("first", {"--max-steps", "6"}).status, 0);
  const std::string init = snapshot("first", 6);
  // A rate of 0 keeps parameters at where they started; statistics move on.
  const std::vector<std::string> still{"--init", init, "--set", "train.learning_rate=0", "--max-steps", "2"};
  ASSERT_EQ(train("second", still).status, 0);
  const Safetensors before = read_safetensors(init), after = read_safetensors(snapshot("second", 2));
  int compared = 0;
  for (const auto& [name, tensor] : before.tensors) {
    if (name.starts_with("optimizer/") || name.find("running_") != std::string::npos) continue;
    ++compared;
    EXPECT_TRUE(std::ranges::equal(tensor.bytes(), after.tensors.at(name).bytes())) << name;
  }
  EXPECT_EQ(compared, 6);
  ASSERT_EQ(starts("second").size(), 1u);
  EXPECT_EQ(starts("second")[0].at("init").at("file"), init);
  char checksum[9];
  std::snprintf(checksum, sizeof checksum, "%08x", crc32_of_file(init));
  EXPECT_EQ(starts("second")[0].at("init").at("crc32"), checksum);
  EXPECT_FALSE(starts("first")[0].contains("init"));
}

// A run goes on from its own snapshot, with the file of its first start there or not.
TEST_F(WeightsOptions, ResumingDoesNotReadInit) {
  ASSERT_EQ(train("first", {"--max-steps", "6"}).status, 0);
  const std::string init = folder / "init.safetensors";
  std::filesystem::copy_file(snapshot("first", 6), init);
  ASSERT_EQ(train("whole", {"--init", init}).status, 0);
  const std::vector<std::string> often{"--set", "train.snapshot_every_steps=5"};
  ASSERT_EQ(train("parts", {"--init", init, often[0], often[1]}).status, 0);
  std::filesystem::remove(snapshot("parts", 40));
  std::filesystem::remove(init);
  ASSERT_EQ(train("parts", {"--resume", often[0], often[1]}).status, 0);
  EXPECT_EQ(starts("parts").size(), 2u);
  EXPECT_FALSE(starts("parts")[1].contains("init"));
  const Safetensors whole = read_safetensors(snapshot("whole", 40)), parts = read_safetensors(snapshot("parts", 40));
  for (const auto& [name, tensor] : whole.tensors) {
    EXPECT_TRUE(std::ranges::equal(tensor.bytes(), parts.tensors.at(name).bytes())) << name;
  }
}

TEST_F(WeightsOptions, InitOfAnotherNetworkIsRefused) {
  write_npz(folder / "w.npz", {{"conv/conv/weight", Tensor::zeros(DType::kFloat32, {5, 5, 1, 2})}});
  for (const char* dry : {"--dry-run", "--quiet"}) {
    const ProcessResult result = train("run", {"--init", folder / "w.npz", dry});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("w.npz"));
    EXPECT_FALSE(std::filesystem::exists(folder / "run"));
  }
}

}  // namespace
}  // namespace chiasm::test
