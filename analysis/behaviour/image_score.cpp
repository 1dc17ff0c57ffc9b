// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/image_score.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <string>

#include "analysis/statistics/normal.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

// Of those that are not NaN.
class Mean {
 public:
  void add(double value) {
    if (std::isnan(value)) return;
    sum_ += value;
    ++count_;
  }
  double value() const { return count_ > 0 ? sum_ / count_ : std::numeric_limits<double>::quiet_NaN(); }

 private:
  double sum_ = 0.0;
  int count_ = 0;
};

}  // namespace

double d_prime(double hit_rate, double false_alarm_rate, double most) {
  return std::clamp(normal_quantile(hit_rate) - normal_quantile(false_alarm_rate), -most, most);  // keeps a NaN
}

ImageScores image_scores(MatrixView<double> probabilities, std::span<const std::int32_t> labels) {
  assert(std::ssize(labels) == probabilities.rows);
  const std::int64_t images = probabilities.rows, classes = probabilities.columns;
  // false_alarms[t * classes + d]: of reporting t, over the images of d.
  std::vector<Mean> false_alarms(static_cast<std::size_t>(classes * classes));
  for (std::int64_t j = 0; j < images; ++j) {
    const std::int32_t d = labels[static_cast<std::size_t>(j)];
    if (d < 0 || d >= classes) {
      throw InputError("image " + std::to_string(j) + " has label " + std::to_string(d) + ": allowed are 0 to " +
                       std::to_string(classes - 1));
    }
    const auto p = probabilities.row(j);
    for (std::size_t t = 0; t < p.size(); ++t) {
      false_alarms[t * p.size() + static_cast<std::size_t>(d)].add(p[t] / (p[t] + p[static_cast<std::size_t>(d)]));
    }
  }
  ImageScores scores;
  for (std::int64_t i = 0; i < images; ++i) {
    const auto p = probabilities.row(i);
    const auto t = static_cast<std::size_t>(labels[static_cast<std::size_t>(i)]);
    Mean mean;
    std::int64_t left_out = 0;
    for (std::size_t d = 0; d < p.size(); ++d) {
      if (d == t) continue;
      const double value = d_prime(p[t] / (p[t] + p[d]), false_alarms[t * p.size() + d].value());
      left_out += std::isnan(value);
      mean.add(value);
    }
    scores.i1.push_back(mean.value());
    if (std::isnan(scores.i1.back())) {
      ++scores.images_left_out;
    } else {
      scores.distractors_left_out += left_out;
    }
  }
  return scores;
}

}  // namespace chiasm
