// SPDX-License-Identifier: Apache-2.0
// chiasm rules: what it lists, what it says about one, and that the settings it prints are those that are used.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "learning_rules/learning_config.h"
#include "tests/support/file_corpus.h"
#include "tests/support/process.h"
#include "tests/support/source_tree.h"
#include "tools/rules/rule_list.h"

namespace chiasm::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

ProcessResult rules(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {chiasm_command(), "rules"});
  return run_process(arguments);
}

Learning learning_of(const std::string& rule_json) {
  const Config config = Config::parse("{\"learning_rule\": " + rule_json + "}", "test");
  const Learning learning = read_learning(config.root().at("learning_rule"), Schedule{});
  config.finish();
  return learning;
}

void expect_equal(const Learning& a, const Learning& b) {
  EXPECT_EQ(a.rule.feedback, b.rule.feedback);
  EXPECT_EQ(a.rule.magnitude, b.rule.magnitude);
  ASSERT_EQ(a.rule.terms.size(), b.rule.terms.size());
  for (const RuleTerm& term : a.rule.terms) {
    const auto other = std::ranges::find(b.rule.terms, term.primitive, &RuleTerm::primitive);
    ASSERT_NE(other, b.rule.terms.end()) << term.primitive->name;
    EXPECT_EQ(term.coefficient, other->coefficient) << term.primitive->name;
  }
  EXPECT_EQ(a.rule.operations, b.rule.operations);
  EXPECT_EQ(a.rule.noise, b.rule.noise);
  EXPECT_EQ(a.phases, b.phases);
  EXPECT_EQ(a.schedule.base, b.schedule.base);
  EXPECT_EQ(a.divergence_factor, b.divergence_factor);
  ASSERT_EQ(a.optimizer.rule.index(), b.optimizer.rule.index());
  if (const auto* adam = std::get_if<Adam>(&a.optimizer.rule)) {
    const Adam& other = std::get<Adam>(b.optimizer.rule);
    EXPECT_EQ(adam->beta1, other.beta1);
    EXPECT_EQ(adam->beta2, other.beta2);
    EXPECT_EQ(adam->epsilon, other.epsilon);
    EXPECT_EQ(adam->epsilon_inside, other.epsilon_inside);
  } else {
    EXPECT_EQ(std::get<Sgd>(a.optimizer.rule).momentum, std::get<Sgd>(b.optimizer.rule).momentum);
    EXPECT_EQ(std::get<Sgd>(a.optimizer.rule).nesterov, std::get<Sgd>(b.optimizer.rule).nesterov);
  }
}

TEST(Rules, SettingsOfARuleAreWhatItsNameMeans) {
  for (const NamedRule* named : all_rules()) {
    SCOPED_TRACE(named->rule.name);
    expect_equal(learning_of(settings_of(*named)), learning_of("\"" + named->rule.name + "\""));
  }
}

TEST(Rules, SettingsOfAPresetAreItsOwnAndNothingIsLeftToDefaults) {
  const std::vector<Preset> presets = all_presets();
  ASSERT_FALSE(presets.empty());
  for (const Preset& preset : presets) {
    SCOPED_TRACE(preset.name);
    expect_equal(learning_of(settings_of(preset)), learning_of(preset.rule_json));
    const json settings = json::parse(settings_of(preset));
    for (const char* key : {"primitives", "operations", "noise", "alternate", "delay_epochs", "off_phase", "optimizer",
                            "learning_rate", "divergence_factor"}) {
      EXPECT_TRUE(settings.contains(key)) << key;
    }
  }
}

TEST(Rules, SettingsOfAPresetMayHaveSchedulesAndLayers) {
  const Preset preset{.name = "mine",
                      .path = "mine.json",
                      .title = "t",
                      .published = "p",
                      .defaults = "d",
                      .rule_json = R"({"primitives": {"amp": {"value": 2, "stop": 0.5}, "decay": 1},
                        "learning_rate": {"base": 0.5, "schedule": "steps", "boundaries": [3]},
                        "layers": [{"paths": ["conv1/*"], "rule": "fa"}]})"};
  const Learning own = learning_of(preset.rule_json), shown = learning_of(settings_of(preset));
  expect_equal(shown, own);
  EXPECT_EQ(shown.schedule.boundaries, (std::vector<double>{3}));
  ASSERT_EQ(shown.placements.size(), 1u);
  EXPECT_EQ(shown.rule_of("conv1/weight").terms.size(), 0u);
}

TEST(Rules, ListsEverything) {
  const ProcessResult r = rules({});
  ASSERT_EQ(r.status, 0) << r.err;
  const ProcessResult j = rules({"--json"});
  const json list = json::parse(j.out);
  EXPECT_EQ(list.at("rules").size(), all_rules().size());
  EXPECT_EQ(list.at("primitives").size(), all_primitives().size());
  EXPECT_EQ(list.at("presets").size(), all_presets().size());
  for (const json& rule : list.at("rules")) {
    for (const char* key : {"name", "abbreviation", "formula", "locality", "cost", "reference"}) {
      EXPECT_THAT(r.out, HasSubstr(rule.at(key).get<std::string>())) << key;
      EXPECT_NE(rule.at(key), "") << rule << key;
    }
  }
  for (const json& primitive : list.at("primitives")) {
    for (const char* key : {"name", "value", "gradient", "cost"}) {
      EXPECT_THAT(r.out, HasSubstr(primitive.at(key).get<std::string>()));
    }
  }
  for (const json& preset : list.at("presets")) EXPECT_THAT(r.out, HasSubstr(preset.at("title").get<std::string>()));
}

TEST(Rules, ShowsEverythingAboutOne) {
  const ProcessResult rule = rules({"kp"});
  ASSERT_EQ(rule.status, 0) << rule.err;
  EXPECT_THAT(rule.out, AllOf(HasSubstr("kolen_pollack (kp), a rule"), HasSubstr("\"angle\":1.0"),
                              HasSubstr("\"decay\":\"l2\""), HasSubstr("Kolen and Pollack 1994")));
  EXPECT_EQ(rules({"kolen_pollack"}).out, rule.out);
  const ProcessResult primitive = rules({"sparse"});
  EXPECT_THAT(primitive.out, AllOf(HasSubstr("sparse, a primitive"), HasSubstr("mean x q^T"),
                                   HasSubstr("activation_alignment"), Not(HasSubstr("symmetric_alignment"))));
  const ProcessResult preset = rules({"wm_tpe"});
  EXPECT_THAT(preset.out, AllOf(HasSubstr("wm_tpe, a preset"), HasSubstr("published"), HasSubstr("15.6607"),
                                HasSubstr("\"amp\":0.4432"), HasSubstr("\"delay_epochs\": 2"),
                                HasSubstr("\"off_phase\": \"coast\""),  // a default of ours
                                HasSubstr("--set learning_rule=wm_tpe")));
  const json shown = json::parse(rules({"wm_tpe", "--json"}).out);
  EXPECT_EQ(shown.at("rules").size(), 0u);
  ASSERT_EQ(shown.at("presets").size(), 1u);
  EXPECT_EQ(shown.at("presets")[0].at("settings").at("optimizer").at("momentum"), 0.0);
}

// The rule goes by this name in a recipe; the preset has to be asked for as one.
TEST(Rules, ANameOfARuleAndAPresetShowsBoth) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "presets");
  write_text(folder / "presets/fa.json", R"({"title": "Mine", "published": "all", "defaults": "none",
                                             "learning_rule": {"rule": "feedback_alignment"}})");
  const ProcessResult r =
      run_process({"/usr/bin/env", "CHIASM_RECIPES=" + folder.path(), chiasm_command(), "rules", "fa"});
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_THAT(r.out, AllOf(HasSubstr("feedback_alignment (fa), a rule"), HasSubstr("--set learning_rule=fa"),
                           HasSubstr("fa, a preset"), HasSubstr("--set learning_rule.preset=fa")));
}

TEST(Rules, UnknownNamesGetSimilarOnes) {
  struct Unknown {
    std::string name;
    std::string says;
  };
  for (const Unknown& unknown : std::vector<Unknown>{{"feedback_alignmnet", "similar: feedback_alignment"},
                                                     {"mirror", "similar: weight_mirror"},
                                                     {"decya", "similar: decay"},
                                                     {"wm_tp", "similar: wm_tpe"},
                                                     {"zzzzzzzz", "known: backprop, bp,"}}) {
    const ProcessResult r = rules({unknown.name});
    EXPECT_EQ(r.status, 2) << unknown.name;
    EXPECT_THAT(r.err, AllOf(HasSubstr("\"" + unknown.name + "\""), HasSubstr(unknown.says)));
    EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
    EXPECT_EQ(r.out, "");
  }
  EXPECT_THAT(rules({"--help"}).out, HasSubstr("Examples:\n  chiasm rules"));
}

TEST(Rules, NamesForAComparisonAreRulesAndPresetsEachOnce) {
  EXPECT_NO_THROW(check_rule_names({"bp", "fa", "weight_mirror", "wm_tpe"}));
  const auto says = [](const std::vector<std::string>& names) {
    return error_of<InputError>([&] { check_rule_names(names); });
  };
  EXPECT_THAT(says({"fa", "amp"}), HasSubstr("no learning rule or preset \"amp\""));
  EXPECT_THAT(says({"fa", "bp", "fa"}), HasSubstr("fa is given twice"));
  EXPECT_THAT(says({"fa", "feedback_alignment"}), HasSubstr("fa and feedback_alignment are the same rule"));
}

}  // namespace
}  // namespace chiasm::test
