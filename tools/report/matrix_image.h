// SPDX-License-Identifier: Apache-2.0
// A symmetric matrix of dissimilarities as a picture. Entries are shown by their rank, because a few large ones would
// otherwise hide the pattern of the rest, on a scale from dark blue to light yellow whose lightness grows evenly, so
// that it reads the same in grey and to colour-blind readers. Entries that are not defined are red.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace chiasm {

inline constexpr int kMostMatrixPixels = 200;  // of a side; each pixel of larger matrices is a mean of ranks

// Ranks scaled to [0, 1], equal values sharing their mean rank; NaN stays NaN. One value, or equal ones, give 0.5.
std::vector<double> rank_scaled(std::span<const double> values);

// Red, green and blue of a value from 0 to 1.
struct Colour {
  std::uint8_t red = 0, green = 0, blue = 0;
};
Colour ramp_colour(double share);

// PNG of the matrix of `items` whose upper triangle without the diagonal is given by rows; the diagonal is the least
// value. Throws InputError when the length is not items (items - 1) / 2 or items is not positive.
std::vector<std::uint8_t> matrix_png(std::int64_t items, std::span<const double> triangle);
// PNG of the colours from 0 to 1.
std::vector<std::uint8_t> ramp_png();

// A PNG within a page. `style` is a class of the style sheet, or empty; both texts are escaped.
std::string image_html(std::span<const std::uint8_t> png, const std::string& alt, const std::string& style = "");

}  // namespace chiasm
