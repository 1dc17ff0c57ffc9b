// SPDX-License-Identifier: Apache-2.0
// Every task in training: resumed to the same bits, the same under all passes, under learning rules, and what
// evaluation says of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/snapshot.h"
#include "tests/support/compare.h"
#include "tests/support/cuda.h"
#include "tests/support/file_corpus.h"
#include "tools/training/evaluator.h"
#include "tools/training/session.h"
#include "tools/training/stand_in.h"

namespace chiasm::test {
namespace {

using testing::HasSubstr;

struct TaskCase {
  const char* kind;
  const char* data;
  const char* model;
  const char* task;
};

constexpr const char* kImages =
    R"("format": "arrays", "path": "unused", "fields": {"image": "x"}, "train": {}, "test": {},
  "augment": {"flip_probability": 0.5, "transforms": [{"op": "gaussian_blur"}]})";
constexpr const char* kConvNet = R"("image": [6, 6, 1], "steps": 3, "layers": [
  {"name": "a", "pre": [{"op": "conv", "channels": 4, "kernel": 3}], "cell": {"type": "gru"}},
  {"name": "b", "delay": 0, "pre": [{"op": "flatten"}, {"op": "linear", "units": 5}]}])";
constexpr const char* kRecurrent = R"("vector": 2, "frames": true, "steps": 5, "feedforward_delay": 0, "layers": [
  {"name": "a", "pre": [{"op": "linear", "units": 6}], "cell": {"type": "ugrnn"}},
  {"name": "b", "pre": [{"op": "linear", "units": 3}]}])";
constexpr const char* kGenerated = R"("format": "adding_problem", "samples": 16, "length": 5, "train": {}, "test": {})";

const TaskCase kCases[] = {
    {"classification", R"("format": "npy", "path": "unused", "train": {}, "test": {})", kConvNet,
     R"("kind": "classification")"},
    {"regression", kImages, kConvNet, R"("kind": "regression", "target": "response")"},
    {"regression_over_time", kImages, kConvNet,
     R"("kind": "regression", "target": "response", "loss": "absolute", "over_time": true)"},
    {"regression_cosine", kImages, kConvNet, R"("kind": "regression", "loss": "cosine")"},
    {"reconstruction", kImages, kConvNet,
     R"("kind": "reconstruction", "decoder": [{"op": "linear", "units": 18}, "relu", {"op": "reshape", "shape": [3, 3, 2]},
        {"op": "conv_transpose", "channels": 1, "stride": 2, "kernel": 3}])"},
    {"two_views", kImages, kConvNet,
     R"("kind": "two_views", "objective": "simsiam", "projector": [{"op": "linear", "units": 6}, {"op": "batch_norm"}],
        "predictor": [{"op": "linear", "units": 4}, "elu", {"op": "linear", "units": 6}])"},
    {"sequence", kGenerated, kRecurrent, R"("kind": "sequence", "loss": "squared", "mask": "mask")"},
    {"sequence_of_classes", kGenerated, kRecurrent, R"("kind": "sequence", "loss": "cross_entropy")"},
};

std::string text_of(const TaskCase& c, const std::string& train, const std::string& more = "") {
  return std::string(R"({"chiasm": 1, "name": "small", "data": {)") + c.data + R"(}, "model": {)" + c.model +
         R"(}, "task": {)" + c.task + R"(}, "train": {"batch": 4, "epochs": 9, "seed": 5, "dtype": "float64", )" +
         train + "}" + more + "}";
}

constexpr const char* kMomentum = R"("optimizer": {"type": "sgd", "momentum": 0.9}, "learning_rate": 0.02)";

class Tasks : public testing::TestWithParam<TaskCase> {
 protected:
  static Recipe recipe(const std::string& train = kMomentum, const std::string& more = "") {
    return read_recipe(Config::parse(text_of(GetParam(), train, more), "recipe"));
  }
};

void expect_same_tensors(const Parameters& a, const Parameters& b) {
  ASSERT_EQ(a.tensors().size(), b.tensors().size());
  for (const auto& [name, tensor] : a.tensors()) {
    EXPECT_TRUE(std::ranges::equal(tensor.bytes(), b.tensors().at(name).bytes())) << name;
  }
}

TEST_P(Tasks, ResumeToTheSameBits) {
  const Recipe r = recipe();
  const TempFolder folder;
  TrainingSession whole(r, stand_in_data(r), {.threads = 1}), first(r, stand_in_data(r), {.threads = 1});
  for (int i = 0; i < 7; ++i) whole.step();
  for (int i = 0; i < 3; ++i) first.step();
  save_snapshot(folder / "s", first.parameters(), first.position());
  TrainingSession second(r, stand_in_data(r), {.threads = 1});
  second.resume(folder / "s");
  for (int i = 3; i < 7; ++i) second.step();
  expect_same_tensors(whole.parameters(), second.parameters());
}

// Sums are reassociated only, over two steps: 1e-11 is some ten thousand roundings.
TEST_P(Tasks, AreTheSameUnderAllPasses) {
  const Recipe r = recipe();
  TrainingSession plain(r, stand_in_data(r), {.threads = 1, .passes = "none"});
  TrainingSession passed(r, stand_in_data(r), {.threads = 1, .passes = "all"});
  for (int i = 0; i < 2; ++i) EXPECT_NEAR(plain.step().loss, passed.step().loss, 1e-12);
  for (const auto& [name, tensor] : plain.parameters().tensors()) {
    EXPECT_TRUE(near(passed.parameters().tensors().at(name).view(), tensor.view(), {1e-11, 1e-13})) << name;
  }
}

// Float32 in other orders, over three steps of some thousand roundings each.
TEST_P(Tasks, TrainOnCudaLikeOnTheCpu) {
  CHIASM_NEEDS_CUDA();
  Recipe r = recipe();
  r.train.dtype = DType::kFloat32;
  TrainingSession cpu(r, stand_in_data(r), {.threads = 1});
  TrainingSession cuda(r, stand_in_data(r), {.device = {Device::Kind::kCuda, 0}});
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(cpu.step().loss, cuda.step().loss, 1e-4);
  for (const auto& [name, tensor] : cpu.parameters().tensors()) {
    EXPECT_TRUE(near(cuda.parameters().tensors().at(name).view(), tensor.view(), {1e-3, 1e-4})) << name;
  }
}

TEST_P(Tasks, LossFalls) {
  Recipe r = recipe(R"("optimizer": {"type": "adam"}, "learning_rate": 0.01)");
  r.data.train_views = r.data.test_views;  // two views of noise have nothing in common but what is not changed
  TrainingSession session(r, stand_in_data(r), {.threads = 1});
  const auto epoch = [&] {
    double sum = 0.0;
    for (std::int64_t i = 0; i < session.steps_per_epoch(); ++i) sum += session.step().loss;
    return sum;
  };
  const double before = epoch();
  for (int i = 0; i < 6; ++i) epoch();
  EXPECT_LT(epoch(), before);
}

// Backward weights have a draw of their own: under feedback alignment nothing moves them, and the rule of sign symmetry
// or symmetric alignment needs what they are. The loss is finite in all.
TEST_P(Tasks, LearnUnderRules) {
  for (const char* rule : {"fa", "sa", "usf"}) {
    SCOPED_TRACE(rule);
    const Recipe r = recipe(kMomentum, std::string(R"(, "learning_rule": {"rule": ")") + rule + "\"}");
    TrainingSession session(r, stand_in_data(r), {.threads = 1});
    std::map<std::string, Tensor> before;
    for (const auto& [name, tensor] : session.parameters().tensors()) before[name] = tensor.clone();
    double last = 0.0;
    for (int i = 0; i < 3; ++i) last = session.step().loss;
    EXPECT_TRUE(std::isfinite(last));
    int backward = 0, moved = 0;
    for (const auto& [name, tensor] : session.parameters().tensors()) {
      const bool same = std::ranges::equal(tensor.bytes(), before.at(name).bytes());
      if (name.ends_with("_backward") && !name.starts_with("optimizer/")) {
        ++backward;
        if (rule == std::string("fa")) {
          EXPECT_TRUE(same) << name;
        }
      } else if (name.ends_with("/weight")) {
        moved += !same;
      }
    }
    EXPECT_GT(moved, 0);
    if (rule != std::string("usf")) {
      EXPECT_GT(backward, 0);
    }
  }
}

TEST_P(Tasks, EvaluationSaysWhatItMeasured) {
  const Recipe r = recipe();
  TrainingSession session(r, stand_in_data(r), {.threads = 1});
  Evaluator evaluator(r, session.parameters(), stand_in_data(r), {.threads = 1});
  const Evaluation e = evaluator.run();
  EXPECT_EQ(e.samples, 16);
  EXPECT_TRUE(std::isfinite(e.value("loss")));
  for (const Score& score : e.scores) {
    EXPECT_TRUE(score.value || !score.by_step.empty()) << score.metric.name;
  }
}

// At a learning rate of zero the mean loss over an epoch of batches is what evaluation finds, where training has
// neither statistics of batches nor chance.
TEST_P(Tasks, EvaluationReportsTheLossOfTraining) {
  if (GetParam().kind == std::string("two_views")) return;  // batch normalisation; TwoViews.* below
  Recipe r = recipe(R"("optimizer": {"type": "sgd"}, "learning_rate": 0)");
  r.data.train_views = r.data.test_views;
  TrainingSession session(r, stand_in_data(r), {.threads = 1});
  double sum = 0.0;
  for (int i = 0; i < 4; ++i) sum += session.step().loss;
  Evaluator evaluator(r, session.parameters(), stand_in_data(r), {.threads = 1});
  // Float32 fields, float64 sums in another order. Masks of noise weigh batches differently.
  const double tolerance = GetParam().kind == std::string("sequence") ? 0.05 : 1e-12;
  EXPECT_NEAR(evaluator.run().value("loss"), sum / 4.0, tolerance);
}

INSTANTIATE_TEST_SUITE_P(All, Tasks, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.kind); });

// 1/2 mean (x^ - x)^2 + lambda mean |h| with the numbers of spec/mouse_vision.md section 10 is 0.1565: here as a
// network whose code is -x / 2 and whose decoder makes x^ = x / 2 of it by weights that are set.
TEST(Reconstruction, IsHalfTheSquaredErrorAndTheSparsity) {
  const Recipe r = read_recipe(Config::parse(R"({"chiasm": 1, "name": "small",
    "data": {"format": "adding_problem", "samples": 4, "length": 2, "train": {}, "test": {}},
    "model": {"vector": 4, "steps": 1, "feedforward_delay": 0,
      "layers": [{"name": "code", "pre": [{"op": "linear", "units": 3, "bias": false}]}]},
    "task": {"kind": "reconstruction", "decoder": [{"op": "linear", "units": 4}]},
    "train": {"batch": 1, "epochs": 1, "dtype": "float64", "optimizer": {"type": "sgd"}, "learning_rate": 0}})",
                                             "recipe"));
  Parameters parameters;
  Program program(task_loss(*r.task, r.network, parameters, 1, {.dtype = DType::kFloat64}), {.threads = 1});
  parameters.initialise(1);
  const auto set = [&](const char* name, std::vector<double> values) {
    std::ranges::copy(values, parameters.tensors().at(name).values<double>().begin());
  };
  set("code/linear/weight", {0.5, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});  // h = (.5, -1, 0) of x = (1, 2, 3, 4)
  set("decoder/linear/weight", std::vector<double>(12, 0.0));
  set("decoder/linear/bias", {1.5, 2, 2, 4});
  program.bind_all(parameters.tensors());
  const double x[] = {1, 2, 3, 4};
  std::ranges::copy(x, program.input("input").as<double>());
  program.run_compute();
  EXPECT_NEAR(*program.output("loss").as<double>(), 0.1565, 1e-15);
}

// A network that puts all images at one place has no spread; one that knows nothing of the views has some.
TEST(TwoViews, SpreadTellsCollapse) {
  const TaskCase& c =
      *std::ranges::find(kCases, std::string("two_views"), [](const TaskCase& t) { return std::string(t.kind); });
  const Recipe r = read_recipe(Config::parse(text_of(c, kMomentum), "recipe"));
  TrainingSession session(r, stand_in_data(r), {.threads = 1});
  Evaluator evaluator(r, session.parameters(), stand_in_data(r), {.threads = 1});
  EXPECT_GT(evaluator.run().value("spread"), 0.05);
  for (auto& [name, tensor] : session.parameters().tensors()) {
    if (name == "projector/linear/weight") std::ranges::fill(tensor.values<double>(), 0.0);
    if (name == "projector/linear/bias") std::ranges::fill(tensor.values<double>(), 1.0);
  }
  EXPECT_NEAR(evaluator.run().value("spread"), 0.0, 1e-7);
}

std::string refusal(const std::string& recipe) {
  return error_of<InputError>([&] {
    const Recipe r = read_recipe(Config::parse(recipe, "recipe"));
    TrainingSession(r, open_source(r.data.train), {.threads = 1});
  });
}

TEST(TaskErrors, NameWhatIsThere) {
  const auto with = [](const char* data, const char* model, const char* task) {
    return text_of({"", data, model, task}, kMomentum);
  };
  EXPECT_THAT(refusal(with(kGenerated, kRecurrent, R"("kind": "sequence", "loss": "squared", "target": "place")")),
              testing::AllOf(HasSubstr("no field \"place\""), HasSubstr("input, mask, target")));
  EXPECT_THAT(refusal(with(kGenerated, kRecurrent, R"("kind": "sequence", "loss": "squared")")),
              HasSubstr("takes \"target\" of shape [5, 3], and the data has [5, 1]"));
  EXPECT_THAT(refusal(with(kGenerated, kRecurrent, R"("kind": "sequence", "loss": "cross_entropy")")),
              HasSubstr("[5, 1]"));
  EXPECT_THAT(refusal(with(kGenerated, kConvNet, R"("kind": "sequence", "loss": "squared")")), HasSubstr("\"frames\""));
  EXPECT_THAT(refusal(with(kImages, kConvNet, R"("kind": "foraging")")), HasSubstr("\"two_views\""));
  EXPECT_THAT(
      refusal(with(kImages, kConvNet, R"("kind": "reconstruction", "decoder": [{"op": "linear", "units": 7}])")),
      HasSubstr("the decoder makes [1, 7] of a batch of inputs [1, 6, 6, 1]"));
  EXPECT_THAT(refusal(with(kImages, kConvNet, R"("kind": "reconstruction")")), HasSubstr("decoder"));
  EXPECT_THAT(refusal(with(kImages, kConvNet, R"("kind": "two_views", "objective": "simsiam",
                "predictor": [{"op": "linear", "units": 2}])")),
              HasSubstr("the predictor makes [1, 2]"));
  EXPECT_THAT(refusal(with(kImages, kConvNet, R"("kind": "regression", "loss": "huber")")), HasSubstr("poisson"));
  EXPECT_THAT(refusal(with(R"("format": "arrays", "path": "x.npz", "train": {}, "test": {})", kConvNet,
                           R"("kind": "regression")")),
              HasSubstr("\"fields\" is missing"));
  EXPECT_THAT(refusal(with(R"("format": "adding_problem", "length": 5, "train": {}, "test": {})", kRecurrent,
                           R"("kind": "sequence", "loss": "squared")")),
              HasSubstr("\"samples\" is missing"));
}

}  // namespace
}  // namespace chiasm::test
