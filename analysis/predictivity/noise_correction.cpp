// SPDX-License-Identifier: Apache-2.0
#include "analysis/predictivity/noise_correction.h"

#include <cmath>
#include <limits>

#include "analysis/reliability/spearman_brown.h"

namespace chiasm {
namespace {

double over_root(double value, double product) {
  return product > 0.0 ? value / std::sqrt(product) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

double published_correction(const HalfCorrelations& r) {
  return over_root(r.prediction, spearman_brown(r.mapping) * spearman_brown(r.internal));
}

double plain_correction(const HalfCorrelations& r) { return over_root(r.prediction, r.mapping * r.internal); }

}  // namespace chiasm
