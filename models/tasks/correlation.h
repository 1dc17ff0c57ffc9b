// SPDX-License-Identifier: Apache-2.0
// Correlations of many outputs with their targets over samples that come in batches.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace chiasm {

class Correlations {
 public:
  explicit Correlations(std::size_t outputs) : outputs_(outputs) {}
  // One sample: REQUIRES as many values as outputs in both.
  void add(std::span<const double> prediction, std::span<const double> target);

  // Pearson's r of each output; not a number where prediction or target never changed.
  std::vector<double> r() const;
  // 1 - sum of squared errors / sum of squares about the target's mean, of all outputs together; not a number where no
  // target changed.
  double explained() const;

 private:
  // Means and sums of products about them (Welford 1962), which lose no digits where means are large.
  struct Moments {
    double mean_x = 0.0, mean_y = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;
  };
  std::vector<Moments> outputs_;
  double samples_ = 0.0, squared_error_ = 0.0;
};

struct MeanOfSome {
  double mean = 0.0;  // of what is a number; 0 where nothing is
  std::int64_t left_out = 0;
};
MeanOfSome mean_of_numbers(std::span<const double> values);

}  // namespace chiasm
