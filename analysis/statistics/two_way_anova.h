// SPDX-License-Identifier: Apache-2.0
// Analysis of variance with two crossed factors and their interaction, balanced or not.
#pragma once

#include <cstdint>
#include <span>

namespace chiasm {

// How what two factors explain together is shared out; all agree where every pair of levels has as many observations.
enum class AnovaType {
  // Each factor is compared with the other one alone, leaving the interaction out of both models; the default of
  // car::Anova in R. More powerful where there is no interaction.
  kTwo,
  // Each is left out of the full model, with contrasts that sum to zero over levels: tests of unweighted means. Needs
  // an
  // observation of every pair of levels.
  kThree,
};

struct AnovaEffect {
  double squares = 0.0;      // sum of squares explained
  std::int64_t freedom = 0;  // degrees of freedom
  double f = 0.0;            // NaN without freedom here or in the residual
  double p = 0.0;
};

struct TwoWayAnova {
  AnovaEffect first, second, interaction;
  double residual_squares = 0.0;
  std::int64_t residual_freedom = 0;
  std::int64_t left_out = 0;  // observations that are NaN
};

// Observation i has level first[i] and second[i] (0, 1, ...) and value y[i]. A residual below 1e-24 of the total counts
// as zero, and then an effect has infinite F or, where it explains nothing either, NaN. Throws InputError for unequal
// lengths, negative levels, no finite value, and for kThree where a pair of levels that occur has no observation.
TwoWayAnova two_way_anova(std::span<const int> first, std::span<const int> second, std::span<const double> y,
                          AnovaType type = AnovaType::kTwo);

}  // namespace chiasm
