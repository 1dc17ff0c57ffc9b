// SPDX-License-Identifier: Apache-2.0
#include "tools/report/layer_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/report/axis.h"
#include "tools/report/html.h"
#include "tools/report/label_placement.h"

namespace chiasm {
namespace {

using html::escape;

constexpr double kLetterWidth = 7.2;  // of the 12 px font, on the wide side: fonts differ between machines
constexpr double kRadius = 4;
constexpr double kCap = 3;        // half the width of the end of an error bar
constexpr double kMostApart = 9;  // between the series of one name
constexpr double kLineHeight = 15;
constexpr std::size_t kLongestName = 24;  // letters; longer names are cut in the middle

std::size_t letters_in(const std::string& utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

double width_of(const std::string& utf8) { return kLetterWidth * static_cast<double>(letters_in(utf8)); }

// The first and the last letters, because the names of layers often differ at either end.
std::string shortened(const std::string& name) {
  if (letters_in(name) <= kLongestName) return name;
  std::vector<std::string> letters;
  for (const char c : name) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 || letters.empty()) letters.emplace_back();
    letters.back() += c;
  }
  std::string out;
  for (std::size_t i = 0; i < kLongestName / 2; ++i) out += letters[i];
  out += "\xE2\x80\xA6";
  for (std::size_t i = letters.size() - (kLongestName / 2 - 1); i < letters.size(); ++i) out += letters[i];
  return out;
}

// The ends of the error bar; none where there is none.
std::optional<std::pair<double, double>> bar_of(const LayerValue& value) {
  if (value.ends) {
    const auto [low, high] = *value.ends;
    return std::isfinite(low) && std::isfinite(high) && low < high ? value.ends : std::nullopt;
  }
  if (!std::isfinite(value.error) || value.error <= 0) return std::nullopt;
  return {{value.y - value.error, value.y + value.error}};
}

class LayerDrawing {
 public:
  explicit LayerDrawing(const LayerChart& chart) : chart_(chart), right_(chart.width - 16.0) {
    double widest = 0;
    for (const std::string& name : chart.names) {
      names_.push_back(shortened(name));
      widest = std::max(widest, width_of(names_.back()));
    }
    slot_ = (right_ - left_) / static_cast<double>(std::max<std::size_t>(chart.names.size(), 1));
    tilted_ = widest + 6 > slot_;
    bottom_ = chart.height - (tilted_ ? 16 + std::min(0.75 * widest, 0.4 * chart.height) : 24.0);
    place_legend();
    choose_axis();
  }

  std::string svg() {
    out_ = fmt::format(
        "<svg class=\"chart\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" role=\"img\" aria-label=\"{}\">\n",
        chart_.width, chart_.height, chart_.width, chart_.height, escape(chart_.title));
    draw_bands();
    draw_axes();
    for (const ChartGuide& guide : chart_.guides) {
      if (std::isfinite(guide.at)) line(left_, py(guide.at), right_, py(guide.at), "guide");
    }
    for (std::size_t s = 0; s < chart_.series.size(); ++s) draw_series(s);
    draw_notes();
    draw_legend();
    return out_ + "</svg>\n";
  }

 private:
  double px(std::size_t at, std::size_t series) const {
    const double count = static_cast<double>(chart_.series.size());
    const double apart = std::min(kMostApart, 0.6 * slot_ / std::max(count, 1.0));
    return left_ + slot_ * (static_cast<double>(at) + 0.5) + apart * (static_cast<double>(series) - (count - 1) / 2);
  }
  double py(double y) const { return bottom_ - y_.share(y) * (bottom_ - top_); }

  void choose_axis() {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    const auto hold = [&](double y) {
      if (std::isfinite(y)) low = std::min(low, y), high = std::max(high, y);
    };
    for (const LayerSeries& series : chart_.series) {
      for (const LayerValue& value : series.values) {
        hold(value.y);
        if (const auto bar = bar_of(value)) hold(bar->first), hold(bar->second);
      }
    }
    for (const ChartGuide& guide : chart_.guides) hold(guide.at);
    for (const LayerBand& band : chart_.bands) hold(band.low), hold(band.high);
    if (chart_.from_zero && low > 0) low = 0;
    if (chart_.from_zero && high < 0) high = 0;
    y_ = Axis::around(low, high, std::max(static_cast<int>((bottom_ - top_) / 50), 2));
  }

  void text(double x, double y, const char* classes, const std::string& words) {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\">{}</text>\n", x, y, classes, escape(words));
  }
  void line(double x1, double y1, double x2, double y2, const std::string& classes) {
    out_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2,
                        y2, classes);
  }

  void draw_bands() {
    for (const LayerBand& band : chart_.bands) {
      if (!std::isfinite(band.low) || !std::isfinite(band.high)) continue;
      const double top = py(std::max(band.low, band.high)), bottom = py(std::min(band.low, band.high));
      out_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" class=\"band ink\"/>\n",
                          left_, top, right_ - left_, std::max(bottom - top, 1.0));
    }
  }

  void draw_axes() {
    for (const double tick : y_.ticks) {
      line(left_, py(tick), right_, py(tick), "grid");
      text(left_ - 8, py(tick) + 4, "tick end", y_.label(tick));
    }
    const double zero = py(std::clamp(0.0, y_.min, y_.max));
    line(left_, zero, right_, zero, "axis");
    if (!chart_.y_label.empty()) text(4, 14, "name", chart_.y_label);
    const auto every = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(kLineHeight / slot_)));
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const double x = left_ + slot_ * (static_cast<double>(i) + 0.5);
      if (!tilted_) {
        text(x, bottom_ + 18, "tick middle", names_[i]);
      } else if (i % every == 0) {
        out_ += fmt::format(
            "<text x=\"{0:.1f}\" y=\"{1:.1f}\" class=\"tick end\" transform=\"rotate(-45 {0:.1f} {1:.1f})\">"
            "{2}</text>\n",
            x + 4, bottom_ + 14, escape(names_[i]));
      }
    }
  }

  void draw_series(std::size_t s) {
    const LayerSeries& series = chart_.series[s];
    const std::string style = escape(series.style);
    std::vector<LayerValue> drawn;
    for (const LayerValue& value : series.values) {
      if (std::isfinite(value.y) && value.at < names_.size()) drawn.push_back(value);
    }
    for (std::size_t i = 1; series.joined && i < drawn.size(); ++i) {
      if (drawn[i].at != drawn[i - 1].at + 1) continue;  // a value between them is not defined
      line(px(drawn[i - 1].at, s), py(drawn[i - 1].y), px(drawn[i].at, s), py(drawn[i].y), "join " + style);
    }
    for (const LayerValue& value : drawn) {
      const auto bar = bar_of(value);
      if (!bar) continue;
      const std::string own = value.style.empty() ? style : escape(value.style);
      const double x = px(value.at, s), low = py(bar->first), high = py(bar->second);
      line(x, low, x, high, "error " + own);
      for (const double end : {low, high}) line(x - kCap, end, x + kCap, end, "error " + own);
    }
    const double radius = std::min(kRadius, std::max(2.0, 0.3 * slot_));
    for (const LayerValue& value : drawn) {
      const auto bar = bar_of(value);
      const std::string spread = !bar         ? ""
                                 : value.ends ? fmt::format(" ({:.4g} to {:.4g})", bar->first, bar->second)
                                              : fmt::format(" \xC2\xB1 {:.2g}", value.error);
      out_ += fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" class=\"{}{}\"><title>{}{}{}: {:.4g}{}</title></circle>\n",
          px(value.at, s), py(value.y), radius, series.hollow ? "hollow " : "",
          value.style.empty() ? style : escape(value.style), escape(chart_.names[value.at]),
          series.label.empty() ? "" : ", ", escape(series.label), value.y, spread);
    }
  }

  // What the marks and lines of the series cover, in pieces.
  std::vector<Box> covered() const {
    constexpr int kPieces = 8;  // of a line between two names
    std::vector<Box> boxes;
    const auto add = [&](double x, double low, double high) { boxes.push_back({x - kRadius, high, x + kRadius, low}); };
    for (std::size_t s = 0; s < chart_.series.size(); ++s) {
      const std::vector<LayerValue>& values = chart_.series[s].values;
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i].y)) continue;
        const double x = px(values[i].at, s), y = py(values[i].y);
        const auto bar = bar_of(values[i]).value_or(std::pair{values[i].y, values[i].y});
        add(x, std::max(py(bar.first), y + kRadius), std::min(py(bar.second), y - kRadius));
        if (!chart_.series[s].joined || i + 1 == values.size() || !std::isfinite(values[i + 1].y)) continue;
        for (int k = 1; k < kPieces; ++k) {
          const double share = static_cast<double>(k) / kPieces;
          const double at = y + share * (py(values[i + 1].y) - y);
          add(x + share * (px(values[i + 1].at, s) - x), at + 1, at - 1);
        }
      }
    }
    return boxes;
  }

  // Names of guides and bands, above or below their line, where they cover the least.
  void draw_notes() {
    struct Note {
      double top, bottom;  // of what it names
      const std::string* label;
    };
    std::vector<Note> notes;
    for (const ChartGuide& guide : chart_.guides) {
      if (std::isfinite(guide.at) && !guide.label.empty()) notes.push_back({py(guide.at), py(guide.at), &guide.label});
    }
    for (const LayerBand& band : chart_.bands) {
      if (!std::isfinite(band.low) || !std::isfinite(band.high) || band.label.empty()) continue;
      notes.push_back({py(std::max(band.low, band.high)), py(std::min(band.low, band.high)), &band.label});
    }
    std::vector<Box> taken = covered();
    for (const Note& note : notes) {
      const double width = width_of(*note.label), free = std::max(right_ - left_ - width - 8, 0.0);
      Box best;
      double least = std::numeric_limits<double>::infinity();
      for (const double baseline : {note.top - 5, note.bottom + 14}) {
        for (const double share : {1.0, 0.75, 0.5, 0.25, 0.0}) {
          const double x = left_ + 4 + share * free;
          const Box box{x, baseline - 11, x + width, baseline + 3};
          double overlap = box.top < top_ - 4 || box.bottom > bottom_ ? 1e6 : 0;
          for (const Box& other : taken) overlap += box.overlap(other);
          if (overlap < least) least = overlap, best = box;
        }
      }
      taken.push_back(best);
      text(best.right, best.bottom - 3, "note end", *note.label);
    }
  }

  static double legend_width(const std::vector<const LayerSeries*>& row) {
    double width = 0;
    for (const LayerSeries* series : row) width += width_of(series->label) + 28;
    return width;
  }

  // In one row beside the name of the y axis where both fit, otherwise in rows of its own below it.
  void place_legend() {
    for (const LayerSeries& series : chart_.series) {
      if (series.label.empty()) continue;
      if (legend_.empty()) legend_.emplace_back();
      legend_.back().push_back(&series);
      if (legend_.back().size() > 1 && legend_width(legend_.back()) > right_ - 4) {
        legend_.back().pop_back();
        legend_.push_back({&series});
      }
    }
    const double first = legend_.empty() ? 0 : legend_width(legend_.front());
    legend_below_ = legend_.size() > 1 || first > 0.6 * chart_.width || first + width_of(chart_.y_label) > right_;
    top_ = 26 + (legend_below_ ? kLineHeight * static_cast<double>(legend_.size()) : 0);
  }

  void draw_legend() {
    double y = legend_below_ ? 28 : 14;
    for (const std::vector<const LayerSeries*>& row : legend_) {
      double x = right_ - legend_width(row) + 12;
      for (const LayerSeries* series : row) {
        out_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" class=\"{}{}\"/>\n", x, y - 4, kRadius,
                            series->hollow ? "hollow " : "", escape(series->style));
        text(x + 9, y, "legend", series->label);
        x += width_of(series->label) + 28;
      }
      y += kLineHeight;
    }
  }

  const LayerChart& chart_;
  std::vector<std::string> names_;
  double left_ = 46, right_ = 0, top_ = 26, bottom_ = 0, slot_ = 0;
  std::vector<std::vector<const LayerSeries*>> legend_;  // rows
  bool tilted_ = false, legend_below_ = false;
  Axis y_;
  std::string out_;
};

}  // namespace

std::string svg_of(const LayerChart& chart) { return LayerDrawing(chart).svg(); }

}  // namespace chiasm
