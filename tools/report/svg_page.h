// SPDX-License-Identifier: Apache-2.0
// Charts as one SVG file of its own, for papers and slides: the style sheet of the report in its light colours, written
// out, because few programs that read SVG know CSS variables.
#pragma once

#include <string>
#include <vector>

namespace chiasm {

struct SvgPanel {
  std::string svg = {};  // from svg_of
  double x = 0, y = 0;
};

std::string svg_page(const std::string& title, int width, int height, const std::vector<SvgPanel>& panels);

}  // namespace chiasm
