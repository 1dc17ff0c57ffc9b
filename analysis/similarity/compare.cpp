// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/compare.h"

#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

#include "analysis/statistics/correlation.h"
#include "analysis/statistics/rank.h"
#include "analysis/statistics/rank_correlation.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::array<std::pair<const char*, RdmComparison>, 5> kNames{{{"pearson", RdmComparison::kPearson},
                                                                       {"spearman", RdmComparison::kSpearman},
                                                                       {"kendall-a", RdmComparison::kKendallA},
                                                                       {"kendall-b", RdmComparison::kKendallB},
                                                                       {"cosine", RdmComparison::kCosine}}};

double cosine(std::span<const double> a, std::span<const double> b) {
  double aa = 0.0, bb = 0.0, ab = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    ab += a[i] * b[i];
  }
  return aa > 0.0 && bb > 0.0 ? ab / std::sqrt(aa * bb) : std::numeric_limits<double>::quiet_NaN();
}

// Dissimilarities that are equal but for rounding tie.
struct Tied {
  std::vector<double> a, b;
};

double compare_numbers(std::span<const double> a, std::span<const double> b, RdmComparison how, RdmRounding rounding) {
  if (a.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const auto tied = [&] { return Tied{tie_within_rounding(a, rounding.a), tie_within_rounding(b, rounding.b)}; };
  switch (how) {
    case RdmComparison::kPearson:
      return pearson(a, b);
    case RdmComparison::kSpearman: {
      const Tied both = tied();
      return spearman(both.a, both.b);
    }
    case RdmComparison::kKendallA:
    case RdmComparison::kKendallB: {
      const Tied both = tied();
      const auto tau = kendall(both.a, both.b);
      return how == RdmComparison::kKendallA ? tau.a : tau.b;
    }
    case RdmComparison::kCosine:
      return cosine(a, b);
  }
  throw InternalError("an unknown comparison");
}

}  // namespace

RdmComparison parse_rdm_comparison(const std::string& name) {
  std::string known;
  for (const auto& [text, how] : kNames) {
    if (name == text) return how;
    known += (known.empty() ? "" : ", ") + std::string(text);
  }
  throw InputError("comparison \"" + name + "\": known are " + known);
}

std::string to_string(RdmComparison how) {
  for (const auto& [text, known] : kNames) {
    if (known == how) return text;
  }
  throw InternalError("a comparison without a name");
}

std::vector<std::string> rdm_comparison_names() {
  std::vector<std::string> names;
  for (const auto& [text, how] : kNames) names.emplace_back(text);
  return names;
}

RdmSimilarity compare(const Rdm& a, const Rdm& b, RdmComparison how) {
  if (a.items != b.items) {
    throw InputError("dissimilarity matrices of " + std::to_string(a.items) + " and of " + std::to_string(b.items) +
                     " items: only those of the same items can be compared");
  }
  return compare(a.values, b.values, how, {a.rounding, b.rounding});
}

RdmSimilarity compare(std::span<const double> a, std::span<const double> b, RdmComparison how, RdmRounding rounding) {
  assert(a.size() == b.size());
  std::vector<double> x, y;
  x.reserve(a.size());
  y.reserve(b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) continue;
    x.push_back(a[i]);
    y.push_back(b[i]);
  }
  return {compare_numbers(x, y, how, rounding), std::ssize(x), std::ssize(a) - std::ssize(x)};
}

}  // namespace chiasm
