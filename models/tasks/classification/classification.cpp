// SPDX-License-Identifier: Apache-2.0
// Classification: one class for each image, from the readout's logits over time (decoder.h), under an objective
// (objectives/objective.h) of the recipe's "model".
//   {"kind": "classification"}
#include <algorithm>
#include <span>

#include "engine/config/config.h"
#include "engine/ops.h"
#include "kernels/reduction/mean.h"
#include "models/tasks/task.h"

namespace chiasm {
namespace {

const Metric kTop1{"top1", "accuracy", "%", Metric::Better::kHigher};
const Metric kLoss{"loss", "loss", "nats"};
const Metric kDecided{"decided", "decide here", "%", Metric::Better::kNeither};

std::span<const Value> decoded_logits(const Network& network, const Unrolled& unrolled) {
  return std::span(unrolled.logits).subspan(static_cast<std::size_t>(network.first_decoded_step()));
}

// Ties go to the lower class.
bool is_correct(std::span<const double> logits, std::int32_t label) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin() == label;
}

class ClassificationScorer final : public Scorer {
 public:
  explicit ClassificationScorer(const Network& network)
      : network_(network), steps_(static_cast<std::size_t>(network.presentation.steps)) {
    for (std::vector<double>* sums : {&top1_by_step_, &loss_by_step_, &decided_by_step_}) sums->assign(steps_, 0.0);
  }

  void add(const Program& program, const Batch& batch) override {
    const std::span<const std::int32_t> labels = batch.at("label").values<std::int32_t>();
    const View logits = program.output("logits");  // [T, N, classes]
    const auto rows = static_cast<std::size_t>(logits.shape()[1]),
               classes = static_cast<std::size_t>(logits.shape()[2]);
    const std::vector<double> over_time = output_rows(program, "logits", network_.presentation.steps);
    const std::vector<double> decoded = output_rows(program, "decoded", batch.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto decided = std::span(decoded).subspan(i * classes, classes);
      top1_ += is_correct(decided, labels[i]);
      loss_ += network_.objective.loss(decided, labels[i]);
      decided_by_step_[decision(program, i)] += 1.0;
      for (std::size_t t = 0; t < steps_; ++t) {
        const auto row = std::span(over_time).subspan((t * rows + i) * classes, classes);
        top1_by_step_[t] += is_correct(row, labels[i]);
        loss_by_step_[t] += network_.objective.loss(row, labels[i]);
      }
    }
    samples_ += static_cast<double>(labels.size());
  }

  std::vector<Score> scores() const override {
    return {{kTop1, mean(top1_), mean(top1_by_step_)},
            {kLoss, mean(loss_), mean(loss_by_step_)},
            {kDecided, std::nullopt, mean(decided_by_step_)}};
  }

 private:
  std::size_t decision(const Program& program, std::size_t sample) const {
    if (!program.graph().outputs().contains("decision")) return steps_ - 1;
    const std::int32_t* from = program.output("decision").as<std::int32_t>();
    return static_cast<std::size_t>(network_.first_decoded_step() + from[sample]);
  }
  double mean(double sum) const { return sum / std::max(samples_, 1.0); }
  std::vector<double> mean(std::vector<double> sums) const {
    for (double& sum : sums) sum = mean(sum);
    return sums;
  }

  const Network& network_;
  std::size_t steps_;
  double samples_ = 0.0, top1_ = 0.0, loss_ = 0.0;
  std::vector<double> top1_by_step_, loss_by_step_, decided_by_step_;
};

class Classification final : public Task {
 public:
  std::string_view kind() const override { return "classification"; }

  Fields fields(const Network& network) const override {
    return {{network.input_field(), {{DType::kFloat32, network.input_shape()}, network.input_field() == "image"}},
            {"label", {{DType::kInt32, {}}}}};
  }

  void check(const Network& network) const override {
    const Shape readout = readout_shape(network);
    if (readout.rank() == 1) return;
    throw InputError("the readout \"" + network.graph.readout + "\" puts out " + to_string(readout) +
                     "; it must put out one number per class");
  }

  void check_data(const Network& network, const Source& source, const std::string& origin) const override {
    const auto classes = static_cast<std::int64_t>(source.class_names().size());
    const std::int64_t outputs = readout_shape(network)[0];
    if (classes <= outputs) return;
    throw InputError(origin + ": the readout has " + std::to_string(outputs) + " outputs, and the data has " +
                     std::to_string(classes) + " classes");
  }

  void build_loss(const Network& network, const Scope& scope, TaskInputs& in) const override {
    Graph& graph = scope.graph();
    const Value input = in[network.input_field()], label = in["label"];
    const Unrolled unrolled = run_network(network, scope, input);
    graph.relabel("loss");
    const std::span<const Value> decoded = decoded_logits(network, unrolled);
    const Decision decision = decide(network.decoder, decoded);
    const auto loss_of = [&](Value logits) {
      return graph.apply(Mean{.axes = {0}}, {network.objective.losses(logits, label)});
    };
    if (network.decoder.kind == Decoder::Kind::kAll) {
      Value sum;
      for (Value logits : decoded) sum = sum ? sum + loss_of(logits) : loss_of(logits);
      const auto steps = static_cast<double>(decoded.size());
      graph.output("loss", steps == 1 ? sum : affine(sum, 1.0 / steps, 0.0));
    } else {
      graph.output("loss", loss_of(decision.logits));
    }
    graph.output("logits", decision.logits);
  }

  void build_evaluation(const Network& network, const Scope& scope, TaskInputs& in) const override {
    const Unrolled unrolled = run_network(network, scope, in[network.input_field()]);
    scope.graph().relabel("readout");
    std::vector<Value> by_step;
    for (Value logits : unrolled.logits) by_step.push_back(reshape(logits, {1, in.batch(), logits.shape()[1]}));
    scope.graph().output("logits", concat(by_step, 0));
    const Decision decision = decide(network.decoder, decoded_logits(network, unrolled));
    scope.graph().output("decoded", decision.logits);
    if (decision.step) scope.graph().output("decision", decision.step);
  }

  std::vector<Score> batch_scores(const Program& program, const Batch& batch) const override {
    const std::span<const std::int32_t> labels = batch.at("label").values<std::int32_t>();
    const std::vector<double> logits = output_rows(program, "logits", batch.size());
    const std::size_t classes = logits.size() / labels.size();
    double correct = 0.0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      correct += is_correct(std::span(logits).subspan(i * classes, classes), labels[i]);
    }
    return {{kTop1, correct / static_cast<double>(labels.size())}};
  }

  std::unique_ptr<Scorer> scorer(const Network& network) const override {
    return std::make_unique<ClassificationScorer>(network);
  }
};

}  // namespace

std::shared_ptr<const Task> make_classification(const ConfigNode&) { return classification(); }

std::shared_ptr<const Task> classification() {
  static const auto task = std::make_shared<const Classification>();
  return task;
}

}  // namespace chiasm
