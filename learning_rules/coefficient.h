// SPDX-License-Identifier: Apache-2.0
// Coefficient: the weight of a primitive in a rule, a constant or a course over training (spec/learning_rules.md 7.3).
#pragma once

namespace chiasm {

struct Coefficient {
  enum class Drift { kNone, kLinear, kExponential };

  double value = 1.0;
  // Zero outside this part of training, which goes from 0 to 1; the start belongs to it, the stop does not, but for 1.
  double start = 0.0;
  double stop = 1.0;
  Drift drift = Drift::kNone;
  double drift_rate = 0.0;    // kLinear: value + rate * epochs; kExponential: value * exp(rate * epochs)
  double cycle_epochs = 0.0;  // > 0: times a triangle wave of this period that begins at 0 and peaks at 1
  bool layer_l2 = false;      // the L2 strength of the layer's forward weight instead: `value` is not used

  bool constant() const { return start <= 0.0 && stop >= 1.0 && drift == Drift::kNone && cycle_epochs <= 0.0; }
  // At `epoch` of a training of `epochs`.
  double at(double epoch, double epochs) const;
  bool operator==(const Coefficient&) const = default;
};

}  // namespace chiasm
