// SPDX-License-Identifier: Apache-2.0
// Metric: what a task measures, and how it is shown wherever numbers are: JSON, logs, curves and reports show whatever
// a task declares.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chiasm {

struct Metric {
  enum class Better { kHigher, kLower, kNeither };
  std::string name;       // its key: "top1"
  std::string words;      // for people: "accuracy"
  std::string unit = {};  // "%" shows a share of 1 in percent; others, such as "nats", name the axis of a chart
  Better better = Better::kLower;

  // "91.60 %", "0.2315"
  std::string show(double value) const;
};

// What became of a metric.
struct Score {
  Metric metric;
  std::optional<double> value;       // none where only its course over time means something
  std::vector<double> by_step = {};  // at each timestep, where it has a course
};

// Null: there is none of this name.
const Score* find_score(const std::vector<Score>& scores, std::string_view name);
// Throws InternalError where find_score finds none with a value.
double score_value(const std::vector<Score>& scores, std::string_view name);

}  // namespace chiasm
