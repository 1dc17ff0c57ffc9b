// SPDX-License-Identifier: Apache-2.0
#include "tools/report/svg_page.h"

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "kernels/error.h"
#include "tools/report/html.h"
#include "tools/report/style.h"

namespace chiasm {
namespace {

// The light colours: the first block of the style sheet, "--name: value;" each.
std::map<std::string, std::string, std::less<>> light_colours(std::string_view style) {
  std::map<std::string, std::string, std::less<>> colours;
  const std::string_view block = style.substr(0, style.find('}'));
  for (std::size_t at = block.find("--"); at != block.npos; at = block.find("--", at + 1)) {
    const std::size_t colon = block.find(':', at), end = block.find(';', at);
    if (colon == block.npos || end == block.npos) break;
    colours.emplace(block.substr(at, colon - at), block.substr(colon + 2, end - colon - 2));
  }
  return colours;
}

// The rules for what is inside a chart, with colours instead of variables.
std::string chart_rules() {
  const std::string_view style = kReportStyle;
  const auto colours = light_colours(style);
  std::string out;
  for (std::size_t begin = 0; begin < style.size();) {
    const std::size_t end = std::min(style.find('\n', begin), style.size());
    std::string rule(style.substr(begin, end - begin));
    begin = end + 1;
    if (!rule.starts_with(".chart ")) continue;
    for (std::size_t at = rule.find("var("); at != rule.npos; at = rule.find("var(", at)) {
      const std::size_t close = rule.find(')', at);
      const auto colour = colours.find(rule.substr(at + 4, close - at - 4));
      if (colour == colours.end()) throw InternalError("the style sheet has no colour for: " + rule);
      rule.replace(at, close + 1 - at, colour->second);
    }
    out += rule + "\n";
  }
  return out;
}

}  // namespace

std::string svg_page(const std::string& title, int width, int height, const std::vector<SvgPanel>& panels) {
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" font-size=\"12\" "
      "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n<title>{}</title>\n<style>\n{}</style>\n"
      "<rect width=\"{}\" height=\"{}\" fill=\"#ffffff\"/>\n",
      width, height, width, height, html::escape(title), chart_rules(), width, height);
  constexpr std::string_view kStart = "<svg ";
  for (const SvgPanel& panel : panels) {
    if (!panel.svg.starts_with(kStart)) throw InternalError("a panel of a figure is no chart");
    out += fmt::format("<svg x=\"{:.1f}\" y=\"{:.1f}\" {}", panel.x, panel.y, panel.svg.substr(kStart.size()));
  }
  return out + "</svg>\n";
}

}  // namespace chiasm
