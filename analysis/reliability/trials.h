// SPDX-License-Identifier: Apache-2.0
// Trials: responses of units recorded together, trial by trial, and their means over all trials or over halves of them
// (spec/neural_analysis.md section 1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/matrix.h"
#include "engine/tensor.h"

namespace chiasm {

// How trials are cut into halves.
enum class Halving {
  // One shuffle of the repeat indices for all stimuli: the first floor(m / 2) against the rest. Means leave out missing
  // trials, so halves of a stimulus may differ in size. As published.
  kSynchronised,
  // A shuffle for each stimulus; floor(n / 2) of its n trials against as many others, so that both halves are equally
  // reliable whatever is missing.
  kPerStimulus,
  // kSynchronised when every stimulus has every repeat, otherwise kPerStimulus.
  kAutomatic,
};
// "synchronised", "per-stimulus", "auto". Throws InputError for another text.
Halving parse_halving(const std::string& text);
std::string to_string(Halving halving);

// Rows of the matrices are stimuli, or, with time bins, stimulus * bins + bin; columns are units.
struct TrialHalves {
  Matrix<double> first, second;
};

class Trials {
 public:
  // responses: [units, stimuli, repeats] or [units, stimuli, repeats, bins], float32 or float64, shared, not copied;
  // NaN where there was no trial. `units` are the rows of it to use, in that order. `name` tells this recording from
  // others: halves of recordings with different names are drawn independently. Throws ShapeError for other tensors,
  // InputError for units that do not exist and for an infinite response.
  Trials(std::string name, Tensor responses, std::vector<std::int64_t> units, Halving halving = Halving::kAutomatic);
  Trials(std::string name, const Tensor& responses, Halving halving = Halving::kAutomatic);  // every unit

  const std::string& name() const { return name_; }
  std::int64_t units() const { return static_cast<std::int64_t>(units_.size()); }
  std::int64_t stimuli() const { return responses_.shape()[1]; }
  std::int64_t repeats() const { return responses_.shape()[2]; }
  std::int64_t bins() const { return responses_.shape().rank() == 4 ? responses_.shape()[3] : 1; }
  std::int64_t rows() const { return stimuli() * bins(); }
  std::int64_t missing() const { return missing_; }  // values that are NaN
  Halving halving() const { return halving_; }       // never kAutomatic

  // Over the trials that are there; NaN where there are none.
  Matrix<double> means() const;
  // A function of (seed, draw, name) alone. NaN where a half of a stimulus has no trial.
  TrialHalves halves(std::uint64_t seed, std::uint32_t draw) const;
  // The same units and trials averaged over bins [first, first + count), NaN where any of them is.
  Trials bins_averaged(std::int64_t first, std::int64_t count) const;

 private:
  // Where the trials of half 0 and half 1 stand in a shuffle of the repeats.
  template <class T>
  void sum_halves(const std::vector<std::int32_t>& order, TrialHalves& halves) const;

  std::string name_;
  Tensor responses_;
  std::vector<std::int64_t> units_;
  Halving halving_;
  std::int64_t missing_ = 0;
};

}  // namespace chiasm
