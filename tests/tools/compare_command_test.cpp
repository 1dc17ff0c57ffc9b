// SPDX-License-Identifier: Apache-2.0
// chiasm compare from the outside: training, failing, stopping and going on, and what it says about wrong input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "tests/support/file_corpus.h"
#include "tests/support/process.h"
#include "tests/support/source_tree.h"

namespace chiasm::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

// 8 x 8 images whose class is the quadrant that is bright, and recipes of three layers for them.
class CompareCommandTest : public testing::Test {
 protected:
  static constexpr int kSamples = 96;

  CompareCommandTest() {
    std::mt19937 random(5);
    Bytes images, labels;
    for (const std::uint32_t value : {0x803u, static_cast<std::uint32_t>(kSamples), 8u, 8u})
      append_big_endian(images, value);
    for (const std::uint32_t value : {0x801u, static_cast<std::uint32_t>(kSamples)}) append_big_endian(labels, value);
    for (int i = 0; i < kSamples; ++i) {
      const int label = static_cast<int>(random() % 4);
      labels.push_back(static_cast<std::byte>(label));
      for (int p = 0; p < 64; ++p) {
        const bool inside = (p / 8 >= 4) == (label / 2 == 1) && (p % 8 >= 4) == (label % 2 == 1);
        images.push_back(static_cast<std::byte>(random() % 100 + (inside ? 120 : 0)));
      }
    }
    folder.write("images", images);
    folder.write("labels", labels);
  }

  // Writes a recipe with this cell and returns its path; `change` is merged over it.
  std::string recipe(const std::string& name, const std::string& cell, const json& change = json::object()) const {
    json r = json::parse(R"({
      "chiasm": 1,
      "data": {"format": "idx", "normalise": {"mean": [0.3], "std": [0.25]}, "train": {}, "test": {"limit": 40}},
      "model": {"image": [8, 8, 1], "steps": 6, "layers": [
        {"name": "conv1", "pre": [{"op": "conv", "channels": 4, "kernel": 3}, "elu"], "post": [{"op": "max_pool", "size": 2}]},
        {"name": "conv2", "pre": [{"op": "conv", "channels": 4, "kernel": 3}]},
        {"name": "readout", "pre": [{"op": "flatten"}, {"op": "linear", "units": 4}]}]},
      "train": {"batch": 8, "epochs": 1, "seed": 3, "optimizer": {"type": "sgd", "momentum": 0.9}, "learning_rate": 0.02,
                "snapshot_every_steps": 50, "log_every_steps": 3}})");
    r["name"] = name;
    if (!cell.empty()) r["model"]["layers"][1]["cell"] = {{"type", cell}};
    for (const char* part : {"train", "test"}) {
      r["data"][part]["path"] = folder / "images";
      r["data"][part]["labels"] = folder / "labels";
    }
    r.merge_patch(change);
    const std::string path = folder / (name + ".json");
    write_text(path, r.dump());
    return path;
  }

  ProcessResult compare(std::vector<std::string> arguments, const ProcessOptions& options = {}) const {
    std::vector<std::string> all{chiasm_command(), "compare", "--threads", "2"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_process(all, options);
  }
  json result(const std::string& out) const { return json::parse(read_text(folder / (out + "/comparison.json"))); }

  // A comparison without what differs from one time to the next.
  static json without_times(json comparison) {
    for (const char* part : {"runs", "table"}) {
      for (json& row : comparison.at(part)) {
        row.erase("training_seconds");
        row.erase("images_per_second");
      }
    }
    return comparison;
  }

  TempFolder folder;
};

TEST_F(CompareCommandTest, TrainsEachRecipeAndItsControl) {
  const std::string out = folder / "out";
  const ProcessResult r = compare({recipe("decay", "time_decay"), recipe("gated", "rgc_shallow"), "--out", out,
                                   "--minimal", "--epochs", "2", "--train-images", "80", "--json"});
  ASSERT_EQ(r.status, 0) << r.err;
  const json comparison = json::parse(r.out);
  EXPECT_EQ(comparison, result("out"));
  ASSERT_EQ(comparison.at("runs").size(), 4u);
  const std::vector<std::string> folders{"decay", "decay_minimal", "gated", "gated_minimal"};
  for (std::size_t i = 0; i < 4; ++i) {
    const json& run = comparison.at("runs")[i];
    EXPECT_EQ(run.at("folder"), folders[i]);
    EXPECT_EQ(run.at("minimal"), i % 2 == 1);
    // The image reaches the readout at step 2; one step more, and one because steps count from 0.
    EXPECT_EQ(run.at("steps"), i % 2 == 1 ? 4 : 6);
    EXPECT_EQ(run.at("training_steps"), 20);
    EXPECT_EQ(run.at("train_images"), 80);
    EXPECT_EQ(run.at("test_images"), 40);
    EXPECT_GT(run.at("training_seconds").get<double>(), 0.0);
    EXPECT_GT(run.at("gflop_per_training_step").get<double>(), 0.0);
    // The run folder is an ordinary one and says the same.
    const ProcessResult evaluated = run_process({chiasm_command(), "evaluate", out + "/" + folders[i], "--json"});
    ASSERT_EQ(evaluated.status, 0) << evaluated.err;
    const json evaluation = json::parse(evaluated.out);
    EXPECT_EQ(evaluation.at("step"), 20);
    EXPECT_EQ(run.at("top1_by_step").size(), run.at("steps"));
    EXPECT_DOUBLE_EQ(run.at("top1").get<double>(), evaluation.at("top1").get<double>());
    // Results have six digits.
    EXPECT_NEAR(run.at("loss").get<double>(), evaluation.at("loss").get<double>(), 1e-5);
    const ProcessResult described = run_process({chiasm_command(), "describe", out + "/" + folders[i], "--json"});
    EXPECT_EQ(run.at("parameters"), json::parse(described.out).at("parameters"));
    EXPECT_EQ(run.at("units"), json::parse(described.out).at("units"));
  }
  EXPECT_EQ(comparison.at("runs")[0].at("parameters"), comparison.at("runs")[1].at("parameters"));
  EXPECT_LT(comparison.at("runs")[3].at("gflop_per_training_step"),
            comparison.at("runs")[2].at("gflop_per_training_step"));
  EXPECT_THAT(r.err, AllOf(HasSubstr("run 1 of 4"), HasSubstr("run 4 of 4"), HasSubstr("left in all")));
  for (const char* file : {"comparison.csv", "comparison.html", "comparison.svg"}) {
    EXPECT_GT(read_text(out + "/" + file).size(), 500u) << file;
  }
  // The same again from the folders alone.
  const std::string before = read_text(out + "/comparison.json"), figure = read_text(out + "/comparison.svg");
  fs::remove(out + "/comparison.svg");
  const ProcessResult again = compare({"--only-report", "--out", out});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("decay, minimal"));
  EXPECT_EQ(read_text(out + "/comparison.json"), before);
  EXPECT_EQ(read_text(out + "/comparison.svg"), figure);
}

TEST_F(CompareCommandTest, SeedsGiveAMeanAndARange) {
  const ProcessResult r =
      compare({recipe("decay", "time_decay"), "--out", folder / "out", "--seeds", "0,7", "--max-steps", "10"});
  ASSERT_EQ(r.status, 0) << r.err;
  const json comparison = result("out");
  ASSERT_EQ(comparison.at("runs").size(), 2u);
  ASSERT_EQ(comparison.at("table").size(), 1u);
  EXPECT_TRUE(fs::exists(folder / "out/decay_seed7/report.html"));
  const double a = comparison.at("runs")[0].at("top1"), b = comparison.at("runs")[1].at("top1");
  EXPECT_NE(comparison.at("runs")[0].at("loss"), comparison.at("runs")[1].at("loss"));
  EXPECT_NEAR(comparison.at("table")[0].at("top1").get<double>(), (a + b) / 2, 1e-6);
  EXPECT_EQ(comparison.at("table")[0].at("top1_range"), (json{std::min(a, b), std::max(a, b)}));
}

TEST_F(CompareCommandTest, RulesAreTrainedSideBySide) {
  const std::string out = folder / "out", net = recipe("net", "time_decay");
  const ProcessResult r =
      compare({net, "--out", out, "--rules", "bp,fa,symmetric_alignment", "--seeds", "0,1", "--max-steps", "12"});
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_THAT(r.err, HasSubstr("run 3 of 6: net, fa"));
  const json comparison = result("out");
  ASSERT_EQ(comparison.at("runs").size(), 6u);
  ASSERT_EQ(comparison.at("table").size(), 3u);
  EXPECT_EQ(comparison.at("runs")[3].at("folder"), "net_fa_seed1");
  EXPECT_NE(comparison.at("runs")[0].at("loss"), comparison.at("runs")[2].at("loss"));  // the rule was used
  const json& fa = comparison.at("table")[1];
  EXPECT_EQ(comparison.at("table")[0].at("rule"), "bp");
  EXPECT_FALSE(comparison.at("table")[0].contains("alignment"));
  EXPECT_EQ(fa.at("rule"), "fa");
  ASSERT_EQ(fa.at("alignment").size(), 3u);
  // The mean of what the two runs logged last.
  double sum = 0.0;
  for (const char* run : {"net_fa_seed0", "net_fa_seed1"}) {
    std::istringstream lines(read_text(out + "/" + run + "/metrics.jsonl"));
    double last = -1.0;
    const std::string key = "weight_angle/" + fa.at("alignment")[1].at("layer").get<std::string>();
    for (std::string line; std::getline(lines, line);) last = json::parse(line).value(key, last);
    EXPECT_GT(last, 0.0);
    sum += last;
  }
  EXPECT_NEAR(fa.at("alignment")[1].at("weight_angle").get<double>(), sum / 2, 1e-3);  // six digits are kept
  EXPECT_THAT(r.out, AllOf(HasSubstr("rule"), HasSubstr("symmetric_alignment"), HasSubstr("angle")));
  EXPECT_THAT(read_text(out + "/comparison.html"), HasSubstr("Comparison of learning rules"));
  EXPECT_THAT(read_text(out + "/net_fa_seed0/report.html"),
              AllOf(HasSubstr("<h2>Alignment</h2>"), HasSubstr("<td>feedback_alignment</td>")));
  EXPECT_THAT(read_text(out + "/net_bp_seed0/report.html"),
              AllOf(testing::Not(HasSubstr("<h2>Alignment</h2>")), HasSubstr("<td>backprop</td>")));
  // The same again from the folders alone, and with nothing left to train.
  const std::string before = read_text(out + "/comparison.json"), figure = read_text(out + "/comparison.svg");
  ASSERT_EQ(compare({"--only-report", "--out", out}).status, 0);
  EXPECT_EQ(read_text(out + "/comparison.json"), before);
  EXPECT_EQ(read_text(out + "/comparison.svg"), figure);
  const ProcessResult again = compare(
      {net, "--out", out, "--rules", "bp,fa,symmetric_alignment", "--seeds", "0,1", "--max-steps", "12", "--resume"});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(read_text(out + "/comparison.json"), before);
}

// A network that is as short as it can be is its own control.
TEST_F(CompareCommandTest, AMinimalRecipeHasNoControl) {
  const ProcessResult r = compare({recipe("short", "time_decay", {{"model", {{"steps", 4}}}}), "--out", folder / "out",
                                   "--minimal", "--max-steps", "2"});
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(result("out").at("runs").size(), 1u);
}

TEST_F(CompareCommandTest, AFailingRunDoesNotStopTheOthers) {
  const std::string out = folder / "out";
  const std::vector<std::string> arguments{recipe("first", "time_decay"),
                                           recipe("broken", "time_decay", {{"train", {{"learning_rate", 1e30}}}}),
                                           recipe("last", "rgc_shallow"),
                                           "--out",
                                           out,
                                           "--max-steps",
                                           "6"};
  const ProcessResult r = compare(arguments);
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.out, AllOf(HasSubstr("failed: training stopped at step"), HasSubstr("not finite")));
  const json comparison = result("out");
  EXPECT_EQ(comparison.at("runs")[0].at("status"), "done");
  EXPECT_EQ(comparison.at("runs")[1].at("status"), "failed");
  EXPECT_THAT(comparison.at("runs")[1].at("reason").get<std::string>(), HasSubstr("not finite"));
  EXPECT_EQ(comparison.at("runs")[2].at("status"), "done");
  EXPECT_FALSE(comparison.at("table")[1].contains("top1"));
  // Going on keeps what is done and tries the rest again.
  std::vector<std::string> more = arguments;
  more.push_back("--resume");
  const auto written = fs::last_write_time(out + "/first/report.html");
  const ProcessResult again = compare(more);
  EXPECT_EQ(again.status, 1);
  EXPECT_EQ(fs::last_write_time(out + "/first/report.html"), written);
  EXPECT_EQ(without_times(result("out")), without_times(comparison));
}

TEST_F(CompareCommandTest, InterruptedItGoesOnToTheSameEnd) {
  const std::string a = recipe("first", "time_decay"), b = recipe("second", "rgc_shallow");
  const auto arguments = [&](const std::string& out, bool resume) {
    std::vector<std::string> all{a, b, "--out", folder / out, "--max-steps", "400"};
    if (resume) all.push_back("--resume");
    return all;
  };
  ASSERT_EQ(compare(arguments("whole", false)).status, 0);
  // As soon as the second run has a snapshot.
  const auto has_snapshot = [&] { return fs::exists(folder / "broken/second/snapshots/step-50.safetensors"); };
  const ProcessResult stopped = compare(arguments("broken", false), {.signal = 2, .signal_when = has_snapshot});
  ASSERT_EQ(stopped.status, 130) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("--resume"));
  const json half = result("broken");
  EXPECT_EQ(half.at("runs")[0].at("status"), "done");
  EXPECT_EQ(half.at("runs")[1].at("status"), "interrupted");
  EXPECT_EQ(compare(arguments("broken", false)).status, 2);
  const ProcessResult resumed = compare(arguments("broken", true));
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.err, testing::Not(HasSubstr("run 1 of 2")));
  EXPECT_EQ(without_times(result("broken")), without_times(result("whole")));
  EXPECT_EQ(read_text(folder / "broken/second/snapshots/step-400.safetensors"),
            read_text(folder / "whole/second/snapshots/step-400.safetensors"));
  // Both parts of the second run were timed.
  EXPECT_EQ(json::parse(read_text(folder / "broken/second/result.json")).at("timed_steps"), 400);
}

TEST_F(CompareCommandTest, KilledItGoesOn) {
  const std::vector<std::string> arguments{
      recipe("only", "time_decay"), "--out", folder / "out", "--max-steps", "300", "--resume"};
  const auto has_snapshot = [&] { return fs::exists(folder / "out/only/snapshots/step-100.safetensors"); };
  ASSERT_EQ(compare(arguments, {.signal = 9, .signal_when = has_snapshot}).status, 128 + 9);
  ASSERT_EQ(compare(arguments).status, 0);
  EXPECT_EQ(result("out").at("runs")[0].at("status"), "done");
}

TEST_F(CompareCommandTest, OtherBudgetsAreNotMixed) {
  const std::string a = recipe("first", "time_decay");
  ASSERT_EQ(compare({a, "--out", folder / "out", "--max-steps", "2"}).status, 0);
  const ProcessResult r = compare({a, "--out", folder / "out", "--max-steps", "3", "--resume"});
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, HasSubstr("another recipe"));
  // Another recipe joins.
  const ProcessResult joined =
      compare({a, recipe("second", "rgc_shallow"), "--out", folder / "out", "--max-steps", "2", "--resume"});
  EXPECT_EQ(joined.status, 0) << joined.err;
  EXPECT_EQ(result("out").at("runs").size(), 2u);
}

TEST_F(CompareCommandTest, DryRunTrainsNothing) {
  const ProcessResult r = compare({recipe("decay", "time_decay"), "--minimal", "--dry-run", "--json"});
  ASSERT_EQ(r.status, 0) << r.err;
  const json plan = json::parse(r.out);
  ASSERT_EQ(plan.at("runs").size(), 2u);
  EXPECT_GT(plan.at("runs")[0].at("seconds_per_step").get<double>(), 0.0);
  EXPECT_EQ(plan.at("runs")[0].at("training_steps"), 12);
  EXPECT_THAT(folder.names(), testing::UnorderedElementsAre("images", "labels", "decay.json"));
}

// Wrong input is status 2; what the machine refuses is 1, as in every verb.
TEST_F(CompareCommandTest, AFolderThatCannotBeMadeIsStatusOne) {
  write_text(folder / "file", "x");
  const ProcessResult r = compare({recipe("net", "time_decay"), "--max-steps", "1", "--out", folder / "file/out"});
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.err, AllOf(HasSubstr("file/out"), HasSubstr("cannot be created")));
}

TEST_F(CompareCommandTest, WrongInputIsOneMessageAndStatusTwo) {
  const std::string a = recipe("first", "time_decay");
  const std::string twin = folder / "twin.json";
  write_text(twin, read_text(a));
  const std::string missing =
      recipe("missing", "time_decay", {{"data", {{"train", {{"path", "/nonexistent/images"}}}}}});
  const std::string odd = recipe("odd", "time_decay", {{"name", "../odd"}});
  const std::string control = recipe("first_minimal", "time_decay");
  write_text(folder / "file", "");
  const std::string out = folder / "out";
  struct Wrong {
    std::vector<std::string> arguments;
    std::vector<std::string> says;
  };
  const std::vector<Wrong> all{
      {{"--out", out}, {"nothing to compare"}},
      {{a}, {"--out is missing"}},
      {{a, a, "--out", out}, {"first.json", "name"}},
      {{a, twin, "--out", out}, {"first.json", "twin.json", "name"}},
      {{a, control, "--minimal", "--out", out}, {"first_minimal"}},
      {{a, odd, "--out", out}, {"odd.json", "../odd"}},
      {{a, missing, "--out", out}, {"/nonexistent/images"}},
      {{a, folder / "none.json", "--out", out}, {"none.json"}},
      {{a, "--out", out, "--epochs", "0"}, {"--epochs"}},
      {{a, "--out", out, "--epochs", "-1"}, {"--epochs"}},
      {{a, "--out", out, "--epochs", "nan"}, {"--epochs"}},
      {{a, "--out", out, "--epochs", "many"}, {"--epochs"}},
      {{a, "--out", out, "--max-steps", "0"}, {"--max-steps"}},
      {{a, "--out", out, "--epochs", "1", "--max-steps", "5"}, {"--epochs", "--max-steps"}},
      {{a, "--out", out, "--train-images", "0"}, {"--train-images"}},
      {{a, "--out", out, "--train-images", "4"}, {"train.batch is 8", "4 samples"}},
      {{a, "--out", out, "--seeds", "1,x"}, {"--seeds"}},
      {{a, "--out", out, "--seeds", "1,2,1"}, {"--seeds", "1 is given twice"}},
      {{a, "--out", out, "--rules", "fa,wmm"}, {"--rules", "\"wmm\"", "chiasm rules"}},
      {{a, "--out", out, "--rules", "fa,bp,feedback_alignment"}, {"--rules", "same rule"}},
      {{a, "--out", out, "--rules", "fa,amp"}, {"--rules", "\"amp\""}},
      {{a, "--out", out, "--set", "train.momentun=1"}, {"momentun"}},
      {{"--only-report", "--out", out}, {"no comparison"}},
      {{a, "--only-report", "--out", out}, {"--only-report"}},
  };
  for (const Wrong& wrong : all) {
    const ProcessResult r = compare(wrong.arguments);
    std::string given;
    for (const std::string& argument : wrong.arguments) given += " " + argument;
    EXPECT_EQ(r.status, 2) << given << "\n" << r.err;
    for (const std::string& text : wrong.says) EXPECT_THAT(r.err, HasSubstr(text)) << given;
    EXPECT_EQ(r.out, "") << given;
    EXPECT_FALSE(fs::exists(out + "/first")) << given << ": something was trained";
  }
}

}  // namespace
}  // namespace chiasm::test
