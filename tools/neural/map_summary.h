// SPDX-License-Identifier: Apache-2.0
// The result of `chiasm map` by area, as JSON, and as a table for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/neural/map_job.h"

namespace chiasm {

// The units of one area, of all animals one after the other.
struct AreaScores {
  std::string area;  // "" without areas; "all areas" for those of several together
  std::vector<std::string> units = {};
  UnitScores averaged = {};
  std::vector<UnitScores> bins = {};
  std::vector<double> normalised = {};  // raw / sqrt(reliability) (convrnn.md 2.14); empty without reliabilities
  std::vector<double> reliability = {};
  std::int64_t undefined = 0, not_converged = 0;

  // What layers are compared by: the published form, or raw scores where nothing could be corrected.
  const std::vector<double>& main() const { return averaged.published.empty() ? averaged.raw : averaged.published; }
};

// [layers][areas], and behind several areas all of them together.
std::vector<std::vector<AreaScores>> scores_by_area(const MapJob& job, const MapResult& result);

// What a run was asked for, for its JSON.
struct MapAbout {
  std::string features, matching;
  ResponseOptions responses;
};
std::string json_of(const MapJob& job, const MapResult& result, const MapAbout& about);
std::string table_of(const MapJob& job, const MapResult& result);

}  // namespace chiasm
