// SPDX-License-Identifier: Apache-2.0
// One axis of a chart: a range of values, linear or logarithmic, and its ticks.
#pragma once

#include <string>
#include <vector>

namespace chiasm {

struct Axis {
  double min = 0;
  double max = 1;
  std::vector<double> ticks;  // round numbers within [min, max]: of a linear axis 1, 2 or 5 times a power of ten apart
  double step = 1;            // between ticks of a linear axis
  bool logarithmic = false;

  // The smallest axis on round numbers that holds [min, max], with about `count` ticks; an empty range is widened.
  static Axis around(double min, double max, int count);
  // Exactly [min, max], with the round numbers in it as ticks; `whole` keeps them integers.
  static Axis exactly(double min, double max, int count, bool whole = false);
  // Logarithmic, a little wider than [min, max], with at least three ticks where they fit. REQUIRES: 0 < min <= max.
  static Axis powers(double min, double max, int count);

  double share(double value) const;  // 0 at min, 1 at max
  // As many decimals as the step needs; thousands as "12k".
  std::string label(double tick) const;
};

}  // namespace chiasm
