// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/error.h"

namespace chiasm::test {
namespace {

using testing::HasSubstr;

Learning read(const std::string& json) {
  const Config config = Config::parse(R"({"learning_rule": )" + json + "}", "r.json");
  Learning learning = read_learning(config.root().at("learning_rule"), {.base = 0.5, .warmup_epochs = 3});
  config.finish();
  return learning;
}

std::string error_of(const std::string& json) {
  try {
    read(json);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(LearningConfig, ReadsEveryRuleByNameAndAbbreviation) {
  for (const NamedRule* named : all_rules()) {
    for (const std::string& name : {named->rule.name, std::string(named->abbreviation)}) {
      const Learning learning = read("\"" + name + "\"");
      EXPECT_EQ(learning.rule.name, named->rule.name);
      EXPECT_EQ(learning.rule.feedback, named->rule.feedback);
      EXPECT_EQ(learning.rule.terms.size(), named->rule.terms.size());
      EXPECT_EQ(learning.phases.alternate, named->alternates);
      EXPECT_EQ(learning.schedule.base, 1e-3);
      EXPECT_EQ(learning.schedule.warmup_epochs, 3);
    }
  }
}

TEST(LearningConfig, ReadsEveryField) {
  const Learning l = read(R"({
    "rule": "ia", "name": "mine",
    "primitives": {"amp": {"value": 2, "start": 0.1, "stop": 0.9, "drift": "exponential", "drift_rate": -0.5, "cycle_epochs": 4},
                   "decay": "l2"},
    "operations": ["bo_fwl2n", "fo_bias"], "noise": {"type": "uniform", "std": 0.25},
    "layers": [{"paths": ["conv1/*", "x"], "rule": "backprop"}, {"paths": ["conv2/*"], "primitives": {"self": 1, "decay": 1}}],
    "optimizer": {"type": "sgd", "momentum": 0.5}, "learning_rate": {"base": 0.1, "schedule": "steps", "boundaries": [2]},
    "alternate": false, "delay_epochs": 1.5, "off_phase": "freeze",
    "update_noise": {"variance": 0.01}, "task_update_noise": {"variance": 0.02, "type": "uniform"}, "divergence_factor": 10})");
  EXPECT_EQ(l.name, "mine");
  ASSERT_EQ(l.rule.terms.size(), 2u);
  EXPECT_EQ(l.rule.terms[0].primitive->name, "decay");
  EXPECT_TRUE(l.rule.terms[0].coefficient.layer_l2);
  EXPECT_EQ(l.rule.terms[1].coefficient, (Coefficient{2, 0.1, 0.9, Coefficient::Drift::kExponential, -0.5, 4, false}));
  EXPECT_EQ(names_of(l.rule.operations), (std::vector<std::string>{"fo_bias", "bo_fwl2n"}));
  EXPECT_EQ(l.rule.noise, (InputNoise{InputNoise::Kind::kUniform, 0.25}));
  EXPECT_EQ(l.phases, (PhasePlan{false, 1.5, PhasePlan::OffPhase::kFreeze}));
  EXPECT_EQ(std::get<Sgd>(l.optimizer.rule).momentum, 0.5);
  EXPECT_EQ(l.schedule.rate_at(2.0), 0.1 * 0.1);
  EXPECT_EQ(l.schedule.warmup_epochs, 0);
  EXPECT_EQ(l.alignment_noise.variance, 0.01);
  EXPECT_TRUE(l.task_noise.uniform);
  EXPECT_EQ(l.divergence_factor, 10);
  EXPECT_FALSE(l.untied("conv1/conv/weight"));
  EXPECT_TRUE(l.untied("conv2/conv/weight"));
  EXPECT_EQ(l.rule_of("conv2/conv/weight").terms.size(), 2u);
  EXPECT_EQ(l.rule_of("conv3/conv/weight").name, "information_alignment");
  // Coefficients that change over training are told apart by the rule's name.
  EXPECT_NE(l.placements[0].rule.name, l.placements[1].rule.name);
}

TEST(LearningConfig, PrimitivesAloneAreARule) {
  const Learning l = read(R"({"primitives": {"self": 1, "decay": 1}})");
  EXPECT_TRUE(l.untied("any"));
  EXPECT_TRUE(l.aligns());
  EXPECT_FALSE(l.phases.alternate);
}

TEST(LearningConfig, SaysWhatIsWrong) {
  EXPECT_THAT(error_of("\"wieght_mirror\""), HasSubstr("weight_mirror"));
  EXPECT_THAT(error_of(R"({"rule": "sa", "primitives": {"apm": 1}})"), HasSubstr("apm"));
  EXPECT_THAT(error_of(R"({"rule": "sa", "primitives": {}})"), HasSubstr("no primitive"));
  EXPECT_THAT(error_of(R"({"rule": "sa", "primitives": {"amp": "l1"}})"), HasSubstr("\"l2\""));
  EXPECT_THAT(error_of(R"({"rule": "sa", "operations": ["fo_blur"]})"), HasSubstr("fo_bwmc"));
  EXPECT_THAT(error_of(R"({"rule": "wm", "noise": {"type": "normal", "std": 0}})"), HasSubstr("noise.std"));
  EXPECT_THAT(error_of(R"({"rule": "fa", "alternate": true})"), HasSubstr("no alignment loss"));
  EXPECT_THAT(error_of(R"({"rule": "kp", "delay_epochs": 1})"), HasSubstr("no alignment loss"));
  EXPECT_THAT(error_of(R"({"rule": "backprop", "primitives": {"amp": 1}})"), HasSubstr("none of their own"));
  EXPECT_THAT(error_of(R"({"rule": "kp", "primitives": {"angle": 1, "amp": 1}})"), HasSubstr("\"angle\""));
  EXPECT_THAT(error_of(R"({"rule": "aa", "operations": ["bo_fwl2n"]})"), HasSubstr("constant under bo_fwl2n"));
  EXPECT_THAT(error_of(R"({"rule": "ia", "operations": ["fo_fwl2n"]})"), HasSubstr("constant under fo_fwl2n"));
  EXPECT_THAT(error_of(R"({"rule": "sa", "layers": [{"rule": "fa"}]})"), HasSubstr("paths"));
  EXPECT_THAT(error_of("3"), HasSubstr("learning_rule"));
}

}  // namespace
}  // namespace chiasm::test
