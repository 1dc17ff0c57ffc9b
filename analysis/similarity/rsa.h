// SPDX-License-Identifier: Apache-2.0
// Representational similarity of a model and a brain, or of two brains, corrected for the noise of a finite number of
// trials (spec/neural_analysis.md section 5, equations 3.1, 3.2, 3.9 and 3.10). Nothing is fitted.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "analysis/reliability/trials.h"
#include "analysis/similarity/compare.h"
#include "analysis/similarity/dissimilarity.h"
#include "analysis/statistics/summary.h"

namespace chiasm {

struct RsaConfig {
  Dissimilarity dissimilarity = Dissimilarity::kCorrelation;
  RdmComparison comparison = RdmComparison::kPearson;
  int bootstraps = 100;    // halvings of the trials; 0: nothing is corrected
  std::uint64_t seed = 0;  // of the halvings
  // Told how many of `total` bootstraps are done; returning false stops.
  std::function<bool(std::int64_t done, std::int64_t total)> progress = {};
};

// Summaries are over bootstraps. The score is the mean; `dropped` counts bootstraps in which it is not defined (a
// denominator that is not positive, a matrix without variance).
struct RsaScore {
  Summary published;  // RSA(s1_A, s2_B) / sqrt(SB[RSA(s1_A, s2_A)] SB[RSA(s1_B, s2_B)]); for a model the first SB is 1
  Summary plain;      // the same without Spearman-Brown; spec section 2 says what either converges to
  Summary half;       // the numerator
  Summary source_internal;  // RSA(s1_A, s2_A); 1 for a model
  Summary internal;         // RSA(s1_B, s2_B)
  RdmSimilarity raw{};      // of the responses averaged over all trials
  bool complete = true;     // false: progress stopped it, and there are no scores but `raw`
};

// Units of all recordings side by side, each recording halved independently of the others. A stimulus for which any
// unit lacks a response is left out of that comparison. Throws InputError where the recordings saw different numbers of
// stimuli, where they have time bins (average those first), and for fewer than two repeats when bootstraps are asked
// for.
using Population = std::vector<const Trials*>;

// The same bits for any number of threads, here and below.
RsaScore animal_rsa(const CpuStream& stream, const Population& source, const Population& target,
                    const RsaConfig& config);

struct ModelRsa {
  std::vector<RsaScore> layers;
  int best =
      -1;  // the layer whose mean published score (without bootstraps: whose raw one) is the largest; -1: none has one
};
// Equation 3.1, for the pooled population. Throws InputError for matrices of other numbers of items than stimuli.
ModelRsa model_rsa(const CpuStream& stream, std::span<const Rdm> layers, const Population& target,
                   const RsaConfig& config);

struct ModelRsaByAnimal {
  std::vector<ModelRsa> animals;
  Summary published, plain;  // over animals, of the best layer of each: the score is the median
};
// Equation 3.2: 3.1 for each animal by itself.
ModelRsaByAnimal model_rsa_by_animal(const CpuStream& stream, std::span<const Rdm> layers,
                                     const std::vector<Population>& animals, const RsaConfig& config);

}  // namespace chiasm
