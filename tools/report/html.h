// SPDX-License-Identifier: Apache-2.0
// Pieces of text that go into an HTML or SVG page.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace chiasm::html {

// Safe between tags and inside quoted attributes. Control characters and broken UTF-8 become U+FFFD, so that the page
// is well-formed whatever a file or a recipe held.
std::string escape(std::string_view text);

// A whole page around `body`, which is taken as it is, as `style` is.
std::string page(std::string_view title, std::string_view style, std::string_view body);

std::string base64(std::span<const std::uint8_t> bytes);

}  // namespace chiasm::html
