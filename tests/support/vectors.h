// SPDX-License-Identifier: Apache-2.0
// Running cells and small networks on the test vectors of spec/convrnn.md section 10.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/cells/cell.h"

namespace chiasm::test {

// The numbers in "[[1, -1], [0.5, 2]]", in order.
std::vector<double> numbers(std::string_view text);

// A scalar weight v as a k x k kernel: tap (a, e) is v (1 + 0.1 (a k + e)) / k^2.
std::vector<double> kernel_of(double v, int k);

struct CellRun {
  std::vector<std::vector<double>> output;              // by step
  std::vector<std::vector<std::vector<double>>> state;  // by step, by state
};

// Runs a one-channel cell in float64 on square images of side `side`. `feedforward` and `feedback` are by step like
// `x`; an empty feedback means none. `weights` are by parameter path; each must exist, and none may be left out.
CellRun run_cell(const Cell& cell, int side, const std::vector<std::vector<double>>& x,
                 const std::vector<std::vector<double>>& feedforward, const std::vector<double>& feedback,
                 const std::map<std::string, std::vector<double>>& weights);

// Largest absolute difference; the spec's vectors are to be met to 1e-6 (they are given to 8 decimals).
double distance(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace chiasm::test
