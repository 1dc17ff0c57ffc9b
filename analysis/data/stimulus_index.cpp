// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/stimulus_index.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "kernels/error.h"

namespace chiasm {
namespace {

std::optional<double> number_in(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && rest == end ? std::optional(value) : std::nullopt;
}

}  // namespace

bool is_missing_id(const std::string& id) {
  std::string lower(id);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto is = [&](const char* known) { return lower == known; };
  return std::ranges::all_of(lower, [](unsigned char c) { return std::isspace(c) != 0; }) ||
         std::ranges::any_of(std::array{"nan", "n/a", "na", "none", "null", "<na>"}, is);
}

StimulusIndex index_stimuli(const std::vector<std::string>& presentations) {
  StimulusIndex index;
  std::unordered_map<std::string, std::int64_t> known;
  for (const std::string& id : presentations) {
    if (known.emplace(id, 0).second) index.ids.push_back(id);
  }
  std::vector<double> numbers;
  for (const std::string& id : index.ids) {
    const std::optional<double> number = number_in(id);
    if (!number || !(*number == *number)) break;
    numbers.push_back(*number);
  }
  if (numbers.size() == index.ids.size()) {
    std::vector<std::size_t> order(numbers.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return numbers[i]; });
    std::vector<std::string> sorted;
    for (const std::size_t i : order) sorted.push_back(index.ids[i]);
    index.ids = std::move(sorted);
  } else {
    std::ranges::sort(index.ids);
  }
  for (std::size_t i = 0; i < index.ids.size(); ++i) known[index.ids[i]] = static_cast<std::int64_t>(i);
  std::vector<std::int64_t> seen(index.ids.size(), 0);
  for (const std::string& id : presentations) {
    const std::int64_t stimulus = known[id];
    index.stimulus.push_back(stimulus);
    index.repeat.push_back(seen[static_cast<std::size_t>(stimulus)]++);
  }
  index.repeats = seen.empty() ? 0 : std::ranges::max(seen);
  return index;
}

Tensor missing_responses(DType dtype, const Shape& shape, std::int64_t known, const std::string& file) {
  constexpr std::int64_t kMostTimes = 64, kFreeBytes = std::int64_t{1} << 30;
  const Spec spec{dtype, shape};
  if (spec.bytes() > kFreeBytes && shape.elements() / kMostTimes > known) {
    throw FileError(file, "",
                    "holds " + std::to_string(known) + " responses, which would become " + to_string(shape) +
                        " of units, stimuli, repeats and times");
  }
  Tensor responses(spec);
  visit_floating(dtype,
                 [&]<class T>() { std::ranges::fill(responses.values<T>(), std::numeric_limits<T>::quiet_NaN()); });
  return responses;
}

}  // namespace chiasm
