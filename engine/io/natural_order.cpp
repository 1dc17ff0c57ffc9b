// SPDX-License-Identifier: Apache-2.0
#include "engine/io/natural_order.h"

#include <algorithm>

namespace chiasm {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The digits that `text` begins with, without zeros before them; `text` goes on behind them.
std::string_view take_number(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  std::string_view number = text.substr(0, end);
  text.remove_prefix(end);
  while (number.size() > 1 && number.front() == '0') number.remove_prefix(1);
  return number;
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  std::string_view x = a, y = b;
  while (!x.empty() && !y.empty()) {
    if (is_digit(x.front()) && is_digit(y.front())) {
      const std::string_view p = take_number(x), q = take_number(y);
      if (p.size() != q.size()) return p.size() < q.size();
      if (p != q) return p < q;
      continue;
    }
    if (x.front() != y.front()) {
      return static_cast<unsigned char>(x.front()) < static_cast<unsigned char>(y.front());
    }
    x.remove_prefix(1);
    y.remove_prefix(1);
  }
  if (x.empty() != y.empty()) return x.empty();
  return a < b;
}

std::size_t first_out_of_natural_order(std::span<const std::string> texts) {
  if (!std::ranges::is_sorted(texts)) return 0;
  const auto end = std::ranges::is_sorted_until(texts, natural_less);
  return end == texts.end() ? 0 : static_cast<std::size_t>(end - texts.begin());
}

}  // namespace chiasm
