// SPDX-License-Identifier: Apache-2.0
// Where to put the names of points in a chart so that they cover neither each other nor what is drawn. Internal to
// tools/report. All lengths are in the units of the picture, y downwards.
#pragma once

#include <span>
#include <vector>

namespace chiasm {

struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;

  bool inside(const Box& other) const;
  double overlap(const Box& other) const;  // the area they share
};

struct LabelAt {
  double x = 0, y = 0;           // the point it names
  double width = 0, height = 0;  // of the text
};

struct PlacedLabel {
  Box box = {};
  bool away = false;  // so far from its point that a line should lead there
};

// Tries positions around each point, nearest first, and improves one label at a time until nothing is gained. Labels
// stay inside `area`; they share space with each other or with `obstacles` (markers, lines cut into pieces) only where
// no position is free.
std::vector<PlacedLabel> place_labels(const std::vector<LabelAt>& labels, std::span<const Box> obstacles,
                                      const Box& area);

}  // namespace chiasm
