// SPDX-License-Identifier: Apache-2.0
#include "tools/report/matrix_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/error.h"
#include "tools/report/html.h"
#include "tools/report/png_bytes.h"

namespace chiasm {
namespace {

constexpr Colour kUndefined{200, 30, 30};

// Ends of the scale in CIELAB (white point D65): lightness, and blue to yellow. a is 0: no red or green. All of it is
// within sRGB: clipped colours would not be of the lightness that they should have.
constexpr double kDark[] = {15, -22}, kLight[] = {90, 36};

std::uint8_t srgb(double linear) {
  const double clipped = std::clamp(linear, 0.0, 1.0);
  const double value = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * std::pow(clipped, 1 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(255 * value));
}

double inverse_f(double t) { return t > 6.0 / 29 ? t * t * t : 3 * (6.0 / 29) * (6.0 / 29) * (t - 4.0 / 29); }

void push(std::vector<std::uint8_t>& pixels, const Colour& c) { pixels.insert(pixels.end(), {c.red, c.green, c.blue}); }

// Where (row, column), row < column, stands in the triangle.
std::size_t index_of(std::int64_t items, std::int64_t row, std::int64_t column) {
  return static_cast<std::size_t>(row * (2 * items - row - 1) / 2 + column - row - 1);
}

}  // namespace

std::vector<double> rank_scaled(std::span<const double> values) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isnan(values[i])) order.push_back(i);
  }
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> ranks(values.size(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double mean = static_cast<double>(begin + end - 1) / 2;
    for (std::size_t k = begin; k < end; ++k) {
      ranks[order[k]] = order.size() > 1 ? mean / static_cast<double>(order.size() - 1) : 0.5;
    }
  }
  return ranks;
}

// CIELAB to sRGB (IEC 61966-2-1).
Colour ramp_colour(double share) {
  const double t = std::clamp(share, 0.0, 1.0);
  const double lightness = kDark[0] + t * (kLight[0] - kDark[0]), b = kDark[1] + t * (kLight[1] - kDark[1]);
  const double f = (lightness + 16) / 116;
  const double x = 0.95047 * inverse_f(f), y = inverse_f(f), z = 1.08883 * inverse_f(f - b / 200);
  return {srgb(3.2404542 * x - 1.5371385 * y - 0.4985314 * z), srgb(-0.9692660 * x + 1.8760108 * y + 0.0415560 * z),
          srgb(0.0556434 * x - 0.2040259 * y + 1.0572252 * z)};
}

std::vector<std::uint8_t> matrix_png(std::int64_t items, std::span<const double> triangle) {
  constexpr std::int64_t kMostItems = std::int64_t{1} << 31;  // whose pairs an int64 counts
  if (items < 1 || items > kMostItems || std::ssize(triangle) != items * (items - 1) / 2) {
    throw InputError(fmt::format("a matrix of {} items has no triangle of {} numbers", items, triangle.size()));
  }
  const std::vector<double> ranks = rank_scaled(triangle);
  const std::int64_t side = std::min<std::int64_t>(items, kMostMatrixPixels);
  std::vector<std::uint8_t> pixels;
  for (std::int64_t y = 0; y < side; ++y) {
    for (std::int64_t x = 0; x < side; ++x) {
      double sum = 0;
      std::int64_t count = 0;
      for (std::int64_t i = y * items / side; i < (y + 1) * items / side; ++i) {
        for (std::int64_t j = x * items / side; j < (x + 1) * items / side; ++j) {
          const double rank = i == j ? 0.0 : ranks[index_of(items, std::min(i, j), std::max(i, j))];
          if (!std::isnan(rank)) sum += rank, ++count;
        }
      }
      push(pixels, count == 0 ? kUndefined : ramp_colour(sum / static_cast<double>(count)));
    }
  }
  return png_bytes(static_cast<int>(side), static_cast<int>(side), 3, pixels);
}

std::vector<std::uint8_t> ramp_png() {
  constexpr int kColours = 64;
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < kColours; ++i) push(pixels, ramp_colour(i / (kColours - 1.0)));
  return png_bytes(kColours, 1, 3, pixels);
}

std::string image_html(std::span<const std::uint8_t> png, const std::string& alt, const std::string& style) {
  return fmt::format("<img{} alt=\"{}\" src=\"data:image/png;base64,{}\"/>",
                     style.empty() ? "" : " class=\"" + html::escape(style) + "\"", html::escape(alt),
                     html::base64(png));
}

}  // namespace chiasm
