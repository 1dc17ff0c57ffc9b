// SPDX-License-Identifier: Apache-2.0
#include "models/cells/rgc.h"

#include "engine/ops.h"
#include "models/cells/cell_conv.h"
#include "models/normalisation.h"

namespace chiasm {
namespace {

// One timestep of one cell: the convolutions of equations 1 to 10, named after what they connect.
class Step {
 public:
  Step(const RgcOptions& options, const Scope& scope, const CellInput& in, std::span<const Value> state)
      : options_(options), scope_(scope), in_(in) {
    has_memory_ = options.gate.kernel > 0;
    if (has_memory_) c_ = state[0];
    h_ = state[has_memory_ ? 1 : 0];
  }

  CellStep run() {
    Value u = in_.x;
    if (in_.feedback && options_.feedback_entry == RgcOptions::FeedbackEntry::kInput) u = u + feedback(channels(u));
    x_ = activate(u, options_.phi_in);
    CellStep result;
    if (has_memory_) result.state.push_back(next_cell());
    result.output = next_output();
    result.state.push_back(result.output);
    return result;
  }

 private:
  static std::int64_t channels(Value v) { return v.shape()[3]; }

  Value conv(const char* name, Value v, std::int64_t to, RgcConv shape, bool bias = true) const {
    return convolve(scope_.child(name), v,
                    {.channels = to,
                     .kernel = shape.kernel,
                     .separable = shape.separable,
                     .bias = bias && options_.bias,
                     .init = options_.init,
                     .bias_init = InitSpec::constant(options_.bias_init),
                     .l2 = options_.l2});
  }

  Value feedback(std::int64_t to) const {
    return activate(conv("feedback", in_.feedback, to, options_.feedback), options_.phi_feedback);
  }

  // Adds the constant that a dense convolution carries.
  static Value with_beta(Value v, double beta, RgcConv shape) {
    return shape.separable || beta == 0.0 ? v : affine(v, 1.0, beta);
  }
  Value tau_factor(Value a) const {
    return affine(activate(a, options_.phi_tau), options_.tau_slope, options_.tau_offset);
  }
  Value gate_factor(Value a) const {
    return affine(activate(a, options_.phi_gate), options_.gate_slope, options_.gate_offset);
  }
  // Adds a convolution of the input or of the residual to a pre-activation; these carry no bias.
  Value extra(Value sum, bool on, const char* name, Value v, RgcConv shape) const {
    return on ? sum + conv(name, v, channels(sum), shape, false) : sum;
  }
  Value normalised(Value v, const char* name) const {
    return options_.layer_norm ? layer_norm(scope_.child(name), v) : v;
  }

  Value next_cell() const {
    const std::int64_t to = channels(c_);
    Value m;  // equation 3
    const auto add = [&](Value term) { m = m ? m + term : term; };
    if (options_.residual_to_cell) add(conv("residual_to_cell", in_.feedforward, to, options_.input_to_cell_conv));
    if (options_.input_to_cell) add(conv("input_to_cell", x_, to, options_.input_to_cell_conv));
    if (in_.feedback && options_.feedback_entry == RgcOptions::FeedbackEntry::kCell) add(feedback(to));
    // Equations 4 to 6.
    Value tau = with_beta(conv("cell_tau", c_, to, options_.tau), options_.beta_tau, options_.tau);
    tau = extra(tau, options_.input_to_tau, "input_to_cell_tau", x_, options_.tau);
    tau = extra(tau, options_.residual_to_cell_tau, "residual_to_cell_tau", in_.feedforward, options_.tau);
    Value gate = with_beta(conv("cell_gate", h_, to, options_.gate), options_.beta_gate, options_.gate);
    gate = extra(gate, options_.input_to_gate, "input_to_cell_gate", x_, options_.gate);
    gate = extra(gate, options_.residual_to_cell_gate, "residual_to_cell_gate", in_.feedforward, options_.gate);
    const LabelScope label(scope_.graph(), scope_.label());
    return activate(normalised(tau_factor(tau) * c_ + gate_factor(gate) * m, "cell_norm"), options_.phi_cell);
  }

  Value next_output() const {
    const std::int64_t to = channels(h_);
    // Equation 7.
    Value o = options_.input_to_output ? conv("input_to_output", x_, to, options_.input_to_output_conv) : x_;
    if (options_.cell_to_output && has_memory_) {
      o = o + with_beta(conv("cell_to_output", c_, to, options_.gate), options_.beta_gate, options_.gate);
    }
    if (options_.output_residual) o = o + shortcut(scope_.child("residual"), in_.feedforward, o.shape());
    if (in_.feedback && options_.feedback_entry == RgcOptions::FeedbackEntry::kOutput) o = o + feedback(to);
    // Equations 8 to 10.
    Value tau = with_beta(conv("output_tau", h_, to, options_.tau), options_.beta_tau, options_.tau);
    tau = extra(tau, options_.input_to_tau, "input_to_output_tau", x_, options_.tau);
    tau = extra(tau, options_.residual_to_output_tau, "residual_to_output_tau", in_.feedforward, options_.tau);
    Value gate;
    if (has_memory_ && !options_.cell_to_output) {
      gate = with_beta(conv("output_gate", c_, to, options_.gate), options_.beta_gate, options_.gate);
    } else {
      gate = fill(scope_.graph(), h_.spec(), 0.0);
    }
    if (options_.gate.kernel > 0) {
      gate = extra(gate, options_.input_to_gate, "input_to_output_gate", x_, options_.gate);
      gate = extra(gate, options_.residual_to_output_gate, "residual_to_output_gate", in_.feedforward, options_.gate);
    }
    const LabelScope label(scope_.graph(), scope_.label());
    return activate(normalised(tau_factor(tau) * h_ + gate_factor(gate) * o, "output_norm"), options_.phi_output);
  }

  const RgcOptions& options_;
  const Scope& scope_;
  const CellInput& in_;
  bool has_memory_ = true;
  Value c_, h_, x_;
};

}  // namespace

RgcCell::RgcCell(RgcOptions options) : options_(options) {
  if (options.gate.kernel > 0 && !options.input_to_cell && !options.residual_to_cell) {
    throw InputError("rgc: at least one of input_to_cell and residual_to_cell must be on");
  }
}

std::vector<Shape> RgcCell::state_shapes(const Shape& x) const {
  if (options_.gate.kernel == 0) return {image_state_like(x)};
  return {image_state_like(x, options_.cell_channels), x};
}

CellStep RgcCell::step(const Scope& scope, const CellInput& in, std::span<const Value> state) const {
  return Step(options_, scope, in, state).run();
}

}  // namespace chiasm
