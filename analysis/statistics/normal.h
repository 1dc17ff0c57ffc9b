// SPDX-License-Identifier: Apache-2.0
// The standard normal distribution, to a relative error of a few 1e-16, in the tails as well.
#pragma once

namespace chiasm {

// P(Z <= x); the other tail is normal_cdf(-x).
double normal_cdf(double x);
// x with P(Z <= x) = p. Infinite for 0 and 1, NaN outside of [0, 1].
double normal_quantile(double p);

}  // namespace chiasm
