// SPDX-License-Identifier: Apache-2.0
#include "models/tasks/correlation.h"

#include <cmath>
#include <limits>

namespace chiasm {

void Correlations::add(std::span<const double> prediction, std::span<const double> target) {
  samples_ += 1.0;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    Moments& m = outputs_[i];
    const double x = prediction[i], y = target[i], dx = x - m.mean_x, dy = y - m.mean_y;
    m.mean_x += dx / samples_;
    m.mean_y += dy / samples_;
    m.xx += dx * (x - m.mean_x);
    m.yy += dy * (y - m.mean_y);
    m.xy += dx * (y - m.mean_y);
    squared_error_ += (x - y) * (x - y);
  }
}

std::vector<double> Correlations::r() const {
  std::vector<double> r;
  for (const Moments& m : outputs_) {
    const bool changes = m.xx > 0.0 && m.yy > 0.0;
    r.push_back(changes ? m.xy / std::sqrt(m.xx * m.yy) : std::numeric_limits<double>::quiet_NaN());
  }
  return r;
}

double Correlations::explained() const {
  double total = 0.0;
  for (const Moments& m : outputs_) total += m.yy;
  return total > 0.0 ? 1.0 - squared_error_ / total : std::numeric_limits<double>::quiet_NaN();
}

MeanOfSome mean_of_numbers(std::span<const double> values) {
  MeanOfSome result;
  double sum = 0.0, count = 0.0;
  for (double value : values) {
    if (std::isnan(value)) {
      ++result.left_out;
    } else {
      sum += value;
      count += 1.0;
    }
  }
  result.mean = count > 0.0 ? sum / count : 0.0;
  return result;
}

}  // namespace chiasm
