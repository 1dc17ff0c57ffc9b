// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/noise_ceiling.h"

#include <array>
#include <cmath>
#include <utility>

#include "analysis/statistics/rank.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::array<std::pair<const char*, SubjectScale>, 5> kNames{{{"auto", SubjectScale::kAutomatic},
                                                                      {"none", SubjectScale::kNone},
                                                                      {"ranks", SubjectScale::kRanks},
                                                                      {"z", SubjectScale::kZ},
                                                                      {"unit", SubjectScale::kUnitLength}}};

SubjectScale scale_for(RdmComparison how) {
  switch (how) {
    case RdmComparison::kPearson:
      return SubjectScale::kZ;
    case RdmComparison::kCosine:
      return SubjectScale::kUnitLength;
    case RdmComparison::kSpearman:
    case RdmComparison::kKendallA:
    case RdmComparison::kKendallB:
      return SubjectScale::kRanks;
  }
  throw InternalError("an unknown comparison");
}

double mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

std::vector<double> scaled(std::vector<double> values, SubjectScale scale, double rounding) {
  if (scale == SubjectScale::kRanks) return ranks(tie_within_rounding(values, rounding));
  if (scale == SubjectScale::kNone) return values;
  const double shift = scale == SubjectScale::kZ ? mean(values) : 0.0;
  double square = 0.0;
  for (double& value : values) {
    value -= shift;
    square += value * value;
  }
  const double norm = std::sqrt(scale == SubjectScale::kZ ? square / static_cast<double>(values.size()) : square);
  for (double& value : values) value /= norm;
  return values;
}

}  // namespace

SubjectScale parse_subject_scale(const std::string& name) {
  std::string known;
  for (const auto& [text, scale] : kNames) {
    if (name == text) return scale;
    known += (known.empty() ? "" : ", ") + std::string(text);
  }
  throw InputError("scale of subjects \"" + name + "\": known are " + known);
}

NoiseCeiling noise_ceiling(std::span<const Rdm> subjects, RdmComparison how, SubjectScale scale) {
  if (subjects.size() < 2) {
    throw InputError("a noise ceiling over " + std::to_string(subjects.size()) + " subjects: it needs two or more");
  }
  for (const Rdm& subject : subjects) {
    if (subject.items == subjects[0].items) continue;
    throw InputError("a noise ceiling over dissimilarity matrices of " + std::to_string(subjects[0].items) +
                     " and of " + std::to_string(subject.items) + " items: all must be of the same");
  }
  std::vector<std::vector<double>> kept(subjects.size());
  for (std::size_t i = 0; i < subjects[0].values.size(); ++i) {
    bool complete = true;
    for (const Rdm& subject : subjects) complete = complete && !std::isnan(subject.values[i]);
    for (std::size_t s = 0; complete && s < subjects.size(); ++s) kept[s].push_back(subjects[s].values[i]);
  }
  NoiseCeiling ceiling{};
  ceiling.pairs = std::ssize(kept[0]);
  ceiling.missing = std::ssize(subjects[0].values) - ceiling.pairs;
  if (scale == SubjectScale::kAutomatic) scale = scale_for(how);
  for (std::size_t s = 0; s < kept.size(); ++s) kept[s] = scaled(std::move(kept[s]), scale, subjects[s].rounding);
  std::vector<double> sum(kept[0].size());
  for (const std::vector<double>& values : kept) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += values[i];
  }
  for (const std::vector<double>& values : kept) {
    // Every comparison is the same for a sum as for a mean. The others are summed anew: a difference would be rounded
    // where ranks tie.
    std::vector<double> others(sum.size());
    for (const std::vector<double>& other : kept) {
      for (std::size_t i = 0; &other != &values && i < sum.size(); ++i) others[i] += other[i];
    }
    ceiling.lower_of.push_back(compare(values, others, how).value);
    ceiling.upper_of.push_back(compare(values, sum, how).value);
  }
  ceiling.lower = mean(ceiling.lower_of);
  ceiling.upper = mean(ceiling.upper_of);
  return ceiling;
}

}  // namespace chiasm
