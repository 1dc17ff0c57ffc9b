// SPDX-License-Identifier: Apache-2.0
#include "tools/report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chiasm {
namespace {

double round_step(double span, int count) {
  const double rough = span / std::max(count, 1);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

// A range that has a length, in numbers that a chart can show.
void widen(double& min, double& max) {
  if (!std::isfinite(min) || !std::isfinite(max)) min = 0, max = 1;
  if (min > max) std::swap(min, max);
  // Nearer ends than this would need ticks that differ beyond the digits of a double.
  const double smallest = std::max(1e-9 * std::max(std::abs(min), std::abs(max)), 1e-12);
  if (max - min < smallest) {
    const double half = min == 0 ? 0.5 : std::abs(min) / 2;
    min -= half;
    max += half;
  }
}

void fill_ticks(Axis& axis) {
  const double slack = 1e-9 * axis.step;
  const auto first = static_cast<long long>(std::ceil((axis.min - slack) / axis.step));
  const auto last = static_cast<long long>(std::floor((axis.max + slack) / axis.step));
  for (long long i = first; i <= last; ++i) axis.ticks.push_back(static_cast<double>(i) * axis.step);
}

}  // namespace

Axis Axis::around(double min, double max, int count) {
  widen(min, max);
  Axis axis;
  axis.step = round_step(max - min, count);
  axis.min = std::floor(min / axis.step + 1e-9) * axis.step;
  axis.max = std::ceil(max / axis.step - 1e-9) * axis.step;
  fill_ticks(axis);
  return axis;
}

Axis Axis::exactly(double min, double max, int count, bool whole) {
  widen(min, max);
  Axis axis;
  axis.min = min;
  axis.max = max;
  axis.step = round_step(max - min, count);
  if (whole) axis.step = std::max(axis.step, 1.0);
  fill_ticks(axis);
  return axis;
}

// Ticks at each power of ten times 1, or 1 and 3, and so on: the fewest of these that give a chart three ticks. Where a
// range is too narrow for that, ticks are as far apart as on a linear axis.
Axis Axis::powers(double min, double max, int count) {
  constexpr double kMargin = 0.06;      // of the axis, at either end
  constexpr double kLeastRatio = 1.25;  // of its ends
  const double room = std::max(std::log(max / min), std::log(kLeastRatio)) * (1 + 2 * kMargin) / 2;
  const double middle = (std::log(min) + std::log(max)) / 2;
  Axis axis;
  axis.logarithmic = true;
  axis.min = std::exp(middle - room);
  axis.max = std::exp(middle + room);
  const int first = static_cast<int>(std::floor(std::log10(axis.min)));
  const int last = static_cast<int>(std::ceil(std::log10(axis.max)));
  for (const std::vector<double>& multiples :
       {std::vector<double>{1}, {1, 3}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}, {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9}}) {
    axis.ticks.clear();
    for (int power = first; power <= last; ++power) {
      for (const double multiple : multiples) {
        const double tick = multiple * std::pow(10, power);
        if (tick >= axis.min && tick <= axis.max) axis.ticks.push_back(tick);
      }
    }
    if (axis.ticks.size() >= 3) return axis;
  }
  axis.ticks = exactly(axis.min, axis.max, count).ticks;
  return axis;
}

double Axis::share(double value) const {
  return logarithmic ? std::log(value / min) / std::log(max / min) : (value - min) / (max - min);
}

std::string Axis::label(double tick) const {
  if (logarithmic) {
    if (tick >= 1e9 || tick < 1e-3) return fmt::format("{:.3g}", tick);
    if (tick >= 1e6) return fmt::format("{:.4g}M", tick / 1e6);
    return tick >= 1e3 ? fmt::format("{:.4g}k", tick / 1e3) : fmt::format("{:.4g}", tick);
  }
  double unit = 1;
  const char* suffix = "";
  if (std::max(std::abs(min), std::abs(max)) >= 10'000 && step >= 100) unit = 1000, suffix = "k";
  if (std::max(std::abs(min), std::abs(max)) >= 10'000'000 && step >= 100'000) unit = 1'000'000, suffix = "M";
  if (std::abs(tick) < step / 2) return "0";
  const double value = tick / unit;
  const int decimals = static_cast<int>(std::ceil(-std::log10(step / unit) - 1e-9));
  if (decimals > 6 || std::abs(value) >= 1e9) return fmt::format("{:.3g}", tick);
  return fmt::format("{:.{}f}{}", value, std::max(decimals, 0), suffix);
}

}  // namespace chiasm
