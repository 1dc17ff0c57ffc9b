// SPDX-License-Identifier: Apache-2.0
#include "tools/report/matrix_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "kernels/error.h"
#include "tests/support/markup.h"
#include "tools/report/layer_chart.h"
#include "tools/report/scatter_chart.h"

namespace chiasm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(MatrixImage, RanksShareTiesAndLeaveOutWhatIsNotDefined) {
  const std::vector<double> ranks = rank_scaled(std::vector<double>{3, 1, kNaN, 1, 1e6});
  EXPECT_THAT(ranks, ElementsAre(2.0 / 3, 0.5 / 3, ::testing::IsNan(), 0.5 / 3, 1.0));
  EXPECT_THAT(rank_scaled(std::vector<double>{7}), ElementsAre(0.5));
  EXPECT_THAT(rank_scaled(std::vector<double>{2, 2, 2}), ElementsAre(0.5, 0.5, 0.5));
}

// CIELAB lightness from sRGB, the way back: it grows evenly but for rounding to bytes, which is less than 0.4 of it.
TEST(MatrixImage, LightnessGrowsEvenly) {
  const auto lightness = [](const Colour& c) {
    const auto linear = [](std::uint8_t v) {
      return v <= 10 ? v / 255.0 / 12.92 : std::pow((v / 255.0 + 0.055) / 1.055, 2.4);
    };
    const double y = 0.2126729 * linear(c.red) + 0.7151522 * linear(c.green) + 0.0721750 * linear(c.blue);
    return y > 0.008856 ? 116 * std::cbrt(y) - 16 : 903.3 * y;
  };
  for (int i = 0; i <= 20; ++i) EXPECT_NEAR(lightness(ramp_colour(i / 20.0)), 15 + 75 * i / 20.0, 0.4) << i;
}

TEST(MatrixImage, RefusesATriangleOfAnotherSize) {
  EXPECT_NO_THROW(matrix_png(3, std::vector<double>{1, 2, kNaN}));
  EXPECT_NO_THROW(matrix_png(1, {}));
  EXPECT_NO_THROW(matrix_png(301, std::vector<double>(301 * 150, kNaN)));  // averaged, and not defined at all
  EXPECT_THROW(matrix_png(3, std::vector<double>{1, 2}), InputError);
  EXPECT_THROW(matrix_png(0, {}), InputError);
  EXPECT_THROW(matrix_png(-1, std::vector<double>{1}), InputError);
}

LayerChart layers(int count) {
  LayerChart chart{.y_label = "score"};
  for (const char* name : {"one", "two"}) {
    LayerSeries series{.label = name};
    for (int l = 0; l < count; ++l) {
      series.values.push_back({l == 1 ? kNaN : 0.1 * l, 0.05, static_cast<std::size_t>(l)});
    }
    chart.series.push_back(series);
  }
  for (int l = 0; l < count; ++l) chart.names.push_back("a <long> name of layer " + std::to_string(l));
  return chart;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

TEST(LayerChart, DrawsWhatIsDefined) {
  const std::string svg = svg_of(layers(5));
  EXPECT_EQ(test::malformation(svg), "");
  EXPECT_EQ(count(svg, "<circle"), 2u * 4u + 2u);  // and the legend
  EXPECT_EQ(count(svg, "class=\"join"), 2u * 2u);  // not across the gap
  EXPECT_EQ(count(svg, "class=\"error"), 2u * 4u * 3u);
  EXPECT_EQ(count(svg, "rotate(-45"), 5u);
  EXPECT_LT(count(svg_of(layers(200)), "rotate(-45"), 60u);  // as many names as fit
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(LayerChart, BarsMayReachFurtherToOneSide) {
  LayerChart chart{.y_label = "accuracy", .names = {"a", "b", "c"}, .from_zero = false};
  chart.series = {{.values = {{.y = 80, .at = 0, .ends = {{79, 90}}, .style = "s7"},
                              {.y = 85, .at = 1, .ends = {{85, 85}}},
                              {.y = 82, .at = 2, .ends = {{kNaN, 90}}}},
                   .joined = false}};
  const std::string svg = svg_of(chart);
  EXPECT_EQ(test::malformation(svg), "");
  EXPECT_EQ(count(svg, "class=\"error s7\""), 3u);  // a line and its two ends
  EXPECT_EQ(count(svg, "class=\"error"), 3u);
  EXPECT_EQ(count(svg, "class=\"join"), 0u);
  EXPECT_THAT(svg, HasSubstr("a: 80 (79 to 90)"));
  EXPECT_THAT(svg, Not(HasSubstr(">0<")));  // the axis begins near the data
}

TEST(LayerChart, ALongLegendHasSeveralRows) {
  LayerChart chart = layers(2);
  const std::string one = svg_of(chart);
  for (int i = 0; i < 12; ++i) chart.series.push_back({.label = "a rather long name " + std::to_string(i)});
  const std::string svg = svg_of(chart);
  EXPECT_EQ(test::malformation(svg), "");
  std::map<double, int> rows;
  for (std::size_t at = svg.find("class=\"legend\""); at != svg.npos; at = svg.find("class=\"legend\"", at + 1)) {
    const std::size_t begin = svg.rfind("<text", at);
    EXPECT_GT(std::stod(svg.substr(svg.find("x=\"", begin) + 3)), 0.0);
    ++rows[std::stod(svg.substr(svg.find("y=\"", begin) + 3))];
  }
  EXPECT_GT(rows.size(), 3u);
  EXPECT_EQ(std::accumulate(rows.begin(), rows.end(), 0, [](int sum, const auto& row) { return sum + row.second; }),
            14);
  EXPECT_EQ(count(one, "y=\"14.0\" class=\"legend\""), 2u);  // beside the name of the axis
}

TEST(LayerChart, SurvivesOddData) {
  for (const double y : {0.0, -1.0, 1e100, -1e100, kNaN, std::numeric_limits<double>::infinity()}) {
    LayerChart chart = layers(2);
    chart.series[0].values[0] = {y, y, 0};
    chart.series[1].values[0] = {1, 1, 7};  // of a name that is not there
    chart.guides = {{y, "guide"}};
    chart.bands = {{y, 0, "band"}};
    const std::string svg = svg_of(chart);
    EXPECT_EQ(test::malformation(svg), "");
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("\"inf")));
    EXPECT_EQ(test::malformation(svg_of(LayerChart{})), "");
  }
}

// Where the line y = x is drawn, one unit of x is as long as one of y.
TEST(ScatterChart, IdentityHasTheSameAxes) {
  ScatterChart chart{.identity = true, .width = 462, .height = 450};  // 400 by 400
  chart.groups = {{.points = {{.x = 0, .y = 10}, {.x = 3, .y = 3}}, .cloud = true}};
  const std::string svg = svg_of(chart);
  EXPECT_EQ(count(svg, "class=\"guide\""), 1u);
  EXPECT_EQ(count(svg, "class=\"join"), 0u);
  EXPECT_THAT(svg, HasSubstr("x1=\"46.0\" y1=\"426.0\" x2=\"446.0\" y2=\"26.0\" class=\"guide\""));
  EXPECT_THAT(svg, HasSubstr("<circle cx=\"166.0\" cy=\"306.0\""));
}

}  // namespace
}  // namespace chiasm
