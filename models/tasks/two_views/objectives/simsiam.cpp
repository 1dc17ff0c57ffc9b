// SPDX-License-Identifier: Apache-2.0
// SimSiam (Chen and He 2021; spec/mouse_vision.md 5.5): each view predicts the other, which is held still.
//   D(p, z) = -p.z / (|p| |z|), no gradient through z        L = 1/2 mean D(p1, z2) + 1/2 mean D(p2, z1)
//   {"objective": "simsiam", "predictor": [stages]}
#include "engine/config/config.h"
#include "engine/ops.h"
#include "kernels/indexing/stop_gradient.h"
#include "kernels/reduction/mean.h"
#include "models/stages/stage.h"
#include "models/tasks/losses.h"
#include "models/tasks/two_views/objective.h"

namespace chiasm {
namespace {

class SimSiam final : public ViewObjective {
 public:
  explicit SimSiam(std::vector<NamedStage> predictor) : predictor_(std::move(predictor)) {}

  Value loss(const Scope& scope, Value z1, Value z2) const override {
    const Value p1 = predict(scope, z1), p2 = predict(scope, z2);
    return affine(similarity(p1, z2) + similarity(p2, z1), -0.5, 0.0);
  }

 private:
  Value predict(const Scope& scope, Value z) const {
    StageInput stage{z, z, {}};
    apply_stages(predictor_, scope.child("predictor"), stage);
    if (stage.x.shape() != z.shape()) {
      throw InputError("the predictor makes " + to_string(stage.x.shape()) + " of embeddings " + to_string(z.shape()));
    }
    return stage.x;
  }

  static Value similarity(Value p, Value z) {
    Graph& graph = p.graph();
    const Value still = graph.apply(StopGradient{}, {z});
    return graph.apply(Mean{}, {row_products(unit_rows(p), unit_rows(still))});
  }

  std::vector<NamedStage> predictor_;
};

}  // namespace

std::shared_ptr<const ViewObjective> make_simsiam(const ConfigNode& task) {
  std::map<std::string, int> seen;
  return std::make_shared<SimSiam>(make_stages(task, "predictor", seen));
}

}  // namespace chiasm
