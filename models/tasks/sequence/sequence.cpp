// SPDX-License-Identifier: Apache-2.0
// Sequence: a network that sees a vector or an image at every timestep ("model.frames") and answers at every timestep.
// Targets are numbers, [steps, outputs], or with "cross_entropy" a class for each step, [steps]; "mask" [steps] says
// how much each answer counts, so that sequences of many lengths are padded to one:
//   L = sum over samples and steps of mask loss / sum of mask
//   {"kind": "sequence", "target": "target", "mask": "mask" | null, "loss": "squared" | "absolute" | "poisson" |
//    "cross_entropy"}
#include <algorithm>

#include "engine/config/config.h"
#include "engine/ops.h"
#include "kernels/elementwise/map.h"
#include "kernels/loss/cross_entropy.h"
#include "kernels/reduction/mean.h"
#include "kernels/reduction/sum.h"
#include "models/tasks/losses.h"
#include "models/tasks/task.h"

namespace chiasm {
namespace {

struct Settings {
  std::string target;
  std::string mask;  // "": every answer counts
  bool classes = false;
  ArrayLoss loss = ArrayLoss::kSquared;
};

class SequenceScorer final : public Scorer {
 public:
  SequenceScorer(Settings settings, int steps)
      : settings_(std::move(settings)),
        loss_(static_cast<std::size_t>(steps), 0.0),
        correct_(loss_.size(), 0.0),
        weight_(loss_.size(), 0.0) {}

  void add(const Program& program, const Batch& batch) override {
    const std::size_t steps = loss_.size();
    const std::vector<double> losses = output_rows(program, "losses", batch.size());  // [N, T]
    const std::vector<double> mask =
        settings_.mask.empty() ? std::vector<double>(losses.size(), 1.0) : field_values(batch, settings_.mask);
    std::vector<double> answers, classes;
    if (settings_.classes) {
      answers = output_rows(program, "answers", batch.size());
      classes = field_values(batch, settings_.target);
    }
    const std::size_t outputs = answers.size() / losses.size();
    for (std::size_t i = 0; i < losses.size(); ++i) {
      loss_[i % steps] += mask[i] * losses[i];
      weight_[i % steps] += mask[i];
      if (!settings_.classes) continue;
      const auto row = answers.begin() + static_cast<std::ptrdiff_t>(i * outputs);
      const auto best = std::max_element(row, row + static_cast<std::ptrdiff_t>(outputs)) - row;
      correct_[i % steps] += best == static_cast<std::ptrdiff_t>(classes[i]) ? mask[i] : 0.0;
    }
  }

  std::vector<Score> scores() const override {
    std::vector<Score> scores;
    if (settings_.classes)
      scores.push_back(over_time({"accuracy", "accuracy", "%", Metric::Better::kHigher}, correct_));
    scores.push_back(over_time({"loss", "loss", settings_.classes ? "nats" : ""}, loss_));
    return scores;
  }

 private:
  // At steps where no answer counts there is no score: 0.
  Score over_time(Metric metric, const std::vector<double>& sums) const {
    Score score{std::move(metric), 0.0};
    double sum = 0.0, weight = 0.0;
    for (std::size_t t = 0; t < sums.size(); ++t) {
      sum += sums[t];
      weight += weight_[t];
      score.by_step.push_back(weight_[t] > 0.0 ? sums[t] / weight_[t] : 0.0);
    }
    score.value = weight > 0.0 ? sum / weight : 0.0;
    return score;
  }

  Settings settings_;
  std::vector<double> loss_, correct_, weight_;
};

class Sequence final : public Task {
 public:
  explicit Sequence(Settings settings) : settings_(std::move(settings)) {}

  std::string_view kind() const override { return "sequence"; }
  std::string_view samples() const override { return "sequences"; }

  Fields fields(const Network& network) const override {
    const std::int64_t steps = network.presentation.steps, outputs = readout_shape(network).elements();
    Fields fields{{network.input_field(), {{DType::kFloat32, network.input_shape()}}}};
    fields.emplace(settings_.target,
                   settings_.classes ? Field{{DType::kInt32, {steps}}} : Field{{DType::kFloat32, {steps, outputs}}});
    if (!settings_.mask.empty()) fields.emplace(settings_.mask, Field{{DType::kFloat32, {steps}}});
    return fields;
  }

  void check(const Network& network) const override {
    if (!network.frames)
      throw InputError("the sequence task takes networks with \"frames\": an input for each timestep");
    if (readout_shape(network).rank() == 1) return;
    throw InputError("the readout puts out " + to_string(readout_shape(network)) +
                     "; the sequence task takes a vector at each timestep");
  }

  void build_loss(const Network& network, const Scope& scope, TaskInputs& in) const override {
    Graph& graph = scope.graph();
    const auto [losses, answers] = run(network, scope, in);
    if (settings_.mask.empty()) {
      graph.output("loss", graph.apply(Mean{}, {losses}));
      return;
    }
    const Value mask = in[settings_.mask];
    const Value weight = graph.apply(Sum{}, {mask});
    // A batch in which no answer counts has a loss of 0.
    const Value kept = graph.apply(Map<Clip>{{.low = 1e-6, .high = 1e30}}, {weight});
    graph.output("loss", graph.apply(Sum{}, {losses * mask}) / kept);
  }

  void build_evaluation(const Network& network, const Scope& scope, TaskInputs& in) const override {
    const auto [losses, answers] = run(network, scope, in);
    scope.graph().output("losses", losses);
    scope.graph().output("answers", answers);
  }

  std::unique_ptr<Scorer> scorer(const Network& network) const override {
    return std::make_unique<SequenceScorer>(settings_, network.presentation.steps);
  }

 private:
  struct Answered {
    Value losses;   // [N, T]
    Value answers;  // [N, T, outputs]
  };

  Answered run(const Network& network, const Scope& scope, TaskInputs& in) const {
    Graph& graph = scope.graph();
    const Unrolled unrolled = run_network(network, scope, in[network.input_field()]);
    graph.relabel("loss");
    const std::int64_t samples = in.batch(), steps = std::ssize(unrolled.logits);
    std::vector<Value> by_step;
    for (Value answer : unrolled.logits) by_step.push_back(reshape(answer, {samples, 1, answer.shape()[1]}));
    const Value answers = concat(by_step, 1);
    const Value target = in[settings_.target];
    if (settings_.classes) {
      const Value rows = reshape(answers, {samples * steps, answers.shape()[2]});
      const Value losses = graph.apply(CrossEntropy{}, {rows, reshape(target, {samples * steps})});
      return {reshape(losses, {samples, steps}), answers};
    }
    return {graph.apply(Mean{.axes = {2}}, {array_losses(settings_.loss, answers, target)}), answers};
  }

  Settings settings_;
};

}  // namespace

std::shared_ptr<const Task> make_sequence(const ConfigNode& task) {
  Settings settings;
  settings.target = task.text_or("target", "target");
  if (task.has("mask") && !task.at("mask").is_null()) settings.mask = task.text("mask");
  const std::string loss = task.choice("loss", {"squared", "absolute", "poisson", "cross_entropy"});
  settings.classes = loss == "cross_entropy";
  if (!settings.classes) settings.loss = read_array_loss(task);
  return std::make_shared<Sequence>(std::move(settings));
}

}  // namespace chiasm
