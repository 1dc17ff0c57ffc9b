// SPDX-License-Identifier: Apache-2.0
// Reconstruction: a sparse autoencoder (spec/mouse_vision.md 5.1). The readout is the code h, from which the stages of
// "decoder" make the image again:
//   L = 1/2 mean (x^ - x)^2 + sparsity mean |h|
// x is what the network saw; both means are over all elements, the batch included.
//   {"kind": "reconstruction", "decoder": [stages], "sparsity": 5e-4}
#include "engine/config/config.h"
#include "engine/ops.h"
#include "kernels/elementwise/map.h"
#include "kernels/reduction/mean.h"
#include "models/stages/stage.h"
#include "models/tasks/losses.h"
#include "models/tasks/task.h"

namespace chiasm {
namespace {

struct Autoencoded {
  Value image;
  Value code;
};

class ReconstructionScorer final : public Scorer {
 public:
  explicit ReconstructionScorer(double sparsity) : sparsity_(sparsity) {}

  void add(const Program& program, const Batch& batch) override {
    for (double error : output_rows(program, "squared_error", batch.size())) error_ += error;
    for (double size : output_rows(program, "code_size", batch.size())) code_ += size;
    samples_ += static_cast<double>(batch.size());
  }

  std::vector<Score> scores() const override {
    const double n = std::max(samples_, 1.0), error = error_ / n, code = code_ / n;
    return {{{"squared_error", "squared error"}, error},
            {{"code_size", "mean |code|", "", Metric::Better::kNeither}, code},
            {{"loss", "loss"}, 0.5 * error + sparsity_ * code}};
  }

 private:
  double sparsity_, error_ = 0.0, code_ = 0.0, samples_ = 0.0;
};

class Reconstruction final : public Task {
 public:
  Reconstruction(std::vector<NamedStage> decoder, double sparsity)
      : decoder_(std::move(decoder)), sparsity_(sparsity) {}

  std::string_view kind() const override { return "reconstruction"; }
  bool has_parameters() const override { return true; }

  Fields fields(const Network& network) const override {
    return {{network.input_field(), {{DType::kFloat32, network.input_shape()}, network.input_field() == "image"}}};
  }

  void check(const Network& network) const override {
    Graph graph;
    Parameters nothing;
    const Scope scope(graph, nothing);
    TaskInputs in(scope, fields(network), 1);
    autoencode(network, scope, in);
  }

  void build_loss(const Network& network, const Scope& scope, TaskInputs& in) const override {
    Graph& graph = scope.graph();
    const auto [image, code] = autoencode(network, scope, in);
    const LabelScope label(graph, "loss");
    const Value error = graph.apply(Mean{}, {array_losses(ArrayLoss::kSquared, image, in[network.input_field()])});
    const Value size = graph.apply(Mean{}, {graph.apply(Map<Abs>{}, {code})});
    graph.output("loss", affine(error, 0.5, 0.0) + affine(size, sparsity_, 0.0));
  }

  void build_evaluation(const Network& network, const Scope& scope, TaskInputs& in) const override {
    Graph& graph = scope.graph();
    const auto [image, code] = autoencode(network, scope, in);
    const LabelScope label(graph, "loss");
    const auto mean_of_rows = [&](Value x) {
      return graph.apply(Mean{.axes = {1}}, {reshape(x, {in.batch(), x.shape().elements() / in.batch()})});
    };
    graph.output("squared_error", mean_of_rows(array_losses(ArrayLoss::kSquared, image, in[network.input_field()])));
    graph.output("code_size", mean_of_rows(graph.apply(Map<Abs>{}, {code})));
    graph.output("reconstruction", image);
  }

  std::unique_ptr<Scorer> scorer(const Network&) const override {
    return std::make_unique<ReconstructionScorer>(sparsity_);
  }

 private:
  Autoencoded autoencode(const Network& network, const Scope& scope, TaskInputs& in) const {
    const Value input = in[network.input_field()];
    const Value code = run_network(network, scope, input).logits.back();
    StageInput stage{code, code, {}};
    apply_stages(decoder_, scope.child("decoder"), stage);
    if (stage.x.shape() != input.shape()) {
      throw InputError("the decoder makes " + to_string(stage.x.shape()) + " of a batch of inputs " +
                       to_string(input.shape()));
    }
    return {stage.x, code};
  }

  std::vector<NamedStage> decoder_;
  double sparsity_;
};

}  // namespace

std::shared_ptr<const Task> make_reconstruction(const ConfigNode& task) {
  std::map<std::string, int> seen;
  task.list("decoder", {.min = 1});  // required
  std::vector<NamedStage> decoder = make_stages(task, "decoder", seen);
  return std::make_shared<Reconstruction>(std::move(decoder), task.real_or("sparsity", 5e-4, RealRange::at_least(0.0)));
}

}  // namespace chiasm
