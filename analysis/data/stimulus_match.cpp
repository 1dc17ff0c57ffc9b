// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/stimulus_match.h"

#include <fmt/format.h>

#include <numeric>
#include <optional>
#include <unordered_map>

#include "engine/io/natural_order.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::size_t kMostNames = 3;

using Places = std::unordered_map<std::string, std::int64_t>;

Places places_of(const StimulusList& list) {
  Places places;
  for (std::size_t i = 0; i < list.ids.size(); ++i) {
    const auto [known, is_new] = places.emplace(list.ids[i], static_cast<std::int64_t>(i));
    if (!is_new) {
      throw InputError(fmt::format("{}: the id \"{}\" is that of stimulus {} and of stimulus {}", list.name,
                                   list.ids[i], known->second, i));
    }
  }
  return places;
}

bool overlap(const Places& places, const StimulusList& list) {
  for (const std::string& id : list.ids) {
    if (places.contains(id)) return true;
  }
  return false;
}

// The list with names of files as ids; nothing when two become the same.
std::optional<StimulusList> by_file_name(const StimulusList& list) {
  StimulusList names{list.name, list.count};
  Places seen;
  for (const std::string& id : list.ids) {
    std::string name = id.substr(id.find_last_of('/') + 1);
    const std::size_t dot = name.find_last_of('.');
    if (dot != std::string::npos && dot > 0) name.resize(dot);
    if (!seen.emplace(name, 0).second) return std::nullopt;
    names.ids.push_back(std::move(name));
  }
  return names;
}

void note(std::int64_t& count, std::vector<std::string>& names, const std::string& id) {
  ++count;
  if (names.size() < kMostNames) names.push_back(id);
}

std::string left_out(const StimulusList& list, std::int64_t count, const std::vector<std::string>& names) {
  if (count == 0) return "";
  return fmt::format("; {} of the {} stimuli of {} are left out ({}{})", count, list.count, list.name,
                     fmt::join(names, ", "), count > std::ssize(names) ? ", ..." : "");
}

StimulusMatch matched(const StimulusList& first, const StimulusList& second, StimulusMatch::How how) {
  StimulusMatch match;
  match.how = how;
  const Places places = places_of(first);
  const Places others = places_of(second);
  for (std::size_t i = 0; i < second.ids.size(); ++i) {
    const auto place = places.find(second.ids[i]);
    if (place == places.end()) {
      note(match.only_second, match.only_second_names, second.ids[i]);
    } else {
      match.first.push_back(place->second);
      match.second.push_back(static_cast<std::int64_t>(i));
    }
  }
  for (const std::string& id : first.ids) {
    if (!others.contains(id)) note(match.only_first, match.only_first_names, id);
  }
  match.text = fmt::format("{} stimuli matched by {}", match.second.size(),
                           how == StimulusMatch::How::kById ? "id" : "id without folder and ending") +
               left_out(first, match.only_first, match.only_first_names) +
               left_out(second, match.only_second, match.only_second_names);
  return match;
}

}  // namespace

StimulusMatch align_stimuli(const StimulusList& first, const StimulusList& second) {
  if (first.ids.empty() || second.ids.empty()) {
    if (first.count != second.count) {
      throw InputError(fmt::format("{} has {} stimuli and {} has {}; {} has no ids by which they could be matched",
                                   first.name, first.count, second.name, second.count,
                                   first.ids.empty() ? first.name : second.name));
    }
    StimulusMatch match;
    match.how = StimulusMatch::How::kByPosition;
    match.first.resize(static_cast<std::size_t>(first.count));
    std::iota(match.first.begin(), match.first.end(), 0);
    match.second = match.first;
    match.text = fmt::format("{} stimuli matched by position, because {} has no ids", first.count,
                             first.ids.empty() ? first.name : second.name);
    const StimulusList& named = first.ids.empty() ? second : first;
    if (const std::size_t at = first_out_of_natural_order(named.ids); at > 0) {
      match.doubtful = true;
      match.text += fmt::format(
          "; those of {} are in alphabetical order, \"{}\" before \"{}\": extract them with --order "
          "natural if {} counts otherwise",
          named.name, named.ids[at - 1], named.ids[at], first.ids.empty() ? first.name : second.name);
    }
    return match;
  }
  if (overlap(places_of(first), second)) return matched(first, second, StimulusMatch::How::kById);
  const std::optional<StimulusList> first_names = by_file_name(first), second_names = by_file_name(second);
  if (first_names && second_names && overlap(places_of(*first_names), *second_names)) {
    return matched(*first_names, *second_names, StimulusMatch::How::kByFileName);
  }
  throw InputError(fmt::format("no stimulus of {} is in {}: the first ids are \"{}\" and \"{}\"", first.name,
                               second.name, first.ids.front(), second.ids.front()));
}

std::vector<std::int64_t> places_of_stimuli(const StimulusList& wanted, const StimulusList& given,
                                            const std::function<void(const std::string&)>& warn) {
  const StimulusMatch match = align_stimuli(wanted, given);
  if (match.how == StimulusMatch::How::kByPosition) warn("warning: " + match.text);
  if (match.only_first > 0) {
    throw InputError(fmt::format("{} has nothing for {} of the {} stimuli of {} ({}{})", given.name, match.only_first,
                                 wanted.count, wanted.name, fmt::join(match.only_first_names, ", "),
                                 match.only_first > std::ssize(match.only_first_names) ? ", ..." : ""));
  }
  std::vector<std::int64_t> places(static_cast<std::size_t>(wanted.count));
  for (std::size_t i = 0; i < match.first.size(); ++i)
    places[static_cast<std::size_t>(match.first[i])] = match.second[i];
  return places;
}

}  // namespace chiasm
