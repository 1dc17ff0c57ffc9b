// SPDX-License-Identifier: Apache-2.0
// How alike two dissimilarity matrices are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/similarity/rdm.h"

namespace chiasm {

enum class RdmComparison {
  kPearson,  // spec/neural_analysis.md section 5
  kSpearman,
  kKendallA,  // tau-a: also right where one side has many ties, as models with categories do
  kKendallB,
  kCosine,
};
// "pearson", "spearman", "kendall-a", "kendall-b", "cosine". Throws InputError for another name, with these.
RdmComparison parse_rdm_comparison(const std::string& name);
std::string to_string(RdmComparison how);
std::vector<std::string> rdm_comparison_names();

struct RdmSimilarity {
  double value;          // NaN where it is not defined: fewer than two pairs, or a side without variance
  std::int64_t pairs;    // entries compared
  std::int64_t missing;  // entries that are NaN on either side, left out
};

// Throws InputError for matrices of different numbers of items.
RdmSimilarity compare(const Rdm& a, const Rdm& b, RdmComparison how);
// Of two lists of entries, with what Rdm::rounding says of each. REQUIRES: equal lengths.
struct RdmRounding {
  double a = 0.0, b = 0.0;
};
RdmSimilarity compare(std::span<const double> a, std::span<const double> b, RdmComparison how,
                      RdmRounding rounding = {});

}  // namespace chiasm
