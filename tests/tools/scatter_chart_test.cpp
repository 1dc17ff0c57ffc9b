// SPDX-License-Identifier: Apache-2.0
#include "tools/report/scatter_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "tools/report/axis.h"
#include "tools/report/style.h"
#include "tools/report/svg_page.h"

namespace chiasm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

// Nine circuits as a comparison has them: pairs at one size, sizes from 25 thousand to 250 thousand.
ScatterChart circuits() {
  ScatterChart chart;
  chart.title = "accuracy";
  chart.x_label = "parameters";
  chart.y_label = "accuracy (%)";
  chart.logarithmic_x = true;
  chart.legend = {"as given", "minimally unrolled"};
  const std::vector<std::pair<std::string, double>> sizes{
      {"ff", 25'000},    {"timedecay", 25'002}, {"simplernn", 60'000},        {"gru", 140'000},       {"lstm", 110'000},
      {"ugrnn", 95'000}, {"rgc", 150'000},      {"intersectionrnn", 180'000}, {"rgc_general", 70'000}};
  double accuracy = 84;
  for (const auto& [name, size] : sizes) {
    accuracy += 0.4;
    ScatterGroup group{.label = name};
    group.points = {{size, accuracy, accuracy - 0.3, accuracy + 0.3, false},
                    {size, accuracy - 1.1, accuracy - 1.1, accuracy - 1.1, true}};
    chart.groups.push_back(group);
  }
  return chart;
}

void expect_clear(const ScatterLayout& layout) {
  for (std::size_t i = 0; i < layout.labels.size(); ++i) {
    const Box& box = layout.labels[i].box;
    EXPECT_TRUE(box.inside(layout.plot)) << "label " << i;
    for (std::size_t j = 0; j < i; ++j) EXPECT_EQ(box.overlap(layout.labels[j].box), 0.0) << i << " and " << j;
    for (const Box& marker : layout.markers) EXPECT_EQ(box.overlap(marker), 0.0) << "label " << i << " on a marker";
  }
}

TEST(ScatterChart, LabelsCoverNothing) {
  const ScatterLayout layout = layout_of(circuits());
  ASSERT_EQ(layout.labels.size(), 9u);
  ASSERT_EQ(layout.markers.size(), 18u);
  for (const Box& marker : layout.markers) EXPECT_TRUE(marker.inside(layout.plot));
  expect_clear(layout);
}

// Points in one column, and points in one place: the hardest cases that occur.
TEST(ScatterChart, LabelsOfCrowdedPointsStayApart) {
  ScatterChart column = circuits();
  for (ScatterGroup& group : column.groups) {
    for (ScatterPoint& p : group.points) p.x = 12'000;
  }
  expect_clear(layout_of(column));
  ScatterChart heap = circuits();
  for (ScatterGroup& group : heap.groups) group.points = {{1000, 50, 50, 50}};
  const ScatterLayout layout = layout_of(heap);
  expect_clear(layout);
  EXPECT_TRUE(std::any_of(layout.labels.begin(), layout.labels.end(), [](const PlacedLabel& l) { return l.away; }));
  EXPECT_GT(count(svg_of(heap), "class=\"leader"), 0u);
}

TEST(ScatterChart, LabelsOfRandomPointsStayApart) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform(0, 1);
    ScatterChart chart;
    chart.logarithmic_x = seed % 2 == 0;
    for (int i = 0; i < 12; ++i) {
      ScatterGroup group{.label = "network_" + std::to_string(i)};
      const double x = std::exp(5 * uniform(random)), y = 80 + 10 * uniform(random);
      group.points = {{x, y, y, y}, {x, y - 2 * uniform(random), 0, 0, true}};
      chart.groups.push_back(group);
    }
    expect_clear(layout_of(chart));
  }
}

TEST(ScatterChart, DrawsEveryPointOnceAndJoinsPairs) {
  ScatterChart chart = circuits();
  chart.front = {{25'000, 84.4}, {60'000, 85.2}};
  chart.front_label = "front";
  const std::string svg = svg_of(chart);
  EXPECT_EQ(count(svg, "<circle"), 18u + 2u);  // and the legend
  EXPECT_EQ(count(svg, "class=\"hollow"), 9u + 1u);
  EXPECT_EQ(count(svg, "class=\"join"), 9u);
  EXPECT_EQ(count(svg, "class=\"error"), 9u * 3u);  // a bar and its two ends, of the filled points alone
  EXPECT_EQ(count(svg, "class=\"front"), 1u + 1u);
  EXPECT_THAT(svg, HasSubstr(">100k<"));
  EXPECT_THAT(svg, HasSubstr(">minimally unrolled<"));
}

TEST(ScatterChart, SurvivesOddData) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (const bool logarithmic : {false, true}) {
    for (const ScatterPoint& p : std::vector<ScatterPoint>{
             {0, 0}, {-3, 1}, {inf, 1}, {1, nan}, {1e-300, 1e300}, {1e300, -1e300}, {5, 5, nan, inf}, {5, 5, 9, 1}}) {
      ScatterChart chart;
      chart.logarithmic_x = logarithmic;
      chart.groups = {{.label = "a<b", .points = {p}}, {.label = "none"}};
      const std::string svg = svg_of(chart);
      EXPECT_THAT(svg, Not(HasSubstr("nan")));
      EXPECT_THAT(svg, Not(HasSubstr("\"inf")));
      EXPECT_THAT(svg, Not(HasSubstr("a<b")));
    }
  }
  ScatterChart tiny = circuits();
  tiny.width = 120;
  tiny.height = 90;
  EXPECT_THAT(svg_of(tiny), Not(HasSubstr("nan")));
}

TEST(Axis, LogarithmicTicksAreRoundAndAtLeastThree) {
  for (const auto& [min, max] : std::vector<std::pair<double, double>>{
           {25'000, 250'000}, {1, 1e8}, {1000, 1000}, {9'000, 11'000}, {0.002, 0.9}, {1'481'192, 2'421'992}}) {
    const Axis axis = Axis::powers(min, max, 7);
    EXPECT_LT(axis.min, min);
    EXPECT_GT(axis.max, max);
    EXPECT_GE(axis.ticks.size(), 3u) << min << " to " << max;
    EXPECT_LE(axis.ticks.size(), 12u);
    for (const double tick : axis.ticks) {
      EXPECT_GE(axis.share(tick), 0);
      EXPECT_LE(axis.share(tick), 1);
    }
    EXPECT_NEAR(axis.share(std::sqrt(axis.min * axis.max)), 0.5, 1e-12);
  }
  const Axis wide = Axis::powers(1, 1e6, 7);
  EXPECT_EQ(wide.label(10), "10");
  EXPECT_EQ(wide.label(100'000), "100k");
  EXPECT_EQ(wide.label(1'000'000), "1M");
  EXPECT_EQ(Axis::powers(25'000, 250'000, 7).label(50'000), "50k");
}

TEST(SvgPage, IsAFileOfItsOwn) {
  const std::string page = svg_page("a & b", 700, 400, {{svg_of(circuits()), 10, 20}});
  EXPECT_THAT(page, ::testing::StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_THAT(page, HasSubstr("<svg x=\"10.0\" y=\"20.0\" class=\"chart\""));
  EXPECT_THAT(page, HasSubstr("a &amp; b"));
  EXPECT_THAT(page, Not(HasSubstr("var(")));
  EXPECT_THAT(page, HasSubstr(".chart .s9 { color: #"));
}

// Every class that a chart uses has a rule: one that has none is drawn black or not at all.
TEST(SvgPage, EveryClassHasARule) {
  ScatterChart chart = circuits();
  chart.front = {{25'000, 84.4}};
  chart.front_label = "front";
  const std::string svg = svg_of(chart), style = kReportStyle;
  for (std::size_t at = svg.find("class=\""); at != svg.npos; at = svg.find("class=\"", at + 1)) {
    std::istringstream classes(svg.substr(at + 7, svg.find('"', at + 7) - at - 7));
    for (std::string name; classes >> name;) EXPECT_THAT(style, HasSubstr("." + name)) << name;
  }
}

}  // namespace
}  // namespace chiasm
