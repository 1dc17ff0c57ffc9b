// SPDX-License-Identifier: Apache-2.0
#include "tools/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

#include "kernels/error.h"
#include "tests/support/file_corpus.h"
#include "tests/support/markup.h"
#include "tools/report/axis.h"
#include "tools/report/html.h"
#include "tools/report/line_chart.h"
#include "tools/report/png_bytes.h"

namespace chiasm {
namespace {

using test::malformation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

// The number of points of each polyline, in order.
std::vector<std::size_t> polyline_points(const std::string& svg) {
  std::vector<std::size_t> counts;
  for (std::size_t at = svg.find("<polyline"); at != svg.npos; at = svg.find("<polyline", at + 1)) {
    const std::size_t begin = svg.find("points=\"", at) + 8;
    counts.push_back(count(svg.substr(begin, svg.find('"', begin) - begin), ","));
  }
  return counts;
}

ReportData sample() {
  ReportData data;
  data.title = "fashion_rgc";
  data.subtitle = "A ConvRNN with reciprocal gated cells on Fashion-MNIST";
  data.scores = {{"test accuracy", "91.3 %", "10 000 images, last timestep"},
                 {"test loss", "0.251 nats", ""},
                 {"parameters", "213 482", ""},
                 {"training time", "9 min 12 s", "2 threads"}};
  data.recipe = {{"model", "3 layers, RGC cells, feedback v3 to v1"},
                 {"timesteps", "12"},
                 {"optimizer", "Adam, 1e-3"},
                 {"batch", "64"},
                 {"seed", "7"}};
  data.machine = {{"processor", "Example CPU"}, {"instruction set", "avx2"}};
  ReportCurve train{.label = "train"}, test{.label = "test"}, accuracy{.label = "test"};
  for (int step = 1; step <= 4000; ++step) {
    const double wobble = 0.12 * std::sin(step * 12.9898) * std::exp(-step / 4000.0);
    train.points.emplace_back(step, 0.24 + 2.0 * std::exp(-step / 350.0) + wobble);
  }
  for (int step = 400; step <= 4000; step += 400) {
    test.points.emplace_back(step, 0.29 + 1.9 * std::exp(-step / 330.0));
    accuracy.points.emplace_back(step, 0.915 - 0.4 * std::exp(-step / 450.0));
  }
  data.loss = {train, test};
  data.accuracy = {accuracy};
  data.accuracy_per_timestep = {0.1, 0.1, 0.1, 0.1, 0.62, 0.82, 0.875, 0.898, 0.907, 0.911, 0.913, 0.913};
  data.chance = 0.1;
  data.dt_ms = 10;
  data.image_on = {0, 10};
  data.image_arrival = 4;
  data.class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                      "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  for (int e = 0; e < 6; ++e) {
    ReportExample example{.width = 28, .height = 28, .true_class = (e * 3) % 10};
    for (int y = 0; y < 28; ++y) {
      for (int x = 0; x < 28; ++x) {
        const double r = std::hypot(x - 13.5, (y - 13.5) * (1 + 0.1 * e));
        example.pixels.push_back(static_cast<std::uint8_t>(r < 11 ? 230 - 12 * r : 0));
      }
    }
    for (int t = 0; t < 12; ++t) {
      std::vector<double> row(10);
      double sum = 0;
      for (int c = 0; c < 10; ++c) {
        const int winner = e == 4 ? 6 : example.true_class;
        const double drive = c == winner ? 4.0 : c == (example.true_class + 2) % 10 ? 2.6 : std::sin(c + e);
        sum += row[c] = std::exp(t < 4 ? 0.0 : drive * (1 - std::exp(-(t - 3) / 2.0)));
      }
      for (double& p : row) p /= sum;
      example.probabilities.push_back(row);
    }
    data.examples.push_back(example);
  }
  return data;
}

TEST(Report, IsOneWellFormedSelfContainedPage) {
  const std::string page = report_html(sample());
  EXPECT_EQ(malformation(page), "");
  EXPECT_THAT(page, ::testing::StartsWith("<!DOCTYPE html>\n<html lang=\"en\">"));
  for (const char* outside : {"<script", "http:", "https:", "<link", "@import", "url("}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_THAT(page, Not(HasSubstr("inf,")));
  EXPECT_EQ(count(page, "<svg"), 2u + 1u + 6u);
  EXPECT_EQ(count(page, "<img"), 6u);
  EXPECT_EQ(count(page, "data:image/png;base64,iVBORw0KGgo"), 6u);
  EXPECT_THAT(page, HasSubstr("chance 10 %"));
  EXPECT_THAT(page, HasSubstr("image reaches the readout"));
  EXPECT_THAT(page, HasSubstr("right from timestep 4 on"));
  EXPECT_THAT(page, Not(HasSubstr("right from timestep 0 on")));  // a guess before the image has arrived
  EXPECT_THAT(page, HasSubstr("taken for Shirt"));
  // For a look at it: CHIASM_SAMPLE_REPORT=report.html tools_tests --gtest_filter='Report.*'
  if (const char* path = std::getenv("CHIASM_SAMPLE_REPORT")) write_report(path, sample());
}

// Six curves per layer, as training under weight mirror gives them.
ReportData aligned(int layers, const std::string& name) {
  ReportData data = sample();
  const std::vector<std::string> metrics{"weight angle (degrees)",         "projection angle (degrees)",
                                         "gradient angle (degrees)",       "norm ratio |B| / |W|",
                                         "symmetric energy |(W + B) / 2|", "skew energy |(W - B) / 2|"};
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    ReportLayerChart chart{.title = metrics[m], .y_label = metrics[m], .logarithmic = m > 3};
    if (m < 3) chart.y_range = {0.0, 100.0}, chart.guide = {90.0, ""};
    if (m == 3) chart.guide = {1.0, ""};
    for (int l = 0; l < layers; ++l) {
      ReportCurve curve{.label = name + std::to_string(l + 1)};
      for (int step = 0; step <= 4000; step += 200) {
        const double left = std::exp(-step / (400.0 + 150.0 * l));
        const double y = m < 3    ? 8 + 0.4 * l + 75 * left
                         : m == 3 ? 0.9 + 0.02 * l - 0.3 * left
                                  : (l + 1) * (0.02 + left);
        curve.points.emplace_back(step, y);
      }
      chart.layers.push_back(curve);
    }
    data.alignment.push_back(chart);
  }
  return data;
}

TEST(Report, AlignmentHasALinePerLayer) {
  const std::string page = report_html(aligned(5, "conv"));
  EXPECT_EQ(malformation(page), "");
  EXPECT_THAT(page, HasSubstr("<h2>Alignment</h2>"));
  EXPECT_EQ(count(page, "<svg"), 2u + 6u + 1u + 6u);
  EXPECT_EQ(count(page, "class=\"label s5\">conv5</text>"), 6u);  // beside each line
  EXPECT_EQ(count(page, "<ul class=\"lines\""), 0u);
  EXPECT_THAT(report_html(sample()), Not(HasSubstr("<h2>Alignment</h2>")));
  if (const char* path = std::getenv("CHIASM_SAMPLE_REPORT")) {
    write_report(path + std::string(".aligned.html"), aligned(6, "conv"));
  }
}

TEST(Report, ManyLayersHaveAListOfTheirNames) {
  const std::string page = report_html(aligned(24, "conv"));
  EXPECT_EQ(malformation(page), "");
  EXPECT_EQ(count(page, "<ul class=\"lines\""), 1u);
  EXPECT_EQ(count(page, "<li>"), 24u);
  EXPECT_THAT(page, HasSubstr("</svg>conv24</li>"));
  EXPECT_EQ(count(page, ">conv24</text>"), 0u);
  EXPECT_EQ(count(page, "<title>conv24</title></polyline>"), 6u);
  // Lines of one colour differ by dash.
  std::set<std::string> styles;
  for (std::size_t i = 0; i < 24; ++i) styles.insert(line_style(i));
  EXPECT_EQ(styles.size(), 24u);
  for (const std::string& style : styles) EXPECT_THAT(page, HasSubstr("<polyline class=\"" + style + "\""));
  // Few layers with names that would take the place of the lines have a list too.
  EXPECT_EQ(count(report_html(aligned(3, "block4/branch2/depthwise_convolution")), "<ul class=\"lines\""), 1u);
  if (const char* path = std::getenv("CHIASM_SAMPLE_REPORT")) {
    write_report(path + std::string(".many.html"), aligned(24, "conv2/cell/gate_"));
  }
}

TEST(Report, LeavesOutSectionsWithoutData) {
  ReportData data;
  data.title = "empty";
  const std::string page = report_html(data);
  EXPECT_EQ(malformation(page), "");
  EXPECT_EQ(count(page, "<section>"), 0u);
  EXPECT_EQ(count(page, "<svg"), 0u);
}

TEST(Report, EscapesEveryText) {
  ReportData data = sample();
  const std::string evil = "\"><script>alert('x')</script>&\x01\xFF";
  data.title = data.subtitle = data.progress_label = evil;
  for (auto& score : data.scores) score = {evil, evil, evil};
  data.recipe = data.machine = {{evil, evil}};
  for (auto& name : data.class_names) name = evil;
  data.loss[0].label = data.accuracy[0].label = evil;
  const std::string page = report_html(data);
  EXPECT_EQ(malformation(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_EQ(page.find('\x01'), page.npos);
  EXPECT_EQ(page.find('\xFF'), page.npos);
}

TEST(Report, RefusesExamplesThatDoNotFit) {
  const auto broken = [](auto damage) {
    ReportData data = sample();
    damage(data.examples[0]);
    return data;
  };
  EXPECT_THROW(report_html(broken([](auto& e) { e.pixels.pop_back(); })), InputError);
  EXPECT_THROW(report_html(broken([](auto& e) { e.channels = 2; })), InputError);
  EXPECT_THROW(report_html(broken([](auto& e) { e.true_class = 10; })), InputError);
  EXPECT_THROW(report_html(broken([](auto& e) { e.probabilities[3].pop_back(); })), InputError);
  EXPECT_THROW(report_html(broken([](auto& e) { e.probabilities.clear(); })), InputError);
}

TEST(Report, IsWrittenAsAFile) {
  const test::TempFolder folder;
  write_report(folder / "report.html", sample());
  std::ifstream file(folder / "report.html");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), report_html(sample()));
  EXPECT_THROW(write_report(folder / "none/report.html", sample()), SystemError);
}

TEST(LineChart, DrawsEveryPointAndBreaksAtGaps) {
  const double gap = std::numeric_limits<double>::quiet_NaN();
  LineChart chart;
  chart.series = {{.label = "a", .points = {{0, 1}, {1, 2}, {2, gap}, {3, 2}, {4, 3}, {5, 4}}},
                  {.label = "b", .points = {{0, gap}}}};
  const std::string svg = svg_of(chart);
  EXPECT_EQ(malformation(svg), "");
  EXPECT_THAT(polyline_points(svg), ElementsAre(2, 3));
  EXPECT_EQ(count(svg, "<circle"), 5u);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(LineChart, ThinsLongSeriesButKeepsTheirSpread) {
  LineChart chart;
  chart.series.resize(1);
  for (int i = 0; i < 100000; ++i) chart.series[0].points.push_back({double(i), i == 5000 ? 50.0 : 1.0});
  const std::string svg = svg_of(chart);
  EXPECT_THAT(polyline_points(svg), ElementsAre(kMostChartPoints));
  EXPECT_EQ(count(svg, "<polygon"), 1u);
  EXPECT_LT(svg.size(), 40000u);
  EXPECT_THAT(svg, HasSubstr(">40<"));  // the axis holds the one high value
}

TEST(LineChart, LogarithmicAxesLeaveOutWhatIsNotPositive) {
  LineChart chart{.logarithmic_y = true};
  chart.series = {{.label = "x", .points = {{0, 1}, {1, 10}, {2, 0}, {3, 100}, {4, 1000}, {5, -1}}}};
  const std::string svg = svg_of(chart);
  EXPECT_EQ(malformation(svg), "");
  EXPECT_THAT(polyline_points(svg), ElementsAre(2, 2));
  // Powers are equally far apart.
  std::vector<double> heights;
  for (std::size_t at = svg.find("<circle"); at != svg.npos; at = svg.find("<circle", at + 1)) {
    heights.push_back(std::stod(svg.substr(svg.find("cy=\"", at) + 4)));
  }
  ASSERT_EQ(heights.size(), 4u);
  EXPECT_NEAR(heights[0] - heights[1], heights[1] - heights[2], 0.2);  // heights have one decimal
  EXPECT_NEAR(heights[1] - heights[2], heights[2] - heights[3], 0.2);
  chart.series[0].points = {{0, 0}, {1, -1}};
  EXPECT_EQ(malformation(svg_of(chart)), "");
}

TEST(LineChart, SurvivesOddData) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const std::vector<ChartPoint>& points :
       std::vector<std::vector<ChartPoint>>{{},
                                            {{3, 3}},
                                            {{0, 0}, {1, 0}},
                                            {{0, 1e300}, {1, -1e300}},
                                            {{inf, 1}, {2, inf}},
                                            {{1e15, 1}, {1e15 + 1, 2}},
                                            {{0, 1e-300}, {1, 2e-300}},
                                            {{0, 123456.001}, {1, 123456.002}}}) {
    LineChart chart;
    chart.series = {{.label = "x", .points = points}};
    const std::string svg = svg_of(chart);
    EXPECT_EQ(malformation(svg), "");
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("\"inf")));
    EXPECT_LT(svg.size(), 20000u);
  }
}

TEST(LineChart, KeepsEndLabelsApart) {
  LineChart chart;
  for (const char* label : {"one", "two", "three", "four"}) {
    chart.series.push_back({.label = label, .points = {{0, 0}, {1, 0}}});
  }
  chart.y_range = {0, 1};
  const std::string svg = svg_of(chart);
  std::vector<double> heights;
  for (std::size_t at = svg.find("class=\"label"); at != svg.npos; at = svg.find("class=\"label", at + 1)) {
    heights.push_back(std::stod(svg.substr(svg.rfind(" y=\"", at) + 4)));
  }
  ASSERT_EQ(heights.size(), 4u);
  for (std::size_t i = 1; i < heights.size(); ++i) EXPECT_GE(heights[i] - heights[i - 1], 14.9);
  EXPECT_LE(heights.back(), 300 - 20);
}

TEST(Axis, EndsOnRoundNumbers) {
  const Axis axis = Axis::around(0.13, 2.2, 4);
  EXPECT_EQ(axis.min, 0);
  EXPECT_EQ(axis.max, 3);
  EXPECT_THAT(axis.ticks, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(axis.label(2), "2");
  const Axis fine = Axis::around(0.91, 0.94, 3);
  EXPECT_THAT(fine.ticks, ElementsAre(::testing::DoubleNear(0.91, 1e-12), ::testing::DoubleNear(0.92, 1e-12),
                                      ::testing::DoubleNear(0.93, 1e-12), ::testing::DoubleNear(0.94, 1e-12)));
  EXPECT_EQ(fine.label(fine.ticks[1]), "0.92");
  EXPECT_EQ(Axis::around(-1, 1, 4).label(0), "0");
  EXPECT_EQ(Axis::exactly(0, 40000, 4).label(20000), "20k");
  EXPECT_EQ(Axis::exactly(0, 11, 20, true).ticks.size(), 12u);  // integers only
}

TEST(Html, EscapesAndEncodes) {
  EXPECT_EQ(html::escape("a<b & \"c\" > 'd'\n\xC3\xA9"), "a&lt;b &amp; &quot;c&quot; &gt; &#39;d&#39;\n\xC3\xA9");
  EXPECT_EQ(html::escape("\xC3(\xED\xA0\x80\xF4\x90\x80\x80\xC0\xAF"), [] {
    std::string expected = "\xEF\xBF\xBD(";
    for (int i = 0; i < 9; ++i) expected += "\xEF\xBF\xBD";
    return expected;
  }());
  const auto encode = [](std::string_view text) {
    return html::base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  // RFC 4648, section 10.
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg==");
  EXPECT_EQ(encode("fo"), "Zm8=");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace chiasm
