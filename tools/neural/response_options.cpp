// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/response_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <numeric>

#include "analysis/reliability/split_half.h"
#include "kernels/error.h"
#include "kernels/stream.h"

namespace chiasm {
namespace {

std::vector<std::string> pieces(const std::string& text, char between) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t at = text.find(between); at != text.npos; at = text.find(between, begin)) {
    parts.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

template <class Number>
Number number_of(const std::string& text, const std::string& option, const char* allowed) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw InputError(option + ": found \"" + text + "\"; allowed are " + allowed);
  }
  return value;
}

// Units whose split-half reliability, of responses averaged over time, is at least the one asked for
// (spec/neural_analysis.md section 6).
NeuralDataset reliable_units(const ResponseOptions& options, const NeuralDataset& dataset) {
  constexpr int kDraws = 100;
  const CpuStream stream(0, true);
  std::vector<bool> kept(static_cast<std::size_t>(dataset.units()));
  for (const Target& target : targets_of(dataset, parse_halving(options.halves))) {
    const Trials averaged = target.trials.bins_averaged(0, target.trials.bins());
    const std::vector<double> reliability = split_half(stream, averaged, kDraws, 0).reliability[0];
    for (std::size_t u = 0; u < reliability.size(); ++u) {
      kept[static_cast<std::size_t>(target.units[u])] = reliability[u] >= options.min_reliability;
    }
  }
  const std::int64_t count = std::ranges::count(kept, true);
  const std::string found = std::to_string(count) + " of " + std::to_string(dataset.units()) + " units of " +
                            options.file + " have a reliability of " + std::to_string(options.min_reliability);
  if (count == 0) throw InputError("--min-reliability: " + found);
  std::cerr << found << " or more\n";
  return select_units(dataset, [&](std::int64_t unit) { return kept[static_cast<std::size_t>(unit)]; });
}

}  // namespace

void ResponseOptions::add_to(Verb verb, bool required) {
  verb.option("--responses", file,
              "Recorded responses: .npy, .npz, .h5, .nwb, .nc, .mat or .csv; units x stimuli x repeats x time bins")
      .required(required);
  verb.option("--responses-key", read.key, "Which array of the file");
  verb.option("--axes", read.axes, "Which axis is which, such as stimulus,unit,repeat");
  verb.option("--area", areas, "Use the units of these areas only, joined by commas").joined_by(',');
  verb.option("--area-key", read.areas, "Where the area of each unit is, if not in areas");
  verb.option("--specimen-key", read.specimens, "Where the animal of each unit is, if not in specimens");
  verb.option("--stimulus-key", read.stimulus_ids, "Where the id of each stimulus is, if not in stimulus_ids");
  verb.option("--stimuli", read.ids,
              "Ids of the stimuli: a text file with one on each line, or the folder or .zip of their images");
  verb.option("--intervals", read.intervals, "NWB: the table of trials below /intervals");
  verb.option("--bin-ms", read.bin_width_ms, "NWB: width of a time bin; 0: the whole trial");
  verb.option("--window", window, "Average over the time bins from:to, in ms");
  verb.option("--min-reliability", min_reliability,
              "Use units whose split-half reliability is at least this, over 100 halvings")
      .range(0.0, 1.0);
  verb.option("--halves", halves,
              "How trials are halved: synchronised, the same repeats for all stimuli, as published; per-stimulus, "
              "equally many; auto: per-stimulus where trials are missing")
      .one_of({"synchronised", "per-stimulus", "auto"})
      .show_default();
}

NeuralDataset ResponseOptions::load() const {
  NeuralDataset dataset = read_neural(file, read);
  for (const std::string& note : dataset.notes) std::cerr << "note: " << file << ": " << note << '\n';
  if (!areas.empty()) {
    const std::vector<std::string> known = areas_of(dataset);
    for (const std::string& area : areas) {
      if (std::ranges::find(known, area) != known.end()) continue;
      std::string names;
      for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
      throw InputError("--area: found \"" + area + "\"; " + file + " has " +
                       (dataset.areas.empty() ? "no areas" : names));
    }
    dataset = select_units(dataset, [&](std::int64_t unit) {
      return std::ranges::find(areas, dataset.areas[static_cast<std::size_t>(unit)]) != areas.end();
    });
  }
  if (!window.empty()) {
    const std::vector<std::string> ends = pieces(window, ':');
    constexpr const char* kAllowed = "two numbers of ms such as 70:170";
    if (ends.size() != 2) throw InputError("--window: found \"" + window + "\"; allowed are " + std::string(kAllowed));
    dataset = average_time(dataset, number_of<double>(ends[0], "--window", kAllowed),
                           number_of<double>(ends[1], "--window", kAllowed));
  }
  return min_reliability > 0.0 ? reliable_units(*this, dataset) : dataset;
}

void ResponseOptions::require_repeats(const NeuralDataset& dataset, const std::string& what) const {
  if (dataset.repeats() >= 2) return;
  throw InputError(file + ": each stimulus has one response of a unit; " + what + " needs two repeats or more (" +
                   "--axes says which axis is which; found " + to_string(dataset.responses.shape()) +
                   " units, stimuli, repeats and time bins)");
}

std::vector<Target> targets_of(const NeuralDataset& dataset, Halving halving) {
  std::vector<Target> targets;
  for (const std::string& area : areas_of(dataset)) {
    for (SpecimenUnits& specimen : by_specimen(dataset, area)) {
      // Halves of an animal are drawn by its name, the same in all of its areas.
      Trials trials(specimen.specimen.empty() ? "recording" : specimen.specimen, dataset.responses, specimen.units,
                    halving);
      targets.push_back({area, specimen.specimen, std::move(trials), std::move(specimen.units)});
    }
  }
  return targets;
}

std::string name_of(const Target& target) {
  if (target.area.empty() && target.specimen.empty()) return "all units";
  if (target.area.empty() || target.specimen.empty()) return target.area + target.specimen;
  return target.area + ", " + target.specimen;
}

std::vector<std::string> unit_names(const NeuralDataset& dataset) {
  if (!dataset.unit_ids.empty()) return dataset.unit_ids;
  std::vector<std::string> names;
  for (std::int64_t unit = 0; unit < dataset.units(); ++unit) names.push_back(std::to_string(unit));
  return names;
}

std::vector<std::int64_t> parse_numbers(const std::string& text, const std::string& option) {
  constexpr const char* kAllowed = "numbers and ranges such as 0,3,5..9";
  std::vector<std::int64_t> numbers;
  for (const std::string& part : pieces(text, ',')) {
    const std::size_t dots = part.find("..");
    const auto first = number_of<std::int64_t>(part.substr(0, dots), option, kAllowed);
    const auto last = dots == part.npos ? first : number_of<std::int64_t>(part.substr(dots + 2), option, kAllowed);
    constexpr std::int64_t kMost = 1 << 24;
    if (first < 0 || last < first || last - first > kMost) {
      throw InputError(option + ": found \"" + part + "\"; allowed are " + kAllowed);
    }
    for (std::int64_t number = first; number <= last; ++number) numbers.push_back(number);
  }
  return numbers;
}

std::vector<double> parse_grid(const std::string& text, const std::string& option) {
  constexpr const char* kAllowed =
      "numbers such as 0.1,1,10, or lowest:highest:count; numbers of 0 or more, ends above 0";
  const auto bad = [&](const std::string& part) {
    return InputError(option + ": found \"" + part + "\"; allowed are " + kAllowed);
  };
  std::vector<double> values;
  const std::vector<std::string> ends = pieces(text, ':');
  if (ends.size() == 3) {
    const auto low = number_of<double>(ends[0], option, kAllowed), high = number_of<double>(ends[1], option, kAllowed);
    const auto count = number_of<int>(ends[2], option, kAllowed);
    constexpr int kMost = 10000;
    if (!(low > 0.0 && high >= low) || count < 2 || count > kMost) throw bad(text);
    for (int i = 0; i < count; ++i) {
      values.push_back(std::exp(std::lerp(std::log(low), std::log(high), static_cast<double>(i) / (count - 1))));
    }
    return values;
  }
  for (const std::string& part : pieces(text, ',')) {
    values.push_back(number_of<double>(part, option, kAllowed));
    if (!(values.back() >= 0.0) || !std::isfinite(values.back())) throw bad(part);
  }
  return values;
}

}  // namespace chiasm
