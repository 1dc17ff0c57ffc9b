// SPDX-License-Identifier: Apache-2.0
// Comparisons of learning rules: the plan, the table, the figure, the files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "tests/support/file_corpus.h"
#include "tests/support/markup.h"
#include "tests/support/process.h"
#include "tools/compare/compare_figure.h"
#include "tools/compare/compare_page.h"
#include "tools/compare/compare_plan.h"
#include "tools/compare/rule_figure.h"

namespace chiasm {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

LayerAlignment layer(const std::string& path, double angle) {
  return {.path = path,
          .weight_angle = angle,
          .projection_angle = angle + 1,
          .gradient_angle = angle + 2,
          .norm_ratio = angle / 50,
          .symmetric_energy = 1,
          .skew_energy = 2};
}

ComparedRun run_of(const std::string& recipe, const std::string& rule, double top1, std::uint64_t seed = 0) {
  ComparedRun run{.recipe = recipe, .minimal = false, .rule = rule, .seed = seed, .folder = recipe + "_" + rule};
  run.steps = 1;
  run.batch = 64;
  run.parameters = 1000;
  run.units = 100;
  run.result.status = RunResult::Status::kDone;
  run.result.training_steps = run.result.timed_steps = 100;
  run.result.timed_seconds = 4.0;
  run.result.top1 = top1;
  run.result.loss = 1 - top1;
  run.result.top1_by_step = run.result.loss_by_step = {top1};
  return run;
}

// One network under three rules, the second with two seeds.
Comparison sample() {
  Comparison c;
  c.machine = {"1.0", "Release", "Example CPU", 2};
  c.runs = {run_of("net", "bp", 0.90), run_of("net", "fa", 0.80), run_of("net", "fa", 0.70, 1),
            run_of("net", "sa", 0.88)};
  c.runs[1].alignment = {layer("conv1/weight", 80), layer("readout/weight", 60)};
  c.runs[2].alignment = {layer("conv1/weight", 70), layer("readout/weight", kNaN)};
  c.runs[3].alignment = {layer("conv1/weight", 10), layer("readout/weight", 20)};
  return c;
}

TEST(RuleComparison, RulesAreEntriesOfTheirOwn) {
  const std::vector<Entry> entries = entries_of(sample());
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_TRUE(has_rules(entries));
  EXPECT_EQ(entries[1].rule, "fa");
  EXPECT_EQ(entries[1].done, 2);
  EXPECT_DOUBLE_EQ(entries[1].top1, 0.75);
  EXPECT_TRUE(entries[0].alignment.empty());
  EXPECT_TRUE(std::isnan(mean_weight_angle(entries[0].alignment)));
  ASSERT_EQ(entries[1].alignment.size(), 2u);
  EXPECT_EQ(entries[1].alignment[0].weight_angle, 75);
  EXPECT_EQ(entries[1].alignment[0].gradient_angle, 77);
  EXPECT_EQ(entries[1].alignment[0].norm_ratio, 1.5);
  EXPECT_EQ(entries[1].alignment[1].weight_angle, 60);  // the one seed in which it was measured
  EXPECT_EQ(mean_weight_angle(entries[1].alignment), 67.5);
}

TEST(RuleComparison, ALayerThatOneSeedDoesNotHaveKeepsTheMeanOfTheOthers) {
  Comparison c = sample();
  c.runs[2].alignment = {layer("other/weight", 50)};
  c.runs[1].alignment[1].weight_angle = kNaN;
  const std::vector<Entry> entries = entries_of(c);
  ASSERT_EQ(entries[1].alignment.size(), 3u);
  EXPECT_EQ(entries[1].alignment[0].weight_angle, 80);
  EXPECT_TRUE(std::isnan(entries[1].alignment[1].weight_angle));
  EXPECT_EQ(entries[1].alignment[2].weight_angle, 50);
  EXPECT_EQ(mean_weight_angle(entries[1].alignment), 65);
}

TEST(RuleComparison, OutputsNameTheRuleAndTheAngle) {
  const Comparison c = sample();
  const std::string table = table_of(c);
  EXPECT_THAT(table, Not(HasSubstr("*")));  // one size has no front
  EXPECT_THAT(table, AllOf(HasSubstr("network rule"), HasSubstr("net     fa"), HasSubstr("67.5"), HasSubstr("15.0")));
  const nlohmann::json json = nlohmann::json::parse(json_of(c));
  EXPECT_EQ(json.at("runs")[2].at("rule"), "fa");
  const nlohmann::json& fa = json.at("table")[1];
  EXPECT_EQ(fa.at("rule"), "fa");
  EXPECT_EQ(fa.at("weight_angle"), 67.5);
  ASSERT_EQ(fa.at("alignment").size(), 2u);
  EXPECT_EQ(fa.at("alignment")[0].at("layer"), "conv1/weight");
  EXPECT_EQ(fa.at("alignment")[0].at("weight_angle"), 75);
  EXPECT_EQ(fa.at("alignment")[0].at("projection_angle"), 76);
  EXPECT_EQ(fa.at("alignment")[0].at("norm_ratio"), 1.5);
  EXPECT_FALSE(json.at("table")[0].contains("alignment"));
  const std::string csv = csv_of(c);
  EXPECT_THAT(csv, AllOf(HasSubstr("recipe,minimal,rule,seed"), HasSubstr("\nnet,0,fa,1,net_fa,done")));
  std::istringstream lines(csv);
  std::string head;
  std::getline(lines, head);
  const auto commas = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
  for (std::string line; std::getline(lines, line);) EXPECT_EQ(commas(line), commas(head)) << line;
  const std::string page = html_of(c);
  EXPECT_EQ(test::malformation(page), "");
  EXPECT_THAT(page, AllOf(HasSubstr("<th>learning rule</th>"), HasSubstr("<td>67.5</td>"),
                          HasSubstr("Comparison of learning rules"), Not(HasSubstr("nan"))));
  EXPECT_EQ(test::malformation(figure_of(c)), "");
}

// Rows of the table have as many cells as its head, also where a run is missing.
TEST(RuleComparison, TablesAreRectangular) {
  Comparison c = sample();
  c.runs[2].result = {.status = RunResult::Status::kFailed, .reason = "it broke"};
  c.runs[3].result = {};
  const std::string page = html_of(c);
  const std::string table = page.substr(page.find("<table class=\"numbers\""));
  std::istringstream rows(table.substr(0, table.find("</table>")));
  std::vector<int> cells;
  for (std::string row; std::getline(rows, row);) {
    int count = 0;
    for (const char* cell : {"<th", "<td"}) {
      for (std::size_t at = row.find(cell); at != row.npos; at = row.find(cell, at + 3)) {
        const std::size_t span = row.find("colspan=\"", at), end = row.find('>', at);
        count += span < end ? std::stoi(row.substr(span + 9)) : 1;
      }
    }
    if (count > 0) cells.push_back(count);
  }
  EXPECT_THAT(cells, ElementsAre(11, 11, 11, 11, 11));  // the head, three entries, why a run of fa is missing
}

TEST(RuleComparison, OneNetworkIsDrawnByRule) {
  const std::vector<Entry> entries = entries_of(sample());
  const LayerChart accuracy = accuracy_by_rule(entries);
  EXPECT_THAT(accuracy.names, ElementsAre("bp", "fa", "sa"));
  ASSERT_EQ(accuracy.series.size(), 1u);
  ASSERT_EQ(accuracy.series[0].values.size(), 3u);
  EXPECT_DOUBLE_EQ(accuracy.series[0].values[1].y, 75);
  EXPECT_EQ(accuracy.series[0].values[1].at, 1u);
  EXPECT_EQ(accuracy.series[0].values[1].ends, std::pair(70.0, 80.0));
  const LayerChart angle = angle_by_rule(entries);
  ASSERT_EQ(angle.series[0].values.size(), 2u);  // backpropagation has none
  EXPECT_EQ(angle.series[0].values[0].at, 1u);
  EXPECT_EQ(angle.series[0].values[0].ends, std::pair(60.0, 75.0));
  const std::vector<NetworkAlignment> networks = alignment_by_layer(entries);
  ASSERT_EQ(networks.size(), 1u);
  ASSERT_EQ(networks[0].charts.size(), 4u);
  EXPECT_THAT(networks[0].charts[3].names, ElementsAre("conv1", "readout"));
  ASSERT_EQ(networks[0].charts[3].series.size(), 2u);
  EXPECT_EQ(networks[0].charts[3].series[1].label, "sa");
  EXPECT_EQ(networks[0].charts[3].series[1].values[1].y, 0.4);
  // A rule has one colour in all charts.
  EXPECT_EQ(networks[0].charts[3].series[1].style, accuracy.series[0].values[2].style);
  EXPECT_EQ(accuracy_over_time(entries).series[1].label, "fa");
  // All points of a scatter would be above each other.
  EXPECT_THAT(figure_svg(entries), AllOf(HasSubstr("weight angle"), Not(HasSubstr(">parameters<"))));
  EXPECT_THAT(html_of(sample()), Not(HasSubstr("minimally unrolled")));
}

TEST(RuleComparison, SeveralNetworksAreDrawnBySizeToo) {
  Comparison c = sample();
  ComparedRun other = run_of("big", "fa", 0.6);
  other.parameters = 5000;
  other.alignment = {layer("conv1/weight", 66)};
  c.runs.push_back(other);
  const std::vector<Entry> entries = entries_of(c);
  EXPECT_THAT(table_of(c), HasSubstr("* no network that is as small"));
  EXPECT_THAT(html_of(c), HasSubstr("<th>front of</th>"));
  const ScatterChart scatter = accuracy_against(SizeAxis::kParameters, entries);
  ASSERT_EQ(scatter.groups.size(), 4u);
  EXPECT_EQ(scatter.groups[3].label, "big, fa");
  const LayerChart accuracy = accuracy_by_rule(entries);
  ASSERT_EQ(accuracy.series.size(), 2u);
  EXPECT_EQ(accuracy.series[1].label, "big");
  ASSERT_EQ(accuracy.series[1].values.size(), 1u);
  EXPECT_EQ(accuracy.series[1].values[0].at, 1u);
  EXPECT_EQ(alignment_by_layer(entries).size(), 2u);
  const std::string svg = figure_svg(entries);
  EXPECT_EQ(test::malformation(svg), "");
  EXPECT_THAT(svg, AllOf(HasSubstr(">parameters<"), HasSubstr("weight angle (degrees), big")));
}

TEST(RuleComparison, APlanHasEveryRecipeUnderEveryRule) {
  CompareRequest request;
  request.recipes = {"fashion_shallow_gru"};
  request.seeds = {4, 5};
  request.rules = {"fa", "wm_tpe"};
  request.minimal = true;
  const std::vector<PlannedRun> runs = plan_runs(request);
  std::vector<std::string> folders;
  for (const PlannedRun& run : runs) folders.push_back(run.run.folder);
  EXPECT_THAT(folders,
              ElementsAre("fashion_shallow_gru_fa_seed4", "fashion_shallow_gru_fa_seed5",
                          "fashion_shallow_gru_fa_minimal_seed4", "fashion_shallow_gru_fa_minimal_seed5",
                          "fashion_shallow_gru_wm_tpe_seed4", "fashion_shallow_gru_wm_tpe_seed5",
                          "fashion_shallow_gru_wm_tpe_minimal_seed4", "fashion_shallow_gru_wm_tpe_minimal_seed5"));
  EXPECT_EQ(runs[3].run.rule, "fa");
  EXPECT_EQ(runs[3].run.seed, 5u);
  EXPECT_TRUE(runs[3].run.minimal);
  EXPECT_EQ(runs[0].recipe.train.learning.name, "feedback_alignment");
  EXPECT_EQ(runs[4].recipe.train.learning.name, "wm_tpe");
  EXPECT_EQ(runs[4].recipe.train.learning.phases.delay_epochs, 2.0);
}

TEST(RuleComparison, IsReadBackWithItsAlignment) {
  const test::TempFolder folder;
  test::write_text(folder / "comparison.json", json_of(sample()));
  std::filesystem::create_directory(folder / "net_sa");
  write_run_result(folder / "net_sa", sample().runs[3].result);
  test::write_text(folder / "net_sa/metrics.jsonl", "{\"step\":1,\"weight_angle/conv1/weight\":33}\n");
  const Comparison back = read_comparison(folder.path());
  ASSERT_EQ(back.runs.size(), 4u);
  EXPECT_EQ(back.runs[3].rule, "sa");
  ASSERT_EQ(back.runs[3].alignment.size(), 1u);
  EXPECT_EQ(back.runs[3].alignment[0].weight_angle, 33);
  EXPECT_TRUE(std::isnan(back.runs[3].alignment[0].norm_ratio));
  EXPECT_EQ(nlohmann::json::parse(json_of(back)).at("table")[2].at("alignment")[0].at("norm_ratio"), nullptr);
}

TEST(RuleComparison, ComparisonsFromBeforeRulesAreRead) {
  nlohmann::ordered_json old = nlohmann::ordered_json::parse(json_of(sample()));
  for (const char* part : {"runs", "table"}) {
    for (auto& row : old.at(part)) row.erase("rule"), row.erase("alignment"), row.erase("weight_angle");
  }
  const test::TempFolder folder;
  test::write_text(folder / "comparison.json", old.dump());
  const Comparison back = read_comparison(folder.path());
  EXPECT_EQ(back.runs[1].rule, "");
  EXPECT_FALSE(has_rules(entries_of(back)));
  EXPECT_THAT(table_of(back), Not(HasSubstr("rule")));
  EXPECT_FALSE(nlohmann::json::parse(json_of(back)).at("runs")[0].contains("rule"));
}

}  // namespace
}  // namespace chiasm
