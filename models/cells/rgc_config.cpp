// SPDX-License-Identifier: Apache-2.0
// Reading an RGC cell from a recipe.
#include "engine/config/config.h"
#include "models/cells/rgc.h"
#include "models/parsing.h"

namespace chiasm {
namespace {

RgcConv read_conv(const ConfigNode& config, const char* key, RgcConv absent, std::int64_t smallest) {
  if (!config.has(key)) return absent;
  const ConfigNode node = config.object(key);
  return {node.integer("kernel", {smallest, 31}), node.boolean_or("separable", false)};
}

void read_convolutions(const ConfigNode& config, RgcOptions& o) {
  o.tau = read_conv(config, "tau", o.tau, 1);
  o.gate = read_conv(config, "gate", o.gate, 0);
  o.input_to_cell_conv = read_conv(config, "input_to_cell_conv", o.input_to_cell_conv, 1);
  o.input_to_output_conv = read_conv(config, "input_to_output_conv", o.input_to_output_conv, 1);
  if (!config.has("feedback")) return;
  const ConfigNode feedback = config.object("feedback");
  o.feedback = {feedback.integer_or("kernel", o.feedback.kernel, {1, 31}), feedback.boolean_or("separable", false)};
  o.phi_feedback = read_activation(feedback, "activation", o.phi_feedback);
  const std::string entry = feedback.choice_or("entry", "output", {"input", "cell", "output"});
  o.feedback_entry = entry == "input"  ? RgcOptions::FeedbackEntry::kInput
                     : entry == "cell" ? RgcOptions::FeedbackEntry::kCell
                                       : RgcOptions::FeedbackEntry::kOutput;
}

}  // namespace

std::shared_ptr<const Cell> make_rgc(const ConfigNode& config) {
  RgcOptions o;
  o.cell_channels = config.integer_or("cell_channels", o.cell_channels, {1, 65536});
  o.phi_in = read_activation(config, "phi_in", o.phi_in);
  o.phi_cell = read_activation(config, "phi_cell", o.phi_cell);
  o.phi_output = read_activation(config, "phi_output", o.phi_output);
  o.phi_tau = read_activation(config, "phi_tau", o.phi_tau);
  o.phi_gate = read_activation(config, "phi_gate", o.phi_gate);
  o.tau_offset = config.real_or("tau_offset", o.tau_offset);
  o.tau_slope = config.real_or("tau_slope", -o.tau_offset);
  o.gate_offset = config.real_or("gate_offset", o.gate_offset);
  o.gate_slope = config.real_or("gate_slope", -o.gate_offset);
  o.beta_tau = config.real_or("beta_tau", o.beta_tau);
  o.beta_gate = config.real_or("beta_gate", o.beta_gate);
  read_convolutions(config, o);
  const std::pair<const char*, bool*> switches[] = {
      {"bias", &o.bias},
      {"input_to_cell", &o.input_to_cell},
      {"residual_to_cell", &o.residual_to_cell},
      {"input_to_output", &o.input_to_output},
      {"output_residual", &o.output_residual},
      {"cell_to_output", &o.cell_to_output},
      {"input_to_tau", &o.input_to_tau},
      {"input_to_gate", &o.input_to_gate},
      {"residual_to_cell_tau", &o.residual_to_cell_tau},
      {"residual_to_cell_gate", &o.residual_to_cell_gate},
      {"residual_to_output_tau", &o.residual_to_output_tau},
      {"residual_to_output_gate", &o.residual_to_output_gate},
      {"layer_norm", &o.layer_norm},
  };
  for (const auto& [key, value] : switches) *value = config.boolean_or(key, *value);
  o.init = read_init(config, "kernel_init", o.init);
  o.bias_init = config.real_or("bias_init", o.bias_init);
  o.l2 = config.real_or("l2", o.l2, RealRange::at_least(0.0));
  if (o.gate.kernel > 0 && !o.input_to_cell && !o.residual_to_cell) {
    config.fail_because("the cell memory needs an input: input_to_cell or residual_to_cell must be true");
  }
  return std::make_shared<RgcCell>(o);
}

}  // namespace chiasm
