// SPDX-License-Identifier: Apache-2.0
// One axis of a chart: a range of values that ends on round numbers, and its ticks.
#pragma once

#include <string>
#include <vector>

namespace chiasm {

struct Axis {
  double min = 0;
  double max = 1;
  std::vector<double> ticks;  // multiples of 1, 2 or 5 times a power of ten, within [min, max]
  double step = 1;            // between ticks

  // The smallest axis on round numbers that holds [min, max], with about `count` ticks; an empty range is widened.
  static Axis around(double min, double max, int count);
  // Exactly [min, max], with the round numbers in it as ticks; `whole` keeps them integers.
  static Axis exactly(double min, double max, int count, bool whole = false);

  double share(double value) const { return (value - min) / (max - min); }  // 0 at min, 1 at max
  std::string label(double tick) const;  // as many decimals as the step needs; thousands as "12k"
};

}  // namespace chiasm
