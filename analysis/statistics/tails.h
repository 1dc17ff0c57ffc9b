// SPDX-License-Identifier: Apache-2.0
// Tail probabilities of test statistics, to a relative error of 1e-12 for up to 1e6 degrees of freedom, wherever the
// result is a normal number. NaN for a statistic that is NaN and for degrees of freedom that are not positive.
#pragma once

namespace chiasm {

// P(|T| >= |t|), Student's t.
double student_t_two_sided(double t, double degrees);
// P(X >= x), chi-square.
double chi_square_upper(double x, double degrees);
// P(F >= f), Fisher's F: `numerator` degrees over `denominator`.
double f_upper(double f, double numerator, double denominator);

}  // namespace chiasm
