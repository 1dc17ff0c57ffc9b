// SPDX-License-Identifier: Apache-2.0
#include "tools/report/label_placement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace chiasm {
namespace {

constexpr double kGap = 8;         // between a point and its name
constexpr double kRing = 9;        // from one ring of positions to the next
constexpr int kRings = 14;         // around each point
constexpr int kDirections = 16;    // on a ring
constexpr double kFarAway = 14;    // beyond this a name needs a line to its point
constexpr double kAreaCost = 100;  // of a unit of area covered, against a unit of distance
constexpr int kSweeps = 20;

struct Position {
  Box box;
  double distance;
};

// Right of the point first, then left, above and below; on wider rings every direction.
std::vector<Position> positions_of(const LabelAt& label, const Box& area) {
  std::vector<Position> result;
  for (int ring = 0; ring < kRings; ++ring) {
    const double distance = kGap + kRing * ring;
    for (int i = 0; i < kDirections; ++i) {
      const double angle = 2 * std::numbers::pi * i / kDirections;
      const double dx = std::cos(angle), dy = std::sin(angle);
      // The nearest point of the text lies in this direction: the text hangs on its side, end or corner.
      const double x = label.x + distance * dx + (dx - 1) / 2 * label.width;
      const double y = label.y + distance * dy + (dy - 1) / 2 * label.height;
      const Box box{x, y, x + label.width, y + label.height};
      // A name beside its point reads best, one above or below it next best.
      const double preference = dx > 0.99 ? 0 : dx < -0.99 ? 0.5 : std::abs(dy) > 0.99 ? 2 : 1;
      if (box.inside(area)) result.push_back({box, kRing * ring + preference});
    }
  }
  if (result.empty()) {  // an area smaller than the text: as far inside as it goes
    const double x = std::clamp(label.x + kGap, area.left, std::max(area.left, area.right - label.width));
    const double y = std::clamp(label.y - label.height / 2, area.top, std::max(area.top, area.bottom - label.height));
    result.push_back({{x, y, x + label.width, y + label.height}, 0});
  }
  return result;
}

}  // namespace

bool Box::inside(const Box& other) const {
  return left >= other.left && right <= other.right && top >= other.top && bottom <= other.bottom;
}

double Box::overlap(const Box& other) const {
  const double width = std::min(right, other.right) - std::max(left, other.left);
  const double height = std::min(bottom, other.bottom) - std::max(top, other.top);
  return width > 0 && height > 0 ? width * height : 0;
}

std::vector<PlacedLabel> place_labels(const std::vector<LabelAt>& labels, std::span<const Box> obstacles,
                                      const Box& area) {
  std::vector<std::vector<Position>> positions;
  std::vector<std::vector<double>> fixed;  // the cost of each position whatever the other labels do
  for (const LabelAt& label : labels) {
    positions.push_back(positions_of(label, area));
    std::vector<double>& costs = fixed.emplace_back();
    for (const Position& position : positions.back()) {
      double covered = 0;
      for (const Box& obstacle : obstacles) covered += position.box.overlap(obstacle);
      costs.push_back(position.distance + kAreaCost * covered);
    }
  }
  std::vector<std::size_t> chosen(labels.size(), 0);
  bool placed_all = false;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    bool moved = false;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      double least = std::numeric_limits<double>::infinity();
      std::size_t best = 0;
      for (std::size_t p = 0; p < positions[i].size(); ++p) {
        double cost = fixed[i][p];
        if (cost >= least) continue;
        for (std::size_t j = 0; j < labels.size(); ++j) {
          // In the first sweep the later labels have no place yet.
          if (j == i || (!placed_all && j > i)) continue;
          cost += kAreaCost * positions[i][p].box.overlap(positions[j][chosen[j]].box);
        }
        if (cost < least) least = cost, best = p;
      }
      moved = moved || best != chosen[i];
      chosen[i] = best;
    }
    if (placed_all && !moved) break;
    placed_all = true;
  }
  std::vector<PlacedLabel> result;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const Position& position = positions[i][chosen[i]];
    result.push_back({position.box, position.distance > kFarAway});
  }
  return result;
}

}  // namespace chiasm
