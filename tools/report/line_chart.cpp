// SPDX-License-Identifier: Apache-2.0
#include "tools/report/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <tuple>

#include "tools/report/axis.h"
#include "tools/report/html.h"

namespace chiasm {
namespace {

using html::escape;

constexpr double kLetterWidth = 8;  // of the bold 12 px font, on the wide side: fonts differ between machines
constexpr double kLabelGap = 15;    // between labels at the right end
constexpr std::size_t kMostMarkers = 40;

struct Range {
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  void hold(double value) {
    if (!std::isfinite(value)) return;
    min = std::min(min, value);
    max = std::max(max, value);
  }
};

std::size_t letters_in(const std::string& utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_drawn(const ChartPoint& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

// A series as it is drawn: thinned, with the spread of what each point stands for.
struct Stretch {
  double x = 0, mean = 0, min = 0, max = 0;
};

std::vector<Stretch> stretches_of(const std::vector<ChartPoint>& points) {
  std::vector<Stretch> result;
  if (points.size() <= kMostChartPoints) {
    for (const ChartPoint& p : points) result.push_back({p.x, p.y, p.y, p.y});
    return result;
  }
  for (std::size_t i = 0; i < kMostChartPoints; ++i) {
    const std::size_t begin = i * points.size() / kMostChartPoints;
    const std::size_t end = (i + 1) * points.size() / kMostChartPoints;
    Range spread;
    double sum_x = 0, sum_y = 0;
    int count = 0;
    for (std::size_t j = begin; j < end; ++j) {
      if (!is_drawn(points[j])) continue;
      spread.hold(points[j].y);
      sum_x += points[j].x;
      sum_y += points[j].y;
      ++count;
    }
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    result.push_back(count == 0 ? Stretch{nothing, nothing, nothing, nothing}
                                : Stretch{sum_x / count, sum_y / count, spread.min, spread.max});
  }
  return result;
}

constexpr double kTop = 26;
double bottom_of(const LineChart& chart) { return chart.height - (chart.x_label.empty() ? 24 : 42); }

// With the gap before them; 0 where no series has a name.
double label_width(const LineChart& chart) {
  std::size_t longest = 0;
  for (const ChartSeries& series : chart.series) longest = std::max(longest, letters_in(series.label));
  return longest > 0 ? 12 + kLetterWidth * static_cast<double>(longest) : 0;
}

class Drawing {
 public:
  explicit Drawing(const LineChart& chart) : chart_(chart) {
    for (const ChartSeries& series : chart.series) {
      std::vector<ChartPoint> points = series.points;
      for (ChartPoint& p : points) {
        if (chart.logarithmic_y && !(p.y > 0)) p.y = std::numeric_limits<double>::quiet_NaN();
      }
      thinned_.push_back(stretches_of(points));
    }
    const double labels = chart.end_labels ? label_width(chart) : 0;
    right_ = chart.width - (labels > 0 ? labels : 16);
    bottom_ = bottom_of(chart);
    choose_axes();
  }

  std::string svg() {
    out_ = fmt::format(
        "<svg class=\"chart\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" role=\"img\" aria-label=\"{}\">\n",
        chart_.width, chart_.height, chart_.width, chart_.height, escape(chart_.title));
    draw_spans();
    draw_axes();
    draw_guide_lines();
    for (std::size_t i = 0; i < chart_.series.size(); ++i) draw_series(chart_.series[i], thinned_[i]);
    draw_guide_labels();
    if (chart_.end_labels) draw_end_labels();
    return out_ + "</svg>\n";
  }

 private:
  double px(double x) const { return left_ + x_.share(x) * (right_ - left_); }
  double py(double y) const { return bottom_ - y_.share(y) * (bottom_ - top_); }

  void choose_axes() {
    Range xs, ys;
    for (const auto& series : thinned_) {
      for (const Stretch& s : series) {
        xs.hold(s.x);
        ys.hold(s.min);
        ys.hold(s.max);
      }
    }
    for (const ChartGuide& guide : chart_.horizontal) ys.hold(guide.at);
    for (const ChartGuide& guide : chart_.vertical) xs.hold(guide.at);
    // Zero is a landmark: show it when the data come near it anyway.
    if (!chart_.logarithmic_y && ys.min > 0 && ys.min < 0.4 * ys.max) ys.min = 0;
    const int x_ticks = std::max(static_cast<int>((right_ - left_) / 80), 2);
    const int y_ticks = std::max(static_cast<int>((bottom_ - top_) / 50), 2);
    if (chart_.x_range) std::tie(xs.min, xs.max) = *chart_.x_range;
    x_ = Axis::exactly(xs.min, xs.max, x_ticks, chart_.whole_x);
    if (chart_.logarithmic_y && ys.min > 0 && ys.min <= ys.max) {
      y_ = Axis::powers(ys.min, ys.max, y_ticks);
      return;
    }
    y_ = chart_.y_range ? Axis::exactly(chart_.y_range->first, chart_.y_range->second, y_ticks)
                        : Axis::around(ys.min, ys.max, y_ticks);
  }

  void text(double x, double y, const char* classes, const std::string& words) {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\">{}</text>\n", x, y, classes, escape(words));
  }
  void line(double x1, double y1, double x2, double y2, const char* classes) {
    out_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2,
                        y2, classes);
  }

  void draw_spans() {
    for (const ChartSpan& span : chart_.spans) {
      const double from = px(std::clamp(span.from, x_.min, x_.max)), to = px(std::clamp(span.to, x_.min, x_.max));
      out_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" class=\"span\"/>\n", from,
                          top_, std::max(to - from, 0.0), bottom_ - top_);
    }
  }

  void draw_axes() {
    for (const double tick : y_.ticks) {
      line(left_, py(tick), right_, py(tick), "grid");
      text(left_ - 8, py(tick) + 4, "tick end", y_.label(tick));
    }
    line(left_, bottom_, right_, bottom_, "axis");
    for (const double tick : x_.ticks) {
      line(px(tick), bottom_, px(tick), bottom_ + 4, "axis");
      text(px(tick), bottom_ + 18, "tick middle", x_.label(tick));
    }
    if (!chart_.x_label.empty()) text((left_ + right_) / 2, chart_.height - 6, "name middle", chart_.x_label);
    if (!chart_.y_label.empty()) text(4, 14, "name", chart_.y_label);
  }

  void draw_guide_lines() {
    for (const ChartGuide& guide : chart_.horizontal) line(left_, py(guide.at), right_, py(guide.at), "guide");
    for (const ChartGuide& guide : chart_.vertical) line(px(guide.at), top_, px(guide.at), bottom_, "guide");
  }

  void draw_guide_labels() {
    for (const ChartSpan& span : chart_.spans) {
      if (!span.label.empty()) text(px(std::max(span.from, x_.min)) + 6, bottom_ - 8, "note", span.label);
    }
    for (const ChartGuide& guide : chart_.horizontal) {
      if (!guide.label.empty()) text(right_ - 4, py(guide.at) - 6, "note end", guide.label);
    }
    double y = top_ + 12;
    for (const ChartGuide& guide : chart_.vertical) {
      if (guide.label.empty()) continue;
      const bool flip = x_.share(guide.at) > 0.5;
      text(px(guide.at) + (flip ? -6 : 6), y, flip ? "note end" : "note", guide.label);
      y += kLabelGap;
    }
  }

  void draw_series(const ChartSeries& series, const std::vector<Stretch>& points) {
    const std::string style = escape(series.style);
    for (std::size_t begin = 0; begin < points.size();) {
      if (!std::isfinite(points[begin].x) || !std::isfinite(points[begin].mean)) {
        ++begin;
        continue;
      }
      std::size_t end = begin;
      while (end < points.size() && std::isfinite(points[end].x) && std::isfinite(points[end].mean)) ++end;
      draw_run(points, begin, end, series.points.size() > points.size(), style, series.label);
      begin = end;
    }
    const bool markers = !series.label.empty() && points.size() <= kMostMarkers;
    for (const Stretch& s : points) {
      if (!markers || !std::isfinite(s.x) || !std::isfinite(s.mean)) continue;
      out_ += fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\" class=\"{}\"><title>{}: {:.4g} at {:.6g}</title></circle>\n",
          px(s.x), py(s.mean), style, escape(series.label), s.mean, s.x);
    }
  }

  // Points [begin, end), all finite.
  void draw_run(const std::vector<Stretch>& points, std::size_t begin, std::size_t end, bool band,
                const std::string& style, const std::string& label) {
    if (band) {
      std::string outline;
      for (std::size_t i = begin; i < end; ++i) outline += at(points[i].x, points[i].max);
      for (std::size_t i = end; i > begin; --i) outline += at(points[i - 1].x, points[i - 1].min);
      outline.pop_back();
      out_ += fmt::format("<polygon class=\"band {}\" points=\"{}\"/>\n", style, outline);
    }
    std::string path;
    for (std::size_t i = begin; i < end; ++i) path += at(points[i].x, points[i].mean);
    path.pop_back();
    const std::string tip = label.empty() ? "" : "<title>" + escape(label) + "</title>";
    out_ += fmt::format("<polyline class=\"{}\" points=\"{}\">{}</polyline>\n", style, path, tip);
  }

  std::string at(double x, double y) const { return fmt::format("{:.1f},{:.1f} ", px(x), py(y)); }

  void draw_end_labels() {
    struct Label {
      double y;
      const ChartSeries* series;
    };
    std::vector<Label> labels;
    for (std::size_t i = 0; i < thinned_.size(); ++i) {
      if (chart_.series[i].label.empty()) continue;
      const auto last = std::find_if(thinned_[i].rbegin(), thinned_[i].rend(),
                                     [](const Stretch& s) { return std::isfinite(s.x) && std::isfinite(s.mean); });
      if (last != thinned_[i].rend()) labels.push_back({py(last->mean), &chart_.series[i]});
    }
    std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.y < b.y; });
    // Downwards first, then back up from the axis where they ran out of room.
    for (std::size_t i = 1; i < labels.size(); ++i) labels[i].y = std::max(labels[i].y, labels[i - 1].y + kLabelGap);
    double limit = bottom_;
    for (std::size_t i = labels.size(); i > 0; --i, limit -= kLabelGap) {
      labels[i - 1].y = std::min(labels[i - 1].y, limit);
    }
    for (const Label& label : labels) {
      const std::string classes = "label " + escape(label.series->style);
      text(right_ + 8, label.y + 4, classes.c_str(), label.series->label);
    }
  }

  const LineChart& chart_;
  std::vector<std::vector<Stretch>> thinned_;
  double left_ = 46, right_ = 0, top_ = kTop, bottom_ = 0;
  Axis x_, y_;
  std::string out_;
};

}  // namespace

std::string svg_of(const LineChart& chart) { return Drawing(chart).svg(); }

bool labels_fit(const LineChart& chart) {
  const auto labels = static_cast<double>(
      std::ranges::count_if(chart.series, [](const ChartSeries& series) { return !series.label.empty(); }));
  return (labels - 1) * kLabelGap <= bottom_of(chart) - kTop && 3 * label_width(chart) <= chart.width;
}

std::string line_style(std::size_t index) {
  constexpr std::size_t kColours = 9;
  constexpr const char* kDashes[] = {"", " dotted", " dashed"};
  return fmt::format("s{}{}", index % kColours + 1, kDashes[index / kColours % std::size(kDashes)]);
}

std::string legend_html(const std::vector<ChartSeries>& series) {
  std::string out = "<ul class=\"lines\" tabindex=\"0\">\n";
  for (const ChartSeries& s : series) {
    if (s.label.empty()) continue;
    out += fmt::format(
        "<li><svg class=\"chart\" viewBox=\"0 0 40 12\" aria-hidden=\"true\"><polyline class=\"{}\" "
        "points=\"2,6 38,6\"/></svg>{}</li>\n",
        escape(s.style), escape(s.label));
  }
  return out + "</ul>\n";
}

}  // namespace chiasm
