// SPDX-License-Identifier: Apache-2.0
#include "models/stages/stage_makers.h"

namespace chiasm {
namespace {

class FunctionStage final : public Stage {
 public:
  explicit FunctionStage(std::function<Value(const Scope&, const StageInput&)> apply) : apply_(std::move(apply)) {}
  Value apply(const Scope& scope, const StageInput& in) const override {
    const LabelScope label(scope.graph(), scope.label());
    return apply_(scope, in);
  }

 private:
  std::function<Value(const Scope&, const StageInput&)> apply_;
};

}  // namespace

std::shared_ptr<const Stage> stage_of(std::function<Value(const Scope&, const StageInput&)> apply) {
  return std::make_shared<FunctionStage>(std::move(apply));
}

std::shared_ptr<const Stage> make_activation_stage(Activation activation) {
  return stage_of([activation](const Scope&, const StageInput& in) { return activate(in.x, activation); });
}

}  // namespace chiasm
