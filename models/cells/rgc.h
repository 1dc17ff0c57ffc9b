// SPDX-License-Identifier: Apache-2.0
// The reciprocal gated cell in its general form, with every switch of the search (spec/convrnn.md 2.8, equations 1 to
// 10). The defaults are RGC Median as it was trained (4.1). Symbols: u cell input, r feedforward input, F feedback, c
// cell memory, h output.
#pragma once

#include "models/activation.h"
#include "models/cells/cell.h"
#include "models/convolution.h"

namespace chiasm {

struct RgcConv {
  std::int64_t kernel = 3;
  bool separable = false;
};

struct RgcOptions {
  std::int64_t cell_channels = 64;
  Activation phi_in = Activation::kElu;
  Activation phi_cell = Activation::kElu;
  Activation phi_output = Activation::kElu;
  Activation phi_tau = Activation::kSigmoid;
  Activation phi_gate = Activation::kTanh;
  // The factors of equations 6 and 10: offset + slope * phi(.).
  double tau_offset = 0.9219348064291611, tau_slope = -0.9219348064291611;
  double gate_offset = 0.7006566684988862, gate_slope = -0.7006566684988862;
  // Constants added to the tau and gate pre-activations, with dense convolutions only.
  double beta_tau = 0.0, beta_gate = 0.0;

  RgcConv tau{7, true};
  RgcConv gate{7, true};  // kernel 0: no cell memory, the state is h alone
  RgcConv input_to_cell_conv{2, false};
  RgcConv input_to_output_conv{3, false};
  RgcConv feedback{1, false};
  bool bias = true;  // of the convolutions that may have one

  enum class FeedbackEntry { kInput, kCell, kOutput };
  FeedbackEntry feedback_entry = FeedbackEntry::kOutput;
  Activation phi_feedback = Activation::kIdentity;

  bool input_to_cell = true;
  bool residual_to_cell = false;
  bool input_to_output = true;
  bool output_residual = true;
  bool cell_to_output = false;
  bool input_to_tau = false, input_to_gate = false;
  bool residual_to_cell_tau = false, residual_to_cell_gate = false;
  bool residual_to_output_tau = false, residual_to_output_gate = false;
  bool layer_norm = false;

  InitSpec init = {InitSpec::Kind::kVarianceScaling, 0.6393378386273998};
  double bias_init = 0.0;
  double l2 = 0.0002033999204146308;
};

class RgcCell final : public Cell {
 public:
  // Throws InputError when the cell memory has no input.
  explicit RgcCell(RgcOptions options = {});
  std::vector<Shape> state_shapes(const Shape& x) const override;  // c (unless there is none), h
  CellStep step(const Scope& scope, const CellInput& in, std::span<const Value> state) const override;
  bool separates_feedback() const override { return true; }

 private:
  RgcOptions options_;
};

}  // namespace chiasm
