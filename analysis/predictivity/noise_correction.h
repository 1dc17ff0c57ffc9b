// SPDX-License-Identifier: Apache-2.0
// The correlation of a map's predictions with the true responses, estimated from two halves of the trials
// (spec/neural_analysis.md section 2, equations 3.4 and 4.8).
#pragma once

namespace chiasm {

// Of one target unit on test stimuli; s1 and s2 are its mean responses over the two halves, and M1 and M2 the
// predictions of maps fitted on the training stimuli of the first and of the second half.
struct HalfCorrelations {
  double prediction = 0.0;  // r(M1, s2)
  double mapping = 0.0;     // r(M1, M2)
  double internal = 0.0;    // r(s1, s2)
};

// prediction / sqrt(SB[mapping] SB[internal]), the form of every published number. NaN where the product under the root
// is not positive. Its limit is Q sqrt((1 + mapping) / 2 * (1 + internal) / 2) for a true correlation Q: too low where
// trials are noisy.
double published_correction(const HalfCorrelations& r);
// prediction / sqrt(mapping internal), without that bias for Gaussian noise. NaN likewise.
double plain_correction(const HalfCorrelations& r);

}  // namespace chiasm
