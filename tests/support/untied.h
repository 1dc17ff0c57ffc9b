// SPDX-License-Identifier: Apache-2.0
// The exact promises of an op with a separate backward weight (inputs x, weight, weight_backward).
#pragma once

#include "tests/support/op_case.h"

namespace chiasm::test {

// For both float types, threads 1 and 2, deterministic or not:
//   - another backward weight changes the gradient of x and neither the output nor the gradient of weight, bit for bit;
//   - another forward weight leaves the gradient of x as it was, bit for bit;
//   - the same view twice (tied) and two views of equal values give equal bits everywhere;
//   - nothing flows to weight_backward.
void expect_untied(const OpCase& op_case);

}  // namespace chiasm::test
