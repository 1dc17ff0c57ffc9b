// SPDX-License-Identifier: Apache-2.0
// Brightness: the mean of the image as the network saw it, from a readout of one number.
//   {"kind": "brightness"}
#include "engine/config/config.h"
#include "engine/ops.h"
#include "kernels/elementwise/map.h"
#include "kernels/reduction/mean.h"
#include "models/tasks/task.h"

namespace chiasm {
namespace {

class BrightnessScorer final : public Scorer {
 public:
  void add(const Program& program, const Batch& batch) override {
    for (double error : output_rows(program, "errors", batch.size())) sum_ += error;
    samples_ += static_cast<double>(batch.size());
  }
  std::vector<Score> scores() const override { return {{{"loss", "squared error"}, sum_ / samples_}}; }

 private:
  double sum_ = 0.0, samples_ = 0.0;
};

class Brightness final : public Task {
 public:
  std::string_view kind() const override { return "brightness"; }
  Fields fields(const Network& network) const override {
    return {{"image", {{DType::kFloat32, network.input_shape()}, true}}};
  }
  void build_loss(const Network& network, const Scope& scope, TaskInputs& in) const override {
    scope.graph().output("loss", scope.graph().apply(Mean{}, {errors(network, scope, in)}));
  }
  void build_evaluation(const Network& network, const Scope& scope, TaskInputs& in) const override {
    scope.graph().output("errors", errors(network, scope, in));
  }
  std::unique_ptr<Scorer> scorer(const Network&) const override { return std::make_unique<BrightnessScorer>(); }

 private:
  static Value errors(const Network& network, const Scope& scope, TaskInputs& in) {
    const Value answer = run_network(network, scope, in["image"]).logits.back();  // [N, 1]
    const Value mean = scope.graph().apply(Mean{.axes = {1, 2, 3}}, {in["image"]});
    return scope.graph().apply(Map<Square>{}, {reshape(answer, {in.batch()}) - mean});
  }
};

}  // namespace

std::shared_ptr<const Task> make_brightness(const ConfigNode&) { return std::make_shared<Brightness>(); }

}  // namespace chiasm
