// SPDX-License-Identifier: Apache-2.0
// Learning rules in recipes and in training sessions: presets, phases, resuming, looking at the result.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/data/memory_dataset.h"
#include "kernels/error.h"
#include "learning_rules/plastic_layers.h"
#include "tests/support/compare.h"
#include "tests/support/file_corpus.h"
#include "tools/recipe/presets.h"
#include "tools/training/session.h"

namespace chiasm::test {
namespace {

using testing::HasSubstr;

constexpr const char* kRecipe = R"({"chiasm": 1, "name": "tiny", "data": {"format": "idx", "path": "unused"},
  "model": {"image": [6, 6, 1], "steps": 3, "layers": [
    {"name": "conv1", "pre": [{"op": "conv", "channels": 3, "kernel": 3, "l2": 1e-3}, {"op": "batch_norm"}, "relu"]},
    {"name": "conv2", "pre": [{"op": "conv", "channels": 3, "kernel": 3}], "cell": {"type": "gru"}},
    {"name": "readout", "pre": [{"op": "flatten"}, {"op": "linear", "units": 3}]}],
    "connections": [{"source": "conv2", "target": "conv1"}]},
  "train": {"batch": 4, "epochs": 3, "optimizer": {"type": "sgd", "momentum": 0.9}, "learning_rate": 0.05}})";

Recipe recipe_with(const std::string& rule, const std::string& groups = "") {
  Config config = Config::parse(kRecipe, "tiny.json");
  config.set("data.train", "{}");
  config.set("data.test", "{}");
  if (!rule.empty()) config.set("learning_rule", rule);
  if (!groups.empty()) {
    config.set("train.groups", groups);
    config.set("train.moving_copies", R"([{"paths": ["conv*"], "coefficient": {"start": 0.9, "schedule": "cosine"}}])");
  }
  expand_preset(config);
  return read_recipe(std::move(config));
}

std::shared_ptr<const Dataset> images() {
  Tensor pixels({DType::kFloat32, {20, 6, 6, 1}});
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < pixels.values<float>().size(); ++i) {
    pixels.values<float>()[i] = static_cast<float>(std::sin(1.7 * static_cast<double>(i)));
  }
  for (std::int32_t i = 0; i < 20; ++i) labels.push_back(i % 3);
  return std::make_shared<MemoryDataset>(std::move(pixels), labels, std::vector<std::string>{}, "images", "labels");
}

std::map<std::string, Tensor> copies(const Parameters& parameters) {
  std::map<std::string, Tensor> result;
  for (const auto& [name, tensor] : parameters.tensors()) result[name] = tensor.clone();
  return result;
}

struct Setting {
  const char* name;
  const char* rule;
  const char* groups = "";  // with groups and moving copies
};
void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.name; }

// A rule of its own for each kind of parameter, and one that stays.
constexpr const char* kGroups = R"([
  {"paths": ["conv1/conv/bias"], "freeze": true},
  {"paths": ["*bias*", "*norm*"], "optimizer": {"type": "lars", "layerwise": false}, "learning_rate": 0.01},
  {"paths": ["conv1/*"], "optimizer": {"type": "lars", "weight_decay": 1e-3, "clip": {"by": "norm", "limit": 0.5}},
   "learning_rate": {"base": 3, "schedule": "cosine", "warmup_epochs": 1, "follow": "epoch_end"}},
  {"paths": ["conv2/conv/*"], "optimizer": {"type": "adamw", "weight_decay": 0.1}, "learning_rate": 0.01},
  {"paths": ["conv2/*"], "optimizer": {"type": "rmsprop", "momentum": 0.5, "clip": {"by": "global_norm", "limit": 1}},
   "learning_rate": 0.001}])";

class Sessions : public testing::TestWithParam<Setting> {};
INSTANTIATE_TEST_SUITE_P(
    LearningRules, Sessions,
    testing::Values(
        Setting{"fa", R"("fa")"}, Setting{"dfa", R"("dfa")"}, Setting{"brsf", R"("brsf")"}, Setting{"kp", R"("kp")"},
        Setting{"sa_noisy",
                R"({"rule": "sa", "update_noise": {"variance": 0.1}, "task_update_noise": {"variance": 0.01}})"},
        Setting{"ia_coast", R"({"preset": "ia_imagenet", "delay_epochs": 0.8})"},
        Setting{"wm_freeze", R"({"rule": "wm", "off_phase": "freeze", "delay_epochs": 0.4})"},
        Setting{"wm_akrout", R"("wm_akrout")"},
        Setting{"changing", R"({"rule": "aa", "primitives": {"amp": {"value": 1, "drift": "linear", "drift_rate": 0.5},
                                "sparse": {"value": 1, "cycle_epochs": 2}}})"},
        Setting{"bp_groups", "", kGroups}, Setting{"fa_groups", R"("fa")", kGroups},
        Setting{"kp_groups", R"("kp")", kGroups},
        Setting{"ia_groups", R"({"preset": "ia_imagenet", "delay_epochs": 0.4})", kGroups}),
    [](const testing::TestParamInfo<Setting>& info) { return std::string(info.param.name); });

// Seven steps at once, and three, a snapshot, and four: the same bits everywhere.
TEST_P(Sessions, ResumeToTheSameBits) {
  const Recipe recipe = recipe_with(GetParam().rule, GetParam().groups);
  const TempFolder folder;
  const std::string file = folder / "step.safetensors";
  TrainingSession whole(recipe, images(), {.threads = 1}), first(recipe, images(), {.threads = 1});
  const std::map<std::string, Tensor> before = copies(whole.parameters());
  for (int i = 0; i < 7; ++i) whole.step();
  for (int i = 0; i < 3; ++i) first.step();
  save_snapshot(file, first.parameters(), first.position());
  TrainingSession second(recipe, images(), {.threads = 1});
  second.resume(file);
  for (int i = 0; i < 4; ++i) second.step();
  int moved = 0;
  for (const auto& [name, tensor] : whole.parameters().tensors()) {
    EXPECT_TRUE(bit_equal(second.parameters().tensors().at(name).view(), tensor.view())) << name;
    moved += !bit_equal(before.at(name).view(), tensor.view());
  }
  EXPECT_GE(moved, 8);
  for (const LayerAlignment& layer : whole.alignment()) {
    EXPECT_TRUE(std::isfinite(layer.weight_angle + layer.projection_angle + layer.gradient_angle)) << layer.path;
  }
}

// The first step of plain descent goes by the learning rate along the gradient, which is that of the run without
// groups.
TEST(ParameterGroupSessions, TakeTheirOwnRates) {
  const auto trained = [](const std::string& groups, int steps) {
    Config config = Config::parse(kRecipe, "tiny.json");
    for (const char* part : {"data.train", "data.test"}) config.set(part, "{}");
    config.set("train.dtype", "float64");
    config.set("train.optimizer", R"({"type": "sgd"})");
    if (!groups.empty()) config.set("train.groups", groups);
    const Recipe recipe = read_recipe(std::move(config));
    TrainingSession session(recipe, images(), {.threads = 1});
    for (int i = 0; i < steps; ++i) session.step();
    return copies(session.parameters());
  };
  // 5 steps an epoch, 3 epochs: the rate of the first one is that of its end.
  const char* groups = R"([
    {"paths": ["readout/*"], "learning_rate": {"base": 0.3, "schedule": "polynomial", "follow": "epoch_end"}},
    {"paths": ["conv2/conv/weight"], "weight_decay": 0.5},
    {"paths": ["conv2/*"], "learning_rate": 0.2}])";
  const std::map<std::string, Tensor> start = trained("", 0), plain = trained("", 1), grouped = trained(groups, 1);
  const auto moved = [&](const std::map<std::string, Tensor>& to, const std::string& name, std::size_t i) {
    return to.at(name).values<double>()[i] - start.at(name).values<double>()[i];
  };
  for (const auto& [name, factor] : {std::pair{"readout/linear/weight", 0.2 / 0.05},
                                     {"conv2/cell/candidate/bias", 0.2 / 0.05},
                                     {"conv1/conv/weight", 1.0}}) {
    ASSERT_TRUE(start.contains(name)) << name;
    EXPECT_NE(moved(plain, name, 0), 0.0) << name;
    EXPECT_NEAR(moved(grouped, name, 0), factor * moved(plain, name, 0), 1e-15) << name;
  }
  const double w = start.at("conv2/conv/weight").values<double>()[1];
  EXPECT_NEAR(moved(grouped, "conv2/conv/weight", 1), moved(plain, "conv2/conv/weight", 1) - 0.05 * 0.5 * w, 1e-15);
}

TEST(ParameterGroupSessions, NameThePatternThatFitsNothing) {
  const Recipe recipe = recipe_with("", R"([{"paths": ["conv1/*", "covn2/*"], "freeze": true}])");
  try {
    TrainingSession session(recipe, images(), {.threads = 1});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("train.groups[0]"));
    EXPECT_THAT(error.what(), HasSubstr("\"covn2/*\""));
    EXPECT_THAT(error.what(), HasSubstr("\"conv2/conv/weight\""));
  }
}

TEST(LearningRuleSessions, FollowTheirPhases) {
  // 5 steps an epoch: 2 of delay, then alignment (even) and task (odd) in turn.
  const Recipe recipe = recipe_with(R"({"rule": "wm", "delay_epochs": 0.4})");
  TrainingSession session(recipe, images(), {.threads = 1});
  EXPECT_EQ(session.total_steps(), 2 + 2 * 3 * 5);
  std::string phases;
  for (int i = 0; i < 8; ++i) phases += session.step().task ? 't' : 'a';
  EXPECT_EQ(phases, "aaatatat");
}

TEST(LearningRuleSessions, MeasureOnlyWhatHasABackwardWeight) {
  const Recipe tied = recipe_with("");
  TrainingSession plain(tied, images(), {.threads = 1});
  plain.step();
  EXPECT_TRUE(plain.alignment().empty());
  const Recipe some = recipe_with(R"({"layers": [{"paths": ["conv1/*"], "rule": "sa"}]})");
  TrainingSession partial(some, images(), {.threads = 1});
  partial.step();
  const std::vector<LayerAlignment> measured = partial.alignment();
  ASSERT_EQ(measured.size(), 1u);
  EXPECT_EQ(measured[0].path, "conv1/conv/weight");
}

TEST(LearningRuleRecipes, GiveOneSourceOfBackwardWeights) {
  Config config = Config::parse(kRecipe, "tiny.json");
  config.set("data.train", "{}");
  config.set("data.test", "{}");
  config.set("learning_rule", "fa");
  config.set("model.backward_weights", "untied");
  try {
    read_recipe(std::move(config));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("backward_weights"));
  }
}

TEST(LearningRuleRecipes, UnknownNamesAreErrors) {
  for (const char* rule : {R"("ai")", R"({"preset": "ai"})"}) {
    try {
      recipe_with(rule);
      FAIL() << rule;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("learning_rule"));
      EXPECT_THAT(error.what(), HasSubstr("\"ia_imagenet\""));
    }
  }
}

TEST(LearningRuleRecipes, OfTheTreeLoad) {
  for (const char* name :
       {"fashion_mlp_fa", "fashion_mlp_wm", "fashion_mlp_kp", "resnet18_wm_ad", "resnet18_wm_ad_ops", "resnet18_aa"}) {
    EXPECT_TRUE(load_recipe(name, {}).train.learning.any_untied()) << name;
  }
  // 61,398 of fashion_rgc, and a gain and an offset for each channel before and after the three cells.
  EXPECT_EQ(summarise(load_recipe("fashion_rgc_norm", {}).network).parameters, 61'398 + 2 * 2 * (16 + 24 + 48));
}

TEST(LearningRuleRecipes, KeepTheirRateUnderARuleAndNotUnderAPreset) {
  Config config = Config::parse(kRecipe, "tiny.json");
  EXPECT_EQ(rule_override(config, "sa"), "learning_rule=\"sa\"");
  config.set("learning_rule", R"({"learning_rate": 0.25})");
  EXPECT_EQ(rule_override(config, "sa"), "learning_rule.rule=\"sa\"");
  EXPECT_EQ(rule_override(config, "wm_ad"), "learning_rule=\"wm_ad\"");
  config.set("learning_rule", "fa");
  EXPECT_EQ(rule_override(config, "sa"), "learning_rule=\"sa\"");
}

// Table 5.5 in the canonical convention: decay and null of the reference doubled, amp as it is.
TEST(LearningRulePresets, HoldTheNumbersOfTheTable) {
  struct Row {
    const char* name;
    double amp_over_decay, deviation, rate, delay;
    bool alternate, adam;
  };
  for (const Row& row : {Row{"wm_tpe", 15.6607, 0.6905, 1.0, 2, true, false},
                         {"wm_ad", 13.9040, 0.95, 0.0053, 0, true, true},
                         {"wm_ad_ops", 0.1344, 0.6402, 0.0025, 0, true, true},
                         {"ia_imagenet", 129.1123, 0.8176, 0.0098, 1, true, true}}) {
    const Learning learning = recipe_with("\"" + std::string(row.name) + "\"").train.learning;
    double amp = 0.0, decay = 0.0;
    for (const RuleTerm& term : learning.rule.terms) {
      if (term.primitive->name == "amp") amp = term.coefficient.value;
      if (term.primitive->name == "decay") decay = term.coefficient.value / 2;
    }
    EXPECT_NEAR(amp / decay, row.amp_over_decay, 2e-3) << row.name;  // amp is printed to four digits
    EXPECT_EQ(learning.rule.noise, (InputNoise{InputNoise::Kind::kNormal, row.deviation})) << row.name;
    EXPECT_EQ(learning.schedule.base, row.rate) << row.name;
    EXPECT_EQ(learning.phases, (PhasePlan{row.alternate, row.delay, PhasePlan::OffPhase::kCoast})) << row.name;
    EXPECT_EQ(std::holds_alternative<Adam>(learning.optimizer.rule), row.adam) << row.name;
    EXPECT_EQ(learning.name, row.name);
  }
}

// Rates of the published run of information alignment, epoch by epoch (spec/learning_rules.md 7.3), through the recipe.
TEST(LearningRulePresets, FollowThePublishedSchedule) {
  const Recipe recipe = load_recipe("resnet18_ia", {});
  const Learning& learning = recipe.train.learning;
  struct Row {
    double epoch, task, alignment;
  };
  for (const Row& row : {Row{0, 0, 0.0098},
                         {1, 0, 0.0098},
                         {2, 0.01041667, 0.0098},
                         {7, 0.0625, 0.0098},
                         {13, 0.125, 0.0098},
                         {60, 0.125, 0.0098},
                         {61, 0.0125, 0.00098},
                         {121, 0.00125, 9.8e-5},
                         {161, 0.000125, 9.8e-6}}) {
    EXPECT_NEAR(learning.phases.task_rate(recipe.train.schedule, row.epoch), row.task, 5e-9) << row.epoch;
    EXPECT_NEAR(learning.phases.alignment_rate(learning.schedule, row.epoch), row.alignment, 1e-12) << row.epoch;
  }
  constexpr std::int64_t kStepsPerEpoch = 1281167 / 256;
  EXPECT_EQ(learning.phases.total_steps(recipe.train.epochs, kStepsPerEpoch), 201 * kStepsPerEpoch);
  const Recipe mirror = load_recipe("resnet18_wm_tpe", {});
  EXPECT_EQ(mirror.train.learning.phases.total_steps(mirror.train.epochs, 1281167 / 2048), 126'250);
  EXPECT_EQ(load_recipe("resnet18_sa", {}).train.learning.phases.total_steps(90, kStepsPerEpoch), 450'360);
}

TEST(LearningRulePresets, AreAllReadable) {
  const std::vector<Preset> presets = all_presets();
  EXPECT_GE(presets.size(), 7u);
  for (const Preset& preset : presets) {
    EXPECT_NO_THROW(recipe_with("\"" + preset.name + "\"")) << preset.name;
    for (const NamedRule* named : all_rules()) {
      EXPECT_TRUE(preset.name != named->rule.name && preset.name != named->abbreviation) << preset.name;
    }
    EXPECT_FALSE(preset.published.empty() || preset.defaults.empty()) << preset.name;
  }
}

// What is asked of layers that have no ReLU, or no bias, is said; what some layer has is not.
TEST(LearningNote, NamesOperationsThatDoNothing) {
  const auto note = [](const char* activation, const char* operations) {
    Config config = Config::parse(kRecipe, "tiny.json");
    config.set("data.train", "{}");
    config.set("data.test", "{}");
    config.set("model.layers[0].pre[2]", activation);
    config.set("model.layers[2].pre[1].bias", "false");
    config.set("learning_rule", std::string(R"({"rule": "weight_mirror", "operations": )") + operations + "}");
    const Recipe recipe = read_recipe(std::move(config));
    return TrainingSession(recipe, images(), {.threads = 1}).learning_note();
  };
  EXPECT_EQ(note("relu", R"(["fo_bias", "fo_relu"])"), "");
  const std::string elu = note("elu", R"(["fo_bias", "fo_relu", "bo_relu"])");
  EXPECT_THAT(elu, HasSubstr("fo_relu of weight_mirror does nothing: no layer is followed by a ReLU (but by elu"));
  EXPECT_THAT(elu, HasSubstr("bo_relu of weight_mirror does nothing"));
  EXPECT_EQ(std::count(elu.begin(), elu.end(), '\n'), 2) << elu;
  EXPECT_EQ(note("elu", R"(["fo_activation"])"), "");
  EXPECT_EQ(note("elu", "[]"), "");
}

// spec/learning_rules.md 9.3: hidden and output units are sigmoids, and both are mirrored as such.
TEST(LearningRuleRecipes, WeightMirrorMirrorsLogisticOutputs) {
  const Recipe recipe = load_recipe("fashion_mlp_wm", {});
  Parameters parameters;
  Graph loss = loss_graph(recipe, parameters, 2, "");
  const std::vector<PlasticLayer> layers = find_plastic_layers(Value(&loss, loss.outputs().at("loss")));
  ASSERT_EQ(layers.size(), 2U);
  for (const PlasticLayer& layer : layers) {
    ASSERT_EQ(layer.applications.size(), 1U);
    const Application& application = layer.applications[0];
    EXPECT_TRUE(static_cast<bool>(application.bias)) << layer.path;
    ASSERT_NE(application.activation, nullptr) << layer.path;
    EXPECT_EQ(application.activation->name(), "sigmoid") << layer.path;
  }
}

}  // namespace
}  // namespace chiasm::test
