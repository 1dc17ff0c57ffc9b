// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/report_parts.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "tools/report/html.h"

namespace chiasm::report {

using html::escape;

std::string style_of(std::size_t index) { return fmt::format("s{}", index % kStyles + 1); }

std::string number(double value, int decimals) {
  if (!std::isfinite(value)) return "not defined";
  return std::abs(value) < 1e6 ? fmt::format("{:.{}f}", value, decimals) : fmt::format("{:.4g}", value);
}

std::string count(double value) {
  return std::isfinite(value) ? fmt::format("{:.{}g}", value, std::abs(value) < 1e15 ? 16 : 6) : "not defined";
}

std::string with_error(double value, double error) {
  return std::isfinite(value) && std::isfinite(error) ? number(value) + " \xC2\xB1 " + number(error) : number(value);
}

std::string plural(double value, const std::string& noun) {
  return count(value) + " " + noun + (value == 1.0 ? "" : "s");
}

Summarised summary_at(const ResultNode& node, const char* key) {
  const auto found = node.find(key);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (!found) return {nan, nan, 0, 0, false};
  return {found->number("median"), found->number("sem"), found->number("units"), found->number("undefined_units"),
          true};
}

std::string area_name(const std::string& area) { return area.empty() ? "all units" : area; }

Table::Table(const std::vector<std::string>& headings) : out_("<table class=\"numbers\">\n<tr>") {
  for (const std::string& heading : headings) out_ += "<th scope=\"col\">" + escape(heading) + "</th>";
  out_ += "</tr>\n";
}

void Table::row(const std::vector<std::string>& cells, bool strong) {
  out_ += "<tr>";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string text = strong ? "<b>" + escape(cells[i]) + "</b>" : escape(cells[i]);
    out_ += i == 0 ? "<th scope=\"row\">" + text + "</th>" : "<td>" + text + "</td>";
  }
  out_ += "</tr>\n";
}

std::string paragraph(const std::string& text) { return "<p class=\"about\">" + escape(text) + "</p>\n"; }

std::string heading(const std::string& text) { return "<h3>" + escape(text) + "</h3>\n"; }

std::string charts(const std::vector<std::string>& svgs) {
  if (svgs.empty()) return "";
  std::string out = "<div class=\"charts\">\n";
  for (const std::string& svg : svgs) out += svg;
  return out + "</div>\n";
}

BinAxis bin_axis(const std::vector<double>& starts_ms, std::size_t bins) {
  BinAxis axis{starts_ms, "start of the time bin (ms)"};
  bool known = starts_ms.size() == bins;
  for (const double start : starts_ms) known = known && std::isfinite(start);
  if (known) return axis;
  axis = {{}, "time bin"};
  for (std::size_t i = 0; i < bins; ++i) axis.at.push_back(static_cast<double>(i));
  return axis;
}

BinAxis bin_axis(const std::vector<ResultNode>& bins) {
  std::vector<double> starts;
  for (const ResultNode& bin : bins) {
    if (bin.find("start_ms")) starts.push_back(bin.number("start_ms"));
  }
  return bin_axis(starts, bins.size());
}

}  // namespace chiasm::report
