// SPDX-License-Identifier: Apache-2.0
// Two views: the network sees each image twice, changed by chance each time, and an objective says what both embeddings
// should have in common. The embedding is the readout after the stages of "projector". Views are the fields "image" and
// "image_2" of a batch; without a word in "data.views" both are of the image, with draws of their own.
//   {"kind": "two_views", "objective": "simsiam", "projector": [stages], and what the objective reads}
// What is measured: the loss, and "spread", the standard deviation of embeddings of length 1 over images, times the
// root of their dimension: 0 where all images are embedded alike (collapse), 1 where they fill the sphere (Chen and He
// 2021, 4.1).
#include <cmath>

#include "engine/config/config.h"
#include "engine/ops.h"
#include "models/stages/stage.h"
#include "models/tasks/losses.h"
#include "models/tasks/task.h"
#include "models/tasks/two_views/objective.h"

#define CHIASM_VIEW_OBJECTIVES(OBJECTIVE) OBJECTIVE(simsiam)

namespace chiasm {

#define DECLARE(name) std::shared_ptr<const ViewObjective> make_##name(const ConfigNode& task);
CHIASM_VIEW_OBJECTIVES(DECLARE)
#undef DECLARE

namespace {

constexpr const char* kViews[] = {"image", "image_2"};

class TwoViewsScorer final : public Scorer {
 public:
  void add(const Program& program, const Batch& batch) override {
    const std::vector<double> embeddings = output_rows(program, "embedding", batch.size());
    const std::size_t size = embeddings.size() / static_cast<std::size_t>(batch.size());
    sums_.resize(size, 0.0);
    for (std::size_t i = 0; i < embeddings.size(); ++i) sums_[i % size] += embeddings[i];
    samples_ += static_cast<double>(batch.size());
    // The loss of a batch is not a sum over its samples where they are compared; batches count by their size.
    loss_ += scalar_output(program, "loss") * static_cast<double>(batch.size());
  }

  std::vector<Score> scores() const override {
    const double n = std::max(samples_, 1.0);
    double spread = 1.0;  // the mean square of rows of length 1, less the square of the mean
    for (double sum : sums_) spread -= sum / n * (sum / n);
    return {{{"loss", "loss"}, loss_ / n},
            {{"spread", "spread of embeddings", "", Metric::Better::kNeither}, std::sqrt(std::max(spread, 0.0))}};
  }

 private:
  std::vector<double> sums_;
  double samples_ = 0.0, loss_ = 0.0;
};

class TwoViews final : public Task {
 public:
  TwoViews(std::vector<NamedStage> projector, std::shared_ptr<const ViewObjective> objective)
      : projector_(std::move(projector)), objective_(std::move(objective)) {}

  std::string_view kind() const override { return "two_views"; }
  bool evaluates_augmented() const override { return true; }
  bool has_parameters() const override { return true; }

  Fields fields(const Network& network) const override {
    Fields fields;
    for (const char* view : kViews) fields.emplace(view, Field{{DType::kFloat32, network.input_shape()}, true});
    return fields;
  }

  void check(const Network& network) const override {
    if (network.input_field() != "image") throw InputError("the two_views task takes networks that see one image");
    Graph graph;
    Parameters nothing;
    const Scope scope(graph, nothing);
    TaskInputs in(scope, fields(network), 1);
    build_loss(network, scope, in);
  }

  void build_loss(const Network& network, const Scope& scope, TaskInputs& in) const override {
    const Value z1 = embed(network, scope.branch("view_1"), in[kViews[0]]);
    const Value z2 = embed(network, scope.branch("view_2"), in[kViews[1]]);
    scope.graph().output("loss", objective_->loss(scope, z1, z2));
    const LabelScope label(scope.graph(), "embedding");
    scope.graph().output("embedding", unit_rows(z1));
  }

  void build_evaluation(const Network& network, const Scope& scope, TaskInputs& in) const override {
    build_loss(network, scope, in);
  }

  std::unique_ptr<Scorer> scorer(const Network&) const override { return std::make_unique<TwoViewsScorer>(); }

 private:
  Value embed(const Network& network, const Scope& scope, Value image) const {
    const Value readout = run_network(network, scope, image).logits.back();
    StageInput stage{readout, readout, {}};
    apply_stages(projector_, scope.child("projector"), stage);
    if (stage.x.shape().rank() != 2) {
      throw InputError("an embedding is a vector; the projector makes " + to_string(stage.x.shape()));
    }
    return stage.x;
  }

  std::vector<NamedStage> projector_;
  std::shared_ptr<const ViewObjective> objective_;
};

}  // namespace

std::shared_ptr<const Task> make_two_views(const ConfigNode& task) {
  struct Entry {
    std::string name;
    std::shared_ptr<const ViewObjective> (*make)(const ConfigNode&);
  };
#define ENTRY(name) {#name, make_##name},
  static const std::vector<Entry> entries{CHIASM_VIEW_OBJECTIVES(ENTRY)};
#undef ENTRY
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.push_back(entry.name);
  const std::string name = task.choice("objective", names);
  std::map<std::string, int> seen;
  std::vector<NamedStage> projector = make_stages(task, "projector", seen);
  for (const Entry& entry : entries) {
    if (entry.name == name) return std::make_shared<TwoViews>(std::move(projector), entry.make(task));
  }
  throw InternalError("objective " + name + " is listed and not made");
}

}  // namespace chiasm
