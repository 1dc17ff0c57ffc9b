// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "tests/support/file_corpus.h"
#include "tests/support/process.h"
#include "tools/compare/compare_figure.h"
#include "tools/compare/compare_page.h"
#include "tools/compare/compare_plan.h"

namespace chiasm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ComparedRun run_of(const std::string& recipe, std::int64_t size, double top1, bool minimal = false,
                   std::uint64_t seed = 0) {
  ComparedRun run{.recipe = recipe, .minimal = minimal, .seed = seed, .folder = recipe};
  run.steps = minimal ? 5 : 8;
  run.arrival = 3;
  run.batch = 64;
  run.parameters = size;
  run.units = 10 * size;
  run.result.status = RunResult::Status::kDone;
  run.result.training_steps = 200;
  run.result.timed_steps = 100;
  run.result.timed_seconds = 4.0;
  run.result.flops_per_step = 2'500'000'000;
  run.result.top1 = top1;
  run.result.loss = 1 - top1;
  run.result.top1_by_step = std::vector<double>(static_cast<std::size_t>(run.steps), top1);
  run.result.loss_by_step = run.result.top1_by_step;
  return run;
}

Comparison sample() {
  Comparison c;
  c.budget.epochs = 1.5;
  c.budget.overrides = {"train.batch=64"};
  c.machine = {"1.0", "Release", "Example CPU", 2};
  c.runs = {run_of("nets_a", 1000, 0.50), run_of("nets_b", 2000, 0.60), run_of("nets_b", 2000, 0.55, true),
            run_of("nets_c", 3000, 0.58), run_of("nets_d", 4000, 0.70)};
  return c;
}

TEST(Comparison, SeedsBecomeOneEntryWithItsRange) {
  Comparison c;
  c.runs = {run_of("a", 10, 0.5, false, 0), run_of("a", 10, 0.6, false, 1), run_of("a", 10, 0.7, false, 2)};
  c.runs[2].result.status = RunResult::Status::kFailed;
  c.runs[2].result.reason = "it broke";
  const std::vector<Entry> entries = entries_of(c);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].planned, 3);
  EXPECT_EQ(entries[0].done, 2);
  EXPECT_DOUBLE_EQ(entries[0].top1, 0.55);
  EXPECT_EQ(entries[0].top1_min, 0.5);
  EXPECT_EQ(entries[0].top1_max, 0.6);
  EXPECT_DOUBLE_EQ(entries[0].top1_by_step.at(3), 0.55);
  EXPECT_EQ(entries[0].training_seconds, 8.0);      // 200 steps at the rate of the 100 that were timed
  EXPECT_EQ(entries[0].images_per_second, 1600.0);  // 100 steps of 64 images in 4 s
  EXPECT_THAT(entries[0].failures, ElementsAre("it broke"));
  EXPECT_THAT(table_of(c), HasSubstr("55.00 (50.00 to 60.00)"));
  EXPECT_THAT(table_of(c), HasSubstr("failed: it broke"));
}

TEST(Comparison, TheFrontHasWhatNothingSmallerReaches) {
  const std::vector<Entry> entries = entries_of(sample());
  std::vector<std::string> front;
  for (const Entry& e : entries) {
    if (e.front_of_parameters) front.push_back(e.label());
    EXPECT_EQ(e.front_of_parameters, e.front_of_units);  // units are a multiple of parameters here
  }
  EXPECT_THAT(front, ElementsAre("nets_a", "nets_b", "nets_d"));
  Comparison failed = sample();
  failed.runs[1].result.status = RunResult::Status::kFailed;
  EXPECT_TRUE(entries_of(failed)[2].front_of_parameters);   // nets_b's control
  EXPECT_FALSE(entries_of(failed)[1].front_of_parameters);  // a run that failed is on no front
}

TEST(Comparison, FigureNamesEachRecipeOnce) {
  EXPECT_THAT(short_names({"fashion_gru", "fashion_lstm"}), ElementsAre("gru", "lstm"));
  EXPECT_THAT(short_names({"gru", "grumpy"}), ElementsAre("gru", "grumpy"));
  EXPECT_THAT(short_names({"a_", "a_b"}), ElementsAre("a_", "a_b"));  // nothing would be left of one
  EXPECT_THAT(short_names({"one_only"}), ElementsAre("one_only"));
  const ScatterChart chart = accuracy_against(SizeAxis::kUnits, entries_of(sample()));
  ASSERT_EQ(chart.groups.size(), 4u);
  EXPECT_EQ(chart.groups[1].label, "b");
  ASSERT_EQ(chart.groups[1].points.size(), 2u);
  EXPECT_FALSE(chart.groups[1].points[0].hollow);
  EXPECT_TRUE(chart.groups[1].points[1].hollow);
  EXPECT_EQ(chart.groups[1].points[1].x, 20'000);
  EXPECT_DOUBLE_EQ(chart.groups[1].points[1].y, 55);
  ASSERT_EQ(chart.front.size(), 3u);
  EXPECT_EQ(chart.front[2].x, 40'000);
  const LineChart time = accuracy_over_time(entries_of(sample()));
  ASSERT_EQ(time.series.size(), 4u);
  EXPECT_EQ(time.series[0].points.size(), 5u);  // from the arrival at step 3 to step 7
}

TEST(Comparison, OutputsAgree) {
  const Comparison c = sample();
  const nlohmann::json json = nlohmann::json::parse(json_of(c));
  EXPECT_EQ(json.at("runs").size(), 5u);
  EXPECT_EQ(json.at("table").size(), 5u);
  EXPECT_EQ(json.at("runs")[2].at("minimal"), true);
  EXPECT_EQ(json.at("runs")[1].at("top1"), 0.6);
  EXPECT_EQ(json.at("runs")[0].at("gflop_per_training_step"), 2.5);
  EXPECT_EQ(json.at("budget").at("epochs"), 1.5);
  const std::string csv = csv_of(c);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 6);
  const auto commas = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
  std::istringstream lines(csv);
  std::string head;
  std::getline(lines, head);
  for (std::string line; std::getline(lines, line);) EXPECT_EQ(commas(line), commas(head)) << line;
  for (const char* outside : {"<script", "http:", "https:", "<link", "url("}) {
    EXPECT_EQ(html_of(c).find(outside), std::string::npos) << outside;
  }
  EXPECT_THAT(html_of(c), HasSubstr("1.5 epochs, train.batch=64"));
}

TEST(Comparison, OutputsOfAnEmptyOrUnfinishedOneAreWhole) {
  Comparison c = sample();
  for (ComparedRun& run : c.runs) run.result = {};
  EXPECT_THAT(table_of(c), HasSubstr("1 of 1 runs not done yet"));
  EXPECT_THAT(html_of(c), HasSubstr("not done yet"));
  EXPECT_EQ(nlohmann::json::parse(json_of(c)).at("runs")[0].at("status"), "not run");
  c.runs[0].result.status = RunResult::Status::kFailed;
  c.runs[0].result.reason = "a, \"quoted\" <reason>";
  EXPECT_THAT(csv_of(c), HasSubstr("\"a, \"\"quoted\"\" <reason>\""));
  EXPECT_EQ(html_of(c).find("<reason>"), std::string::npos);
  c.runs.clear();
  EXPECT_EQ(nlohmann::json::parse(json_of(c)).at("runs").size(), 0u);
  EXPECT_THAT(figure_of(c), HasSubstr("<svg"));
}

TEST(RunResult, IsReadBackAsItWasWritten) {
  const test::TempFolder folder;
  RunResult r = run_of("a", 1, 0.123456789).result;
  r.test_images = 40;
  r.train_images = 96;
  write_run_result(folder.path(), r);
  const RunResult back = read_run_result(folder.path());
  EXPECT_EQ(back.status, RunResult::Status::kDone);
  EXPECT_EQ(back.top1, r.top1);
  EXPECT_EQ(back.loss_by_step, r.loss_by_step);
  EXPECT_EQ(back.timed_seconds, r.timed_seconds);
  EXPECT_EQ(back.flops_per_step, r.flops_per_step);
  EXPECT_EQ(back.test_images, 40);
  r = {.status = RunResult::Status::kFailed, .reason = "line\nbreak"};
  write_run_result(folder.path(), r);
  EXPECT_EQ(read_run_result(folder.path()).reason, "line\nbreak");
  EXPECT_EQ(read_run_result(folder / "nothing").status, RunResult::Status::kNotRun);
}

TEST(RunResult, SurvivesDamage) {
  const test::TempFolder folder;
  write_run_result(folder.path(), run_of("a", 1, 0.5).result);
  const test::Bytes valid = test::read_all(folder / "result.json");
  EXPECT_GT(test::expect_survives_damage(valid, 64, 50, false, load_run_result, ".json"), 20);
}

TEST(Comparison, DamagedFilesAreRefused) {
  const test::TempFolder folder;
  EXPECT_THAT(test::error_of<InputError>([&] { read_comparison(folder.path()); }), HasSubstr("holds no comparison"));
  test::write_text(folder / "comparison.json", json_of(sample()));
  EXPECT_EQ(read_comparison(folder.path()).runs.size(), 5u);
  std::string text = json_of(sample());
  text.replace(text.find("\"folder\":\"nets_a\""), 17, "\"folder\":\"../../x\"");
  test::write_text(folder / "comparison.json", text);
  EXPECT_THAT(test::error_of<InputError>([&] { read_comparison(folder.path()); }),
              ::testing::AllOf(HasSubstr("comparison.json"), HasSubstr("runs[0].folder")));
}

TEST(Comparison, ARunThatFailedBeforeItHadARecipeIsStillAFailure) {
  const test::TempFolder folder;
  test::write_text(folder / "comparison.json", json_of(sample()));
  std::filesystem::create_directory(folder / "nets_a");
  write_run_result(folder / "nets_a", {.status = RunResult::Status::kFailed, .reason = "no data"});
  const Comparison back = read_comparison(folder.path());
  EXPECT_EQ(back.runs[0].result.reason, "no data");
  EXPECT_EQ(back.runs[0].parameters, 1000);
  EXPECT_EQ(back.runs[1].result.status, RunResult::Status::kNotRun);
}

TEST(Comparison, OnlyPlainNamesAreFolders) {
  for (const char* good : {"gru", "a-b_c.1", "7"}) EXPECT_TRUE(is_folder_name(good)) << good;
  for (const char* bad : {"", ".", "..", ".x", "a/b", "a b", "a\n", "\xC3\xA9"})
    EXPECT_FALSE(is_folder_name(bad)) << bad;
  EXPECT_FALSE(is_folder_name(std::string(201, 'a')));
}

}  // namespace
}  // namespace chiasm
