// SPDX-License-Identifier: Apache-2.0
// Regression: arrays to be predicted from the input, such as recorded responses: vectors or maps of the readout's
// shape,
// [...], or with "over_time" one for each timestep from the image's arrival at the readout on, [steps, ...]. The loss
// is the mean over all elements; without "over_time" of the last timestep.
//   {"kind": "regression", "target": "response", "loss": "squared" | "absolute" | "poisson" | "cosine",
//    "over_time": false}
#include "engine/batch_shape.h"
#include "engine/config/config.h"
#include "engine/ops.h"
#include "kernels/reduction/mean.h"
#include "models/tasks/correlation.h"
#include "models/tasks/losses.h"
#include "models/tasks/task.h"

namespace chiasm {
namespace {

const Metric kR{"r", "correlation", "", Metric::Better::kHigher};
const Metric kExplained{"explained_variance", "explained variance", "", Metric::Better::kHigher};
const Metric kConstant{"constant_outputs", "outputs without a correlation", "", Metric::Better::kNeither};

struct Settings {
  std::string target;
  ArrayLoss loss = ArrayLoss::kSquared;
  bool over_time = false;

  int first_step(const Network& network) const {
    const int steps = network.presentation.steps;
    return over_time ? network.presentation.on + network.graph.readout_arrival() : steps - 1;
  }
  std::int64_t steps(const Network& network) const { return network.presentation.steps - first_step(network); }
};

// What is predicted, [N, steps, ...], or [N, ...] at the last step.
Value prediction_of(const Settings& settings, const Network& network, const Scope& scope, TaskInputs& in) {
  const Unrolled unrolled = run_network(network, scope, in[network.input_field()]);
  if (!settings.over_time) return unrolled.logits.back();
  std::vector<Value> steps;
  for (std::size_t t = static_cast<std::size_t>(settings.first_step(network)); t < unrolled.logits.size(); ++t) {
    const Shape& shape = unrolled.logits[t].shape();
    steps.push_back(reshape(unrolled.logits[t], with_batch(shape[0], with_batch(1, without_batch(shape)))));
  }
  return concat(steps, 1);
}

class RegressionScorer final : public Scorer {
 public:
  RegressionScorer(Settings settings, std::int64_t steps, std::int64_t outputs)
      : settings_(std::move(settings)),
        outputs_(static_cast<std::size_t>(outputs)),
        by_step_(static_cast<std::size_t>(steps), Correlations(static_cast<std::size_t>(outputs))) {}

  void add(const Program& program, const Batch& batch) override {
    const std::vector<double> y = output_rows(program, "prediction", batch.size());
    const std::vector<double> t = field_values(batch, settings_.target);
    for (std::size_t at = 0, step = 0; at < y.size(); at += outputs_, step = (step + 1) % by_step_.size()) {
      by_step_[step].add(std::span(y).subspan(at, outputs_), std::span(t).subspan(at, outputs_));
    }
    for (double loss : output_rows(program, "losses", batch.size())) loss_ += loss;
    samples_ += static_cast<double>(batch.size());
  }

  std::vector<Score> scores() const override {
    Score r{kR, 0.0}, explained{kExplained, 0.0};
    std::int64_t constant = 0;
    for (const Correlations& correlations : by_step_) {
      const MeanOfSome mean = mean_of_numbers(correlations.r());
      r.by_step.push_back(mean.mean);
      explained.by_step.push_back(correlations.explained());
      constant += mean.left_out;
    }
    r.value = mean_of_numbers(r.by_step).mean;
    explained.value = mean_of_numbers(explained.by_step).mean;
    if (!settings_.over_time) r.by_step = explained.by_step = {};
    return {r,
            explained,
            {{"loss", settings_.loss == ArrayLoss::kCosine ? "loss (1 - cosine)" : "loss"},
             loss_ / std::max(samples_, 1.0)},
            {kConstant, static_cast<double>(constant)}};
  }

 private:
  Settings settings_;
  std::size_t outputs_;
  std::vector<Correlations> by_step_;
  double loss_ = 0.0, samples_ = 0.0;
};

class Regression final : public Task {
 public:
  explicit Regression(Settings settings) : settings_(std::move(settings)) {}

  std::string_view kind() const override { return "regression"; }

  Fields fields(const Network& network) const override {
    const Shape readout = readout_shape(network);
    const Shape target = settings_.over_time ? with_batch(settings_.steps(network), readout) : readout;
    return {{network.input_field(), {{DType::kFloat32, network.input_shape()}, network.input_field() == "image"}},
            {settings_.target, {{DType::kFloat32, target}}}};
  }

  void build_loss(const Network& network, const Scope& scope, TaskInputs& in) const override {
    const Value prediction = prediction_of(settings_, network, scope, in);
    const LabelScope label(scope.graph(), "loss");
    const Value losses = array_losses(settings_.loss, prediction, in[settings_.target]);
    scope.graph().output("loss", scope.graph().apply(Mean{}, {losses}));
  }

  void build_evaluation(const Network& network, const Scope& scope, TaskInputs& in) const override {
    const Value prediction = prediction_of(settings_, network, scope, in);
    const LabelScope label(scope.graph(), "loss");
    Value losses = array_losses(settings_.loss, prediction, in[settings_.target]);
    if (losses.shape().rank() > 1) {
      const std::int64_t samples = in.batch();
      losses =
          scope.graph().apply(Mean{.axes = {1}}, {reshape(losses, {samples, losses.shape().elements() / samples})});
    }
    scope.graph().output("prediction", prediction);
    scope.graph().output("losses", losses);
  }

  std::unique_ptr<Scorer> scorer(const Network& network) const override {
    return std::make_unique<RegressionScorer>(settings_, settings_.over_time ? settings_.steps(network) : 1,
                                              readout_shape(network).elements());
  }

 private:
  Settings settings_;
};

}  // namespace

std::shared_ptr<const Task> make_regression(const ConfigNode& task) {
  Settings settings;
  settings.target = task.text_or("target", "target");
  settings.loss = read_array_loss(task);
  settings.over_time = task.boolean_or("over_time", false);
  return std::make_shared<Regression>(std::move(settings));
}

}  // namespace chiasm
