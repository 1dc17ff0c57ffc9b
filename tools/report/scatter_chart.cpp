// SPDX-License-Identifier: Apache-2.0
#include "tools/report/scatter_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/report/axis.h"
#include "tools/report/html.h"

namespace chiasm {
namespace {

using html::escape;

constexpr double kLetterWidth = 7.2;  // of the bold 12 px font, on the wide side: fonts differ between machines
constexpr double kTextHeight = 14;
constexpr double kBaseline = 11;  // from the top of a text to the line its letters stand on
constexpr double kRadius = 4.5;
constexpr double kCloudRadius = 3;
constexpr double kCap = 3;        // half the width of the end of an error bar
constexpr double kLinePiece = 4;  // lines are obstacles to labels in pieces of this length

double width_of(const std::string& utf8) {
  const auto letters =
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return kLetterWidth * static_cast<double>(letters);
}

class ScatterDrawing {
 public:
  explicit ScatterDrawing(const ScatterChart& chart) : chart_(chart) {
    plot_ = {46, 26, chart.width - 16.0, chart.height - (chart.x_label.empty() ? 24.0 : 42.0)};
    for (const ScatterGroup& group : chart.groups) {
      std::vector<ScatterPoint>& drawn = drawn_.emplace_back();
      std::copy_if(group.points.begin(), group.points.end(), std::back_inserter(drawn), [&](const ScatterPoint& p) {
        return std::isfinite(p.x) && std::isfinite(p.y) && (!chart.logarithmic_x || p.x > 0);
      });
      for (ScatterPoint& p : drawn) {
        if (!std::isfinite(p.y_low) || !std::isfinite(p.y_high) || p.y_low >= p.y_high) p.y_low = p.y_high = p.y;
      }
    }
    choose_axes();
    place();
  }

  const ScatterLayout& layout() const { return layout_; }

  std::string svg() {
    out_ = fmt::format(
        "<svg class=\"chart\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" role=\"img\" aria-label=\"{}\">\n",
        chart_.width, chart_.height, chart_.width, chart_.height, escape(chart_.title));
    draw_axes();
    draw_front();
    if (chart_.identity) line(px(x_.min), py(x_.min), px(x_.max), py(x_.max), "guide");
    for (std::size_t i = 0; i < drawn_.size(); ++i) draw_group(chart_.groups[i], drawn_[i]);
    draw_labels();
    draw_legend();
    return out_ + "</svg>\n";
  }

 private:
  double px(double x) const { return plot_.left + x_.share(x) * (plot_.right - plot_.left); }
  double py(double y) const { return plot_.bottom - y_.share(y) * (plot_.bottom - plot_.top); }

  void choose_axes() {
    const double inf = std::numeric_limits<double>::infinity();
    double x_min = inf, x_max = -inf, y_min = inf, y_max = -inf;
    for (const auto& points : drawn_) {
      for (const ScatterPoint& p : points) {
        x_min = std::min(x_min, p.x), x_max = std::max(x_max, p.x);
        y_min = std::min({y_min, p.y, p.y_low}), y_max = std::max({y_max, p.y, p.y_high});
      }
    }
    const int x_ticks = static_cast<int>((plot_.right - plot_.left) / 80);
    const int y_ticks = static_cast<int>((plot_.bottom - plot_.top) / 50);
    if (chart_.same_axes || chart_.identity) {
      x_ = y_ = Axis::around(std::min(x_min, y_min), std::max(x_max, y_max), std::min(x_ticks, y_ticks));
      return;
    }
    if (chart_.logarithmic_x) {
      x_ = x_max > 0 ? Axis::powers(x_min, x_max, x_ticks) : Axis::powers(1, 10, x_ticks);
    } else {
      x_ = Axis::around(x_min, x_max, x_ticks);
    }
    y_ = Axis::around(y_min, y_max, y_ticks);
  }

  // Everything that is drawn is in the way of a label.
  void place() {
    layout_.plot = plot_;
    std::vector<Box> obstacles;
    std::vector<LabelAt> wanted;
    for (std::size_t i = 0; i < drawn_.size(); ++i) {
      const std::vector<ScatterPoint>& points = drawn_[i];
      for (std::size_t k = 0; k < points.size(); ++k) {
        const double x = px(points[k].x), y = py(points[k].y);
        layout_.markers.push_back({x - kRadius, y - kRadius, x + kRadius, y + kRadius});
        obstacles.push_back({x - kCap, py(points[k].y_high), x + kCap, py(points[k].y_low)});
        if (k > 0 && !chart_.groups[i].cloud) add_line(obstacles, px(points[k - 1].x), py(points[k - 1].y), x, y);
      }
      if (points.empty() || chart_.groups[i].label.empty()) continue;
      layout_.labelled.push_back(i);
      wanted.push_back({px(points[0].x), py(points[0].y), width_of(chart_.groups[i].label), kTextHeight});
    }
    const std::vector<ChartPoint> corners = front_corners();
    for (std::size_t i = 1; i < corners.size(); ++i) {
      add_line(obstacles, corners[i - 1].x, corners[i - 1].y, corners[i].x, corners[i].y);
    }
    obstacles.insert(obstacles.end(), layout_.markers.begin(), layout_.markers.end());
    layout_.labels = place_labels(wanted, obstacles, plot_);
  }

  static void add_line(std::vector<Box>& obstacles, double x1, double y1, double x2, double y2) {
    const int pieces = std::max(1, static_cast<int>(std::ceil(std::hypot(x2 - x1, y2 - y1) / kLinePiece)));
    for (int i = 0; i < pieces; ++i) {
      const double a = static_cast<double>(i) / pieces, b = static_cast<double>(i + 1) / pieces;
      const double xa = x1 + a * (x2 - x1), xb = x1 + b * (x2 - x1), ya = y1 + a * (y2 - y1), yb = y1 + b * (y2 - y1);
      obstacles.push_back(
          {std::min(xa, xb) - 0.75, std::min(ya, yb) - 0.75, std::max(xa, xb) + 0.75, std::max(ya, yb) + 0.75});
    }
  }

  void text(double x, double y, const std::string& classes, const std::string& words) {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\">{}</text>\n", x, y, classes, escape(words));
  }
  void line(double x1, double y1, double x2, double y2, const std::string& classes) {
    out_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2,
                        y2, classes);
  }

  void draw_axes() {
    for (const double tick : y_.ticks) {
      line(plot_.left, py(tick), plot_.right, py(tick), "grid");
      text(plot_.left - 8, py(tick) + 4, "tick end", y_.label(tick));
    }
    line(plot_.left, plot_.bottom, plot_.right, plot_.bottom, "axis");
    for (const double tick : x_.ticks) {
      line(px(tick), plot_.bottom, px(tick), plot_.bottom + 4, "axis");
      text(px(tick), plot_.bottom + 18, "tick middle", x_.label(tick));
    }
    if (!chart_.x_label.empty()) {
      text((plot_.left + plot_.right) / 2, chart_.height - 6, "name middle", chart_.x_label);
    }
    if (!chart_.y_label.empty()) text(4, 14, "name", chart_.y_label);
  }

  // From the axis up to the first point, and in steps to the right edge; in the picture's units.
  std::vector<ChartPoint> front_corners() const {
    std::vector<ChartPoint> corners;
    for (const ChartPoint& point : chart_.front) {
      corners.push_back({px(point.x), corners.empty() ? plot_.bottom : corners.back().y});
      corners.push_back({px(point.x), py(point.y)});
    }
    if (!corners.empty()) corners.push_back({plot_.right, corners.back().y});
    return corners;
  }

  void draw_front() {
    std::string path;
    for (const ChartPoint& corner : front_corners()) path += fmt::format("{:.1f},{:.1f} ", corner.x, corner.y);
    if (path.empty()) return;
    path.pop_back();
    out_ += fmt::format("<polyline class=\"front\" points=\"{}\"/>\n", path);
  }

  void draw_group(const ScatterGroup& group, const std::vector<ScatterPoint>& points) {
    const std::string style = escape(group.style);
    for (std::size_t k = 1; k < points.size() && !group.cloud; ++k) {
      line(px(points[k - 1].x), py(points[k - 1].y), px(points[k].x), py(points[k].y), "join " + style);
    }
    for (const ScatterPoint& p : points) {
      if (p.y_low == p.y_high) continue;
      line(px(p.x), py(p.y_low), px(p.x), py(p.y_high), "error " + style);
      for (const double end : {p.y_low, p.y_high})
        line(px(p.x) - kCap, py(end), px(p.x) + kCap, py(end), "error " + style);
    }
    for (const ScatterPoint& p : points) {
      out_ += fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" class=\"{}{}\"><title>{}: {:.4g} at {:.10g}</title></circle>\n",
          px(p.x), py(p.y), group.cloud ? kCloudRadius : kRadius, p.hollow ? "hollow " : "", style, escape(group.label),
          p.y, p.x);
    }
  }

  void draw_labels() {
    for (std::size_t i = 0; i < layout_.labels.size(); ++i) {
      const ScatterGroup& group = chart_.groups[layout_.labelled[i]];
      const ScatterPoint& point = drawn_[layout_.labelled[i]].front();
      const Box& box = layout_.labels[i].box;
      if (layout_.labels[i].away) {
        const double x = px(point.x), y = py(point.y);
        line(x, y, std::clamp(x, box.left, box.right), std::clamp(y, box.top, box.bottom),
             "leader " + escape(group.style));
      }
      // The letters may be narrower than the box: they start at its end nearest to the point.
      const double x = px(point.x), middle = (box.left + box.right) / 2;
      const bool beside = x < box.left || x > box.right;
      const double at = !beside ? middle : x < box.left ? box.left : box.right;
      const char* anchor = !beside ? "middle " : x < box.left ? "" : "end ";
      text(at, box.top + kBaseline, std::string("label ") + anchor + escape(group.style), group.label);
    }
  }

  void draw_legend() {
    double x = plot_.right;
    const auto item = [&](const std::string& words, auto draw_sign) {
      if (words.empty()) return;
      x -= width_of(words);
      text(x, 14, "legend", words);
      x -= 16;
      draw_sign();
      x -= 12;
    };
    const auto marker = [&](const char* classes) {
      out_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"10\" r=\"{}\" class=\"{}\"/>\n", x + 8, kRadius, classes);
    };
    item(chart_.front.empty() ? "" : chart_.front_label,
         [&] { out_ += fmt::format("<polyline class=\"front\" points=\"{:.1f},10 {:.1f},10\"/>\n", x - 4, x + 12); });
    item(chart_.legend.second, [&] { marker("hollow ink"); });
    item(chart_.legend.first, [&] { marker("ink"); });
  }

  const ScatterChart& chart_;
  std::vector<std::vector<ScatterPoint>> drawn_;
  Box plot_;
  Axis x_, y_;
  ScatterLayout layout_;
  std::string out_;
};

}  // namespace

ScatterLayout layout_of(const ScatterChart& chart) { return ScatterDrawing(chart).layout(); }

std::string svg_of(const ScatterChart& chart) { return ScatterDrawing(chart).svg(); }

}  // namespace chiasm
