// SPDX-License-Identifier: Apache-2.0
// The command with --device cuda:0: the same networks, files and messages as on the CPU.
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/cuda.h"
#include "tests/tools/quadrants.h"

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class CudaCommandTest : public QuadrantsTest {
 protected:
  nlohmann::json json_of(std::vector<std::string> arguments) const {
    const ProcessResult r = chiasm(std::move(arguments));
    EXPECT_EQ(r.status, 0) << r.err;
    return nlohmann::json::parse(r.out);
  }
};

TEST_F(CudaCommandTest, TrainsAndEvaluatesLikeTheCpu) {
  CHIASM_NEEDS_CUDA();
  ASSERT_EQ(train("cpu").status, 0);
  const ProcessResult trained = train("cuda", {"--device", "cuda:0"});
  ASSERT_EQ(trained.status, 0) << trained.err;
  const nlohmann::json environment = nlohmann::json::parse(read_text(folder / "cuda/environment.json"));
  EXPECT_EQ(environment.at("starts")[0].at("device"), "cuda:0");
  const nlohmann::json cuda = json_of({"evaluate", folder / "cuda", "--json", "--device", "cuda"});
  EXPECT_GT(cuda.at("top1").get<double>(), 0.9);
  // The same weights on the other device: rounding may move an image across the border of a class, and no more.
  const nlohmann::json cpu = json_of({"evaluate", folder / "cuda", "--json"});
  EXPECT_NEAR(cuda.at("top1").get<double>(), cpu.at("top1").get<double>(), 1.0 / 40);
  EXPECT_NEAR(cuda.at("loss").get<double>(), cpu.at("loss").get<double>(), 1e-4);
  // 48 steps from the same start, same batches and same dropout.
  const nlohmann::json other = json_of({"evaluate", folder / "cpu", "--json"});
  EXPECT_NEAR(cuda.at("loss").get<double>(), other.at("loss").get<double>(), 0.05);
}

TEST_F(CudaCommandTest, RerunsAndResumesEndWithTheSameBits) {
  CHIASM_NEEDS_CUDA();
  const std::vector<std::string> on_cuda{"--device", "cuda:0", "--deterministic"};
  ASSERT_EQ(train("a", on_cuda).status, 0);
  ASSERT_EQ(train("b", on_cuda).status, 0);
  EXPECT_EQ(snapshot("a"), snapshot("b"));
  EXPECT_EQ(read_text(folder / "a/metrics.jsonl"), read_text(folder / "b/metrics.jsonl"));
  // Interrupted after some steps, while the next batch is already on its way.
  for (int attempt = 0; attempt < 20; ++attempt) {
    std::vector<std::string> more = on_cuda;
    more.emplace_back("--resume");
    if (train("c", more, {.signal_after = std::chrono::milliseconds(150 + 60 * attempt)}).status == 0) break;
  }
  EXPECT_EQ(snapshot("c"), snapshot("a"));
}

TEST_F(CudaCommandTest, DryRunForecastsTheMemoryOfTheDevice) {
  CHIASM_NEEDS_CUDA();
  const nlohmann::json cuda = json_of({"train", recipe, "--dry-run", "--json", "--device", "cuda:0"});
  EXPECT_EQ(cuda.at("device"), "cuda:0");
  EXPECT_GT(cuda.at("device_bytes").get<std::int64_t>(), cuda.at("arena_bytes").get<std::int64_t>());
  EXPECT_GE(cuda.at("input_bytes").get<std::int64_t>(), 8 * 8 * 8 * 4);
  const nlohmann::json cpu = json_of({"train", recipe, "--dry-run", "--json"});
  EXPECT_EQ(cpu.at("device"), "cpu");
  EXPECT_EQ(cpu.at("input_bytes"), 0);
  EXPECT_EQ(cpu.at("state_bytes"), cuda.at("state_bytes"));
  EXPECT_GT(json_of({"plan", recipe, "--json", "--device", "cuda:0"}).at("peak_bytes").at("planned"), 0);
}

TEST_F(CudaCommandTest, PrecisionIsAKeyOfTheRecipe) {
  CHIASM_NEEDS_CUDA();
  const auto loss = [&](const std::string& precision) {
    const ProcessResult r = train(precision, {"--device", "cuda:0", "--set", "train.precision=" + precision, "--set",
                                              "train.log_every_steps=1", "--max-steps", "2"});
    EXPECT_EQ(r.status, 0) << r.err;
    const std::string lines = read_text(folder / (precision + "/metrics.jsonl"));
    return nlohmann::json::parse(lines.substr(0, lines.find('\n'))).at("loss").get<double>();
  };
  const double exact = loss("float32");
  // Factors are rounded to 11 and 8 significant bits.
  const double tf32 = loss("tf32"), bfloat16 = loss("bfloat16");
  EXPECT_NEAR(tf32, exact, 0x1p-8);
  EXPECT_NE(tf32, exact);
  EXPECT_NEAR(bfloat16, exact, 0x1p-5);
  EXPECT_NE(bfloat16, tf32);
}

TEST_F(CudaCommandTest, SaysWhatADeviceCannotDo) {
  const auto refusal = [&](std::vector<std::string> more) {
    const ProcessResult r = train("refused", std::move(more));
    EXPECT_EQ(r.status, 2) << r.err;
    EXPECT_FALSE(std::filesystem::exists(folder / "refused"));
    return r.err;
  };
  EXPECT_THAT(refusal({"--device", "gpu"}), AllOf(HasSubstr("gpu"), HasSubstr("allowed: cpu, cuda, cuda:N")));
  EXPECT_THAT(refusal({"--device", "cuda:77"}), HasSubstr("cuda:77"));
  EXPECT_THAT(refusal({"--set", "train.precision=bfloat16"}), HasSubstr("train.precision"));
  EXPECT_THAT(refusal({"--set", "train.precision=half"}), AllOf(HasSubstr("train.precision"), HasSubstr("tf32")));
  if (!why_no_cuda().empty()) return;
  EXPECT_THAT(refusal({"--device", "cuda:0", "--dtype", "float64"}),
              AllOf(HasSubstr("train.dtype"), HasSubstr("float64")));
}

}  // namespace
}  // namespace chiasm::test
