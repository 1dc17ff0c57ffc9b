// SPDX-License-Identifier: Apache-2.0
// The chiasm command from the outside: training, killing, resuming, evaluating, and what it says about wrong input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <sstream>

#include "tests/support/file_corpus.h"
#include "tests/support/process.h"
#include "tests/tools/quadrants.h"
#include "tools/terminal/interrupt.h"

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using CommandTest = QuadrantsTest;

TEST_F(CommandTest, TrainsEvaluatesAndReports) {
  const ProcessResult trained = train("run");
  ASSERT_EQ(trained.status, 0) << trained.err;
  for (const char* file : {"recipe.json", "environment.json", "metrics.jsonl", "report.html"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / ("run/" + std::string(file)))) << file;
  }
  EXPECT_THAT(read_text(folder / "run/report.html"), AllOf(HasSubstr("<svg"), HasSubstr("quadrants")));
  const ProcessResult evaluated = chiasm({"evaluate", folder / "run", "--json"});
  ASSERT_EQ(evaluated.status, 0) << evaluated.err;
  const nlohmann::json json = nlohmann::json::parse(evaluated.out);
  EXPECT_EQ(json.at("samples"), 40);
  EXPECT_GT(json.at("top1").get<double>(), 0.9);
  EXPECT_LT(json.at("loss").get<double>(), 0.5);
  EXPECT_EQ(json.at("top1_by_step").size(), 5u);
  // The network sees the image from step 2 on; before that every image gets the same answer.
  EXPECT_LT(json.at("top1_by_step")[0].get<double>(), 0.6);
}

TEST_F(CommandTest, EvaluateShowsImagesAndDecidesInOtherWays) {
  ASSERT_EQ(train("run").status, 0);
  const auto evaluate = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"evaluate", folder / "run", "--json"});
    const ProcessResult r = chiasm(more);
    EXPECT_EQ(r.status, 0) << r.err;
    return nlohmann::json::parse(r.out);
  };
  const nlohmann::json last = evaluate({});
  EXPECT_EQ(last.at("decoder"), "last");
  EXPECT_EQ(last.at("decided_by_step"), nlohmann::json::parse("[0, 0, 0, 0, 1]"));
  EXPECT_EQ(last.at("top1"), last.at("top1_by_step").back());

  const nlohmann::json early = evaluate({"--steps", "9", "--image-off", "4", "--decoder", "threshold"});
  const auto decided = early.at("decided_by_step").get<std::vector<double>>();
  ASSERT_EQ(decided.size(), 9u);
  EXPECT_NEAR(std::accumulate(decided.begin(), decided.end(), 0.0), 1.0, 1e-9);
  // The image reaches the readout at step 2, and decisions begin one later.
  EXPECT_EQ(decided[0] + decided[1] + decided[2], 0.0);
  EXPECT_GT(decided[3] + decided[4], 0.5);
  EXPECT_GT(early.at("top1").get<double>(), 0.9);
  EXPECT_LT(early.at("loss").get<double>(), 0.5);
  // What the image shown for longer or shorter cannot have changed yet is the same.
  EXPECT_EQ(early.at("top1_by_step")[4], last.at("top1_by_step")[4]);

  EXPECT_EQ(evaluate({"--steps", "minimal"}).at("top1_by_step").size(), 4u);
  EXPECT_EQ(chiasm({"evaluate", folder / "run", "--decoder", "first"}).status, 2);
  EXPECT_EQ(chiasm({"evaluate", folder / "run", "--steps", "2"}).status, 2);
}

TEST_F(CommandTest, SameSeedSameBits) {
  ASSERT_EQ(train("a").status, 0);
  ASSERT_EQ(train("b").status, 0);
  EXPECT_EQ(snapshot("a"), snapshot("b"));
  EXPECT_EQ(read_text(folder / "a/metrics.jsonl"), read_text(folder / "b/metrics.jsonl"));
  ASSERT_EQ(train("c", {"--seed", "4"}).status, 0);
  EXPECT_NE(snapshot("a"), snapshot("c"));
}

TEST_F(CommandTest, DeterministicModeDoesNotDependOnThreads) {
  ASSERT_EQ(train("a", {"--deterministic", "--threads", "1"}).status, 0);
  ASSERT_EQ(train("b", {"--deterministic", "--threads", "2"}).status, 0);
  EXPECT_EQ(snapshot("a"), snapshot("b"));
}

// float32 products do not go through OpenBLAS, whose kernels depend on what it knows of the processor.
TEST_F(CommandTest, BitsDoNotDependOnOpenblasKernels) {
  for (const auto& [core, run] : {std::pair{"Prescott", "a"}, {"Nehalem", "b"}}) {
    const ScopedVariable variable("OPENBLAS_CORETYPE", core);
    ASSERT_EQ(train(run).status, 0);
  }
  EXPECT_EQ(snapshot("a"), snapshot("b"));
}

TEST_F(CommandTest, TrainsOnTheReferencePath) {
  ASSERT_EQ(train("run", {"--dtype", "float64", "--max-steps", "3"}).status, 0);
  ASSERT_EQ(train("single", {"--max-steps", "3"}).status, 0);
  const auto loss = [&](const std::string& run) {
    std::istringstream lines(read_text(folder / (run + "/metrics.jsonl")));
    std::string first;
    std::getline(lines, first);
    return nlohmann::json::parse(first).at("loss").get<double>();
  };
  // The initial weights are the float64 draws, rounded; so are the images.
  EXPECT_NEAR(loss("run"), loss("single"), 1e-5);
}

// Killed at several moments of the same run, resumed each time, and killed again: the end is that of a run left alone.
TEST_F(CommandTest, KilledAndResumedEndsWithTheSameBits) {
  ASSERT_EQ(train("whole").status, 0);
  int killed = 0;
  for (int attempt = 0; attempt < 40; ++attempt) {
    const auto moment = std::chrono::milliseconds(30 + 17 * attempt % 90);
    const ProcessResult result = train("broken", {"--resume"}, {.signal_after = moment});
    if (result.status == 0) break;
    ASSERT_EQ(result.status, 128 + 9) << result.err;
    ++killed;
    if (attempt > 4) {
      ASSERT_EQ(train("broken", {"--resume"}).status, 0);
      break;
    }
  }
  EXPECT_GT(killed, 0);
  EXPECT_EQ(snapshot("broken"), snapshot("whole"));
  EXPECT_EQ(read_text(folder / "broken/metrics.jsonl"), read_text(folder / "whole/metrics.jsonl"));
}

TEST_F(CommandTest, InterruptLeavesACleanSnapshot) {
  ASSERT_EQ(train("whole").status, 0);
  // Long enough that the signal comes while it trains.
  const ProcessResult stopped =
      train("stopped", {"--set", "train.epochs=4000"}, {.signal_after = std::chrono::milliseconds(700), .signal = 2});
  EXPECT_EQ(stopped.status, 130) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("--resume"));
  EXPECT_FALSE(std::filesystem::is_empty(folder / "stopped/snapshots"));
  EXPECT_EQ(chiasm({"evaluate", folder / "stopped", "--json"}).status, 0);
}

TEST_F(CommandTest, SaysWhatALearningRateMayBe) {
  const ProcessResult result = chiasm({"train", recipe, "--dry-run", "--set", "train.learning_rate=nan"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("\"nan\""), HasSubstr("a number of 0 or more, or an object")));
}

TEST_F(CommandTest, APlanOfManyStepsFitsTheLine) {
  const ProcessResult result = chiasm({"plan", recipe, "--steps", "130"});
  ASSERT_EQ(result.status, 0) << result.err;
  std::istringstream lines(result.out);
  int headings = 0;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80U) << line;
    headings += line.starts_with("step");
  }
  EXPECT_EQ(headings, 2);
  EXPECT_THAT(result.out, HasSubstr("7         8         9         10        11        12"));
}

// A run that was finished goes on to where a longer one ends.
TEST_F(CommandTest, AFinishedRunGoesOn) {
  ASSERT_EQ(train("whole", {"--max-steps", "12"}).status, 0);
  ASSERT_EQ(train("longer", {"--max-steps", "5"}).status, 0);
  const ProcessResult more = train("longer", {"--resume", "--max-steps", "12"});
  ASSERT_EQ(more.status, 0) << more.err;
  EXPECT_THAT(more.err, HasSubstr("going on from step 5 to 12"));
  EXPECT_EQ(snapshot("longer", 12), snapshot("whole", 12));
  EXPECT_EQ(read_text(folder / "longer/recipe.json"), read_text(folder / "whole/recipe.json"));
  const ProcessResult back = train("longer", {"--resume", "--max-steps", "7"});
  EXPECT_EQ(back.status, 2);
  EXPECT_THAT(back.err, HasSubstr("is at step 12 already, beyond the 7 steps"));
  const ProcessResult other = train("longer", {"--resume", "--max-steps", "20", "--set", "train.batch=4"});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("another recipe"));
  EXPECT_EQ(train("longer", {"--resume", "--max-steps", "12"}).status, 0);
  ASSERT_EQ(train("longer", {"--resume", "--max-steps", "0", "--epochs", "2"}).status, 0);
}

TEST_F(CommandTest, ADryRunNeedsNoData) {
  const std::vector<std::string> no_data{
      "train", recipe, "--dry-run", "--set", "data.path=/none", "--set", "data.train.path=/none", "--json"};
  const ProcessResult result = chiasm(no_data);
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("/none is not there: random images stand in"));
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("data"), "random");
  EXPECT_TRUE(json.at("steps").is_null());
  EXPECT_GT(json.at("seconds_per_step").get<double>(), 0.0);
}

// The terminal goes away: a snapshot, from which the run goes on to the same bits.
TEST_F(CommandTest, AHangUpLeavesACleanSnapshot) {
  ASSERT_EQ(train("whole").status, 0);
  int stopped = 0;
  for (int attempt = 0; attempt < 40 && stopped == 0; ++attempt) {
    std::filesystem::remove_all(folder / "broken");
    const ProcessResult result =
        train("broken", {}, {.signal_after = std::chrono::milliseconds(60 + 15 * attempt), .signal = 1});
    stopped += result.status == 130;
    ASSERT_TRUE(result.status == 0 || result.status == 130 || result.status == 128 + 1) << result.status << result.err;
    if (result.status != 130) continue;
    EXPECT_FALSE(std::filesystem::is_empty(folder / "broken/snapshots"));
    ASSERT_EQ(train("broken", {"--resume"}).status, 0);
    EXPECT_EQ(snapshot("broken"), snapshot("whole"));
  }
  EXPECT_GT(stopped, 0);
}

// Who read it, such as tee, goes with the terminal.
TEST_F(CommandTest, TrainingOutlivesTheReaderOfItsOutput) {
  ASSERT_EQ(train("whole").status, 0);
  const auto shell = [&](const std::string& out, const std::string& more) {
    return run_process({"/bin/sh", "-c",
                        "{ " + chiasm_command() + " train " + recipe + " --threads 2 --out " + (folder / out) + more +
                            "; echo $? > " + (folder / "status") + "; } 2>&1 | head -c 1 > /dev/null"});
  };
  ASSERT_EQ(shell("broken", "").status, 0);
  EXPECT_EQ(read_text(folder / "status"), "0\n");
  EXPECT_TRUE(snapshot("broken") == snapshot("whole"));
  const std::string hang_up = " --set train.epochs=100000 & p=$!; sleep 1; kill -HUP $p; wait $p";
  ASSERT_EQ(shell("stopped", hang_up).status, 0);
  EXPECT_EQ(read_text(folder / "status"), "130\n");
  EXPECT_FALSE(std::filesystem::is_empty(folder / "stopped/snapshots"));
}

// The terminal says it, and then its shell does.
TEST(InterruptGuard, TakesARepeatedHangUpForOne) {
  const auto hang_up_twice = [] {
    std::signal(SIGHUP, SIG_DFL);
    const InterruptGuard interrupt;
    std::raise(SIGHUP);
    std::raise(SIGHUP);
    std::exit(interrupt.requested() ? 7 : 8);
  };
  EXPECT_EXIT(hang_up_twice(), testing::ExitedWithCode(7), "");
}

TEST_F(CommandTest, AResultThatCannotBePrintedIsAFailure) {
  ASSERT_EQ(train("run").status, 0);
  const ProcessResult result =
      run_process({"/bin/sh", "-c", chiasm_command() + " evaluate " + (folder / "run") + " --json > /dev/full"});
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_THAT(result.err, HasSubstr("cannot write"));
}

TEST_F(CommandTest, AFullDiskKeepsTheLastSnapshot) {
  ASSERT_EQ(train("run", {"--max-steps", "5"}).status, 0);
  const std::string kept = snapshot("run", 5);
  // Snapshots are larger than this, everything else is smaller.
  const ProcessResult full = train("other", {}, {.file_size_limit = 4096});
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.err, AllOf(HasSubstr("step-5.safetensors"), HasSubstr("File too large"))) << full.err;
  EXPECT_EQ(snapshot("run", 5), kept);
  for (const auto& entry : std::filesystem::directory_iterator(folder / "other/snapshots")) {
    ADD_FAILURE() << "left behind: " << entry.path();
  }
}

TEST_F(CommandTest, DivergenceNamesTheNodeAndKeepsTheSnapshot) {
  const ProcessResult result =
      train("run", {"--set", "train.learning_rate=1e30", "--set", "train.snapshot_every_steps=1"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("training stopped at step"), HasSubstr("not finite"), HasSubstr("snapshots")));
  EXPECT_FALSE(std::filesystem::is_empty(folder / "run/snapshots"));
}

struct Wrong {
  const char* name;
  std::vector<std::string> overrides;
  std::vector<std::string> says;
};
void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.name; }

class WrongRecipe : public CommandTest, public testing::WithParamInterface<Wrong> {};

TEST_P(WrongRecipe, IsOneMessageAndStatusTwo) {
  std::vector<std::string> more;
  for (const std::string& o : GetParam().overrides) {
    more.push_back("--set");
    more.push_back(o);
  }
  const ProcessResult result = train("run", more);
  EXPECT_EQ(result.status, 2) << result.err;
  for (const std::string& text : GetParam().says) EXPECT_THAT(result.err, HasSubstr(text));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_EQ(result.out, "");
}

INSTANTIATE_TEST_SUITE_P(
    Command, WrongRecipe,
    testing::ValuesIn(std::vector<Wrong>{
        {"UnknownKey", {"train.momentun=0.9"}, {"momentun"}},
        {"WrongType", {"train.batch=\"many\""}, {"train.batch", "many", "integer"}},
        {"OutOfRange", {"model.layers[1].pre[1].rate=1.5"}, {"rate", "1.5"}},
        {"UnknownCell", {"model.layers[1].cell.type=rgcx"}, {"model.layers[1].cell.type", "rgcx", "time_decay"}},
        {"UnknownOp", {"model.layers[0].pre[0].op=convv"}, {"model.layers[0].pre[0].op", "convv"}},
        {"ImpossibleShape",
         {"model.layers[0].pre[0].padding=valid", "model.layers[0].pre[0].kernel=11"},
         {"conv1", "11"}},
        {"ZeroDelayCycle", {"model.connections[0].delay=0"}, {"cycle", "conv2"}},
        {"MissingLayer", {"model.connections[0].source=conv9"}, {"conv9"}},
        {"TooFewSteps", {"model.steps=2"}, {"readout", "step"}},
        {"NeverShown", {"model.image_off=0"}, {"never be shown", "image_off is 0"}},
        {"WrongImage", {"model.image=[9,9,1]"}, {"[9, 9, 1]", "[8, 8, 1]"}},
        {"TooFewClasses", {"model.layers[2].pre[1].units=3"}, {"3 outputs", "4 classes"}},
        {"NoSuchFile", {"data.train.path=/nonexistent/images"}, {"/nonexistent/images"}},
        {"WrongFormat", {"data.format=cifar10"}, {"images", "folder"}},
        {"BatchTooLarge", {"train.batch=1000"}, {"1000", "96"}},
        {"NotAnAssignment", {"train.batch"}, {"train.batch"}},
    }),
    [](const auto& info) { return info.param.name; });

TEST_F(CommandTest, RefusesAFolderThatHoldsARun) {
  ASSERT_EQ(train("run", {"--max-steps", "2"}).status, 0);
  EXPECT_EQ(train("run", {"--max-steps", "2"}).status, 2);
  const ProcessResult other = train("run", {"--resume", "--set", "train.batch=4"});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("another recipe"));
}

// The folder keeps the plain recipe, which reads back as itself: a text that begins with a dollar sign too.
TEST_F(CommandTest, ResumesARecipeMadeFromParts) {
  const std::string parts = folder / "parts.json";
  write_text(parts, R"({"extends": "recipe.json", "define": {"note": "$$5", "batch": 4}, "description": "$note",
                        "train": {"batch": "$batch", "max_steps": 2}})");
  for (const bool resume : {false, true}) {
    std::vector<std::string> arguments{"train", parts, "--out", folder / "run"};
    if (resume) arguments.emplace_back("--resume");
    const ProcessResult result = chiasm(arguments);
    EXPECT_EQ(result.status, 0) << result.err;
  }
  const nlohmann::json kept = nlohmann::json::parse(read_text(folder / "run/recipe.json"));
  EXPECT_EQ(kept.at("train").at("batch"), 4);
  EXPECT_FALSE(kept.contains("extends"));
  EXPECT_EQ(chiasm({"evaluate", folder / "run"}).status, 0);
}

TEST_F(CommandTest, DamagedSnapshotsAreRefused) {
  ASSERT_EQ(train("run", {"--max-steps", "5"}).status, 0);
  const std::string path = folder / "run/snapshots/step-5.safetensors";
  std::string bytes = read_text(path);
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 1);
  write_text(path, bytes);
  const ProcessResult result = chiasm({"evaluate", folder / "run"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("step-5.safetensors"));
}

TEST_F(CommandTest, DescribeAndDryRunSpeakJson) {
  const ProcessResult described = chiasm({"describe", recipe, "--json"});
  ASSERT_EQ(described.status, 0) << described.err;
  const nlohmann::json json = nlohmann::json::parse(described.out);
  std::int64_t sum = 0;
  for (const auto& layer : json.at("layers")) sum += layer.at("parameters").get<std::int64_t>();
  EXPECT_EQ(json.at("parameters"), sum);
  EXPECT_EQ(json.at("layers")[0].at("parameters"), 3 * 3 * 4 + 4 + 2 * 4);
  EXPECT_EQ(json.at("layers")[0].at("output_shape"), (std::vector<int>{4, 4, 4}));
  const ProcessResult dry = chiasm({"train", recipe, "--dry-run", "--json"});
  ASSERT_EQ(dry.status, 0) << dry.err;
  EXPECT_EQ(nlohmann::json::parse(dry.out).at("steps"), 48);
}

TEST_F(CommandTest, PlanSaysWhatIsLeftOut) {
  const ProcessResult planned = chiasm({"plan", recipe, "--steps", "7", "--batch", "5", "--json"});
  ASSERT_EQ(planned.status, 0) << planned.err;
  const nlohmann::json json = nlohmann::json::parse(planned.out);
  EXPECT_EQ(json.at("steps"), 7);
  EXPECT_EQ(json.at("batch"), 5);
  const nlohmann::json& counts = json.at("layer_steps");
  EXPECT_EQ(counts.at("naive"), 7 * json.at("layers").size());
  EXPECT_LT(counts.at("full_batch"), counts.at("naive"));
  std::int64_t sum = 0;
  for (const char* kind : {"full_batch", "batch_one", "reused", "dropped"}) sum += counts.at(kind).get<std::int64_t>();
  EXPECT_EQ(sum, counts.at("naive"));
  EXPECT_LT(json.at("flops").at("planned"), json.at("flops").at("naive"));
  EXPECT_GT(json.at("peak_bytes").at("planned"), 0);
  EXPECT_EQ(json.at("recomputed_flops"), 0);
  for (const char* pass : {"prune", "share", "hoist", "batch_time", "rematerialise", "plan_memory"}) {
    EXPECT_THAT(json.at("passes").dump(), HasSubstr(pass));
  }
  const ProcessResult small = chiasm({"plan", recipe, "--steps", "7", "--batch", "5", "--memory", "1K", "--json"});
  EXPECT_LT(nlohmann::json::parse(small.out).at("peak_bytes").at("planned"), json.at("peak_bytes").at("planned"));
  EXPECT_GT(nlohmann::json::parse(small.out).at("recomputed_flops"), 0);

  const ProcessResult plain = chiasm({"plan", recipe, "--passes", "none", "--json"});
  const nlohmann::json none = nlohmann::json::parse(plain.out);
  EXPECT_EQ(none.at("layer_steps").at("full_batch"), none.at("layer_steps").at("naive"));
  EXPECT_EQ(none.at("flops").at("planned"), none.at("flops").at("naive"));

  const ProcessResult text = chiasm({"plan", recipe});
  EXPECT_EQ(text.status, 0);
  EXPECT_THAT(text.out, HasSubstr("#"));
  EXPECT_EQ(chiasm({"plan", recipe, "--decoder", "first"}).status, 2);
  EXPECT_THAT(chiasm({"plan", recipe, "--passes", "prune,nonsense"}).err, HasSubstr("nonsense"));
  EXPECT_EQ(chiasm({"plan", recipe, "--steps", "x"}).status, 2);
}

TEST_F(CommandTest, MemoryIsKeptTo) {
  const auto peak = [&](const std::string& memory) {
    const ProcessResult r = chiasm({"plan", recipe, "--steps", "24", "--memory", memory, "--json"});
    EXPECT_EQ(r.status, 0) << r.err;
    return nlohmann::json::parse(r.out).at("peak_bytes").at("planned").get<std::int64_t>();
  };
  const std::int64_t whole = peak("0");
  EXPECT_LE(peak(std::to_string(whole / 2)), whole / 2);
  EXPECT_EQ(peak("1.5G"), whole);
  for (const char* wrong : {"12X", "-5", "1e3", "", "99999999999999999999", "10KB", "k"}) {
    const ProcessResult r = chiasm({"plan", recipe, "--memory", wrong});
    EXPECT_EQ(r.status, 2) << wrong;
    EXPECT_THAT(r.err, HasSubstr("\"" + std::string(wrong) + "\" is no amount of memory"));
  }
  const ProcessResult least = chiasm({"train", recipe, "--dry-run", "--json", "--memory", "1k"});
  EXPECT_EQ(least.status, 0);
  EXPECT_THAT(least.err, HasSubstr("is the least that was found"));
  EXPECT_GT(nlohmann::json::parse(least.out).at("arena_bytes"), 1024);
}

TEST_F(CommandTest, HelpAndDoctorWork) {
  const ProcessResult help = chiasm({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* verb :
       {"doctor", "train", "evaluate", "describe", "plan", "compare", "extract", "convert", "recipes", "rules"}) {
    EXPECT_THAT(help.out, HasSubstr(verb));
    const ProcessResult one = chiasm({verb, "--help"});
    EXPECT_EQ(one.status, 0);
    EXPECT_THAT(one.out, HasSubstr("Example"));
  }
  EXPECT_EQ(chiasm({"nonsense"}).status, 2);
  EXPECT_EQ(chiasm({}).status, 2);
  const ProcessResult doctor = chiasm({"doctor", "--json"});
  EXPECT_EQ(doctor.status, 0);
  const auto products = nlohmann::json::parse(doctor.out).at("products");
  for (const char* type : {"float32", "float64"}) {
    EXPECT_GT(products.at(type).at("gflops").get<double>(), 0.1) << type;
    EXPECT_GT(products.at(type).at("share_of_peak").get<double>(), 0.0) << type;
    EXPECT_NE(products.at(type).at("kernels"), "") << type;
  }
}

TEST_F(CommandTest, KernelsThatFailedTheirCheckAreNamed) {
  const ScopedVariable core("OPENBLAS_CORETYPE", "Prescott"), mark("CHIASM_OPENBLAS", "refused SkylakeX");
  const ProcessResult doctor = chiasm({"doctor", "--json"});
  EXPECT_EQ(doctor.status, 0);
  EXPECT_THAT(doctor.err, AllOf(HasSubstr("SkylakeX kernels gave wrong results or none"), HasSubstr("slower")));
  EXPECT_EQ(nlohmann::json::parse(doctor.out).at("products").at("float64").at("refused"), "SkylakeX");
}

}  // namespace
}  // namespace chiasm::test
