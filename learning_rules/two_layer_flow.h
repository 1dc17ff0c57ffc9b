// SPDX-License-Identifier: Apache-2.0
// The smallest network in which feedback matters: y = w2 w1 x, with the backward weight b of the second layer
// (spec/learning_rules.md 10.2). Gradient flow on the mean squared error, halved; errors reach w1 through b.
#pragma once

#include <array>
#include <complex>

namespace chiasm {

class TwoLayerFlow {
 public:
  enum class Rule {
    kBackprop,            // b is w2: what is given as b is not read
    kFeedbackAlignment,   // b stays
    kSymmetricAlignment,  // db/dt = w2 - b
  };
  struct State {
    double w1 = 0.0, w2 = 0.0, b = 0.0;
  };
  static constexpr int kSize = 3;
  using Matrix = std::array<std::array<double, kSize>, kSize>;  // by rows, in the order w1, w2, b

  // s, the mean of x^2, and c, that of x times its target.
  TwoLayerFlow(Rule rule, double s, double c) : rule_(rule), s_(s), c_(c) {}

  // d/dt of the state. Under backpropagation b moves as w2 does.
  State velocity(const State& state) const;
  // H = -d velocity / d state. A fixed point is a sink where no eigenvalue of H has a negative real part. Of
  // backpropagation only the first two rows and columns are used; the others are zero.
  Matrix stability(const State& state) const;
  // Eigenvalues of H, by descending real part; of backpropagation two, and then a zero.
  std::array<std::complex<double>, kSize> eigenvalues(const State& state) const;
  // Constant along a trajectory: backpropagation w1^2 - w2^2, feedback alignment w1^2 / 2 - b w2. Symmetric alignment
  // keeps nothing; REQUIRES: another rule.
  double conserved(const State& state) const;

 private:
  double residual(const State& state) const { return c_ - state.w1 * state.w2 * s_; }

  Rule rule_;
  double s_, c_;
};

}  // namespace chiasm
