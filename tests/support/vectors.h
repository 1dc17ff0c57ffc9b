// SPDX-License-Identifier: Apache-2.0
// Running cells and small networks on the test vectors of spec/convrnn.md section 10.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/cells/cell.h"

namespace chiasm::test {

// The numbers in "[[1, -1], [0.5, 2]]" or "1 -1 ; 0.5 2", in order.
std::vector<double> numbers(std::string_view text);

// "x3" from "x" and 3.
std::string numbered(std::string name, std::size_t number);

// A scalar weight v as a k x k kernel: tap (a, e) is v (1 + 0.1 (a k + e)) / k^2.
std::vector<double> kernel_of(double v, int k);

// What a cell is given over time.
struct CellSequence {
  Shape image;                                   // [N, H, W, C] of everything below
  std::vector<std::vector<double>> x;            // by step
  std::vector<std::vector<double>> feedforward;  // by step; none: x
  std::vector<double> feedback = {};             // the same at every step; none: the layer has none
};

CellSequence sequence_a();  // 2 x 2, three steps
CellSequence sequence_b();  // 3 x 3, three steps
// With half of x as the feedforward input.
CellSequence with_half_feedforward(CellSequence sequence);

struct CellRun {
  std::vector<std::vector<double>> output;              // by step
  std::vector<std::vector<std::vector<double>>> state;  // by step, by state
};

using CellWeights = std::map<std::string, std::vector<double>>;

// The cell of a recipe, {"type": ...}; keys that it does not read are errors.
std::shared_ptr<const Cell> cell_of(const std::string& json);

// Runs a cell in float64. `weights` are by parameter path; each must exist, and none may be left out.
CellRun run_cell(const Cell& cell, const CellSequence& sequence, const CellWeights& weights);

// Compares each step, given as in the spec, to 1e-6 (the spec's values have 8 decimals).
void expect_steps(const std::vector<std::vector<double>>& actual, const std::vector<const char*>& expected,
                  const char* what);
// State `k` at each step.
std::vector<std::vector<double>> states(const CellRun& run, std::size_t k);

// Largest absolute difference; the spec's vectors are to be met to 1e-6 (they are given to 8 decimals).
double distance(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace chiasm::test
