// SPDX-License-Identifier: Apache-2.0
// Stages by name. A new stage is its own file and one line here (and its declaration in stage_makers.h).
#include <vector>

#include "engine/config/config.h"
#include "models/activation.h"
#include "models/stages/stage.h"
#include "models/stages/stage_makers.h"

namespace chiasm {
namespace {

struct Entry {
  std::string name;
  std::shared_ptr<const Stage> (*make)(const ConfigNode&);
};

const std::vector<Entry>& table() {
  static const std::vector<Entry> entries{
      {"conv", make_conv_stage},
      {"linear", make_linear_stage},
      {"max_pool", make_max_pool_stage},
      {"average_pool", make_average_pool_stage},
      {"global_average_pool", make_global_average_pool_stage},
      {"adaptive_average_pool", make_adaptive_average_pool_stage},
      {"batch_norm", make_batch_norm_stage},
      {"layer_norm", make_layer_norm_stage},
      {"local_response_norm", make_local_response_norm_stage},
      {"dropout", make_dropout_stage},
      {"flatten", make_flatten_stage},
      {"reshape", make_reshape_stage},
      {"conv_transpose", make_conv_transpose_stage},
      {"residual", make_residual_stage},
  };
  return entries;
}

}  // namespace

NamedStage make_stage(const ConfigNode& config) {
  if (config.is_text()) {
    const std::string name = config.as_choice(activation_names());
    return {name, make_activation_stage(activation_of(name))};
  }
  std::vector<std::string> names;
  for (const Entry& entry : table()) names.push_back(entry.name);
  if (!config.is_object()) config.fail("an activation by name, or an object with \"op\"");
  const std::string op = config.choice("op", names);
  const std::string name = config.text_or("name", op);
  for (const Entry& entry : table()) {
    if (entry.name == op) return {name, entry.make(config)};
  }
  throw InternalError("stage " + op + " is listed and not made");
}

std::vector<NamedStage> make_stages(const ConfigNode& owner, std::string_view key, std::map<std::string, int>& seen) {
  std::vector<NamedStage> stages;
  if (!owner.has(key)) return stages;
  for (const ConfigNode& node : owner.list(key)) {
    NamedStage stage = make_stage(node);
    const int count = ++seen[stage.name];
    if (count > 1) stage.name += "_" + std::to_string(count);
    stages.push_back(std::move(stage));
  }
  return stages;
}

void apply_stages(std::span<const NamedStage> stages, const Scope& scope, StageInput& in) {
  for (const NamedStage& s : stages) {
    in.x = s.stage->apply(scope.child(s.name), in);
    in.earlier[s.name] = in.x;
  }
}

}  // namespace chiasm
