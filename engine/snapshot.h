// SPDX-License-Identifier: Apache-2.0
// Snapshot: the state of a training run on disk, one safetensors file: every parameter, backward weight, statistic and
// optimizer state by name, and where in the run it was taken. Writing is atomic: a reader finds the old file or the new
// one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/parameters.h"

namespace chiasm {

struct RunPosition {
  std::int64_t step = 0;   // training steps done
  std::int64_t epoch = 0;  // of the next batch
  std::int64_t batch = 0;  // the next batch in its epoch
  bool operator==(const RunPosition&) const = default;
};

// `extra` is kept as it is (the recipe's name, the version). Throws SystemError when the file cannot be written.
void save_snapshot(const std::string& path, const Parameters& parameters, const RunPosition& position,
                   const std::map<std::string, std::string>& extra = {});

// Fills the tensors of `parameters`, which must be allocated. Throws FileError when the file is damaged, or lacks or
// adds a tensor, or has one with another spec; nothing is changed then.
RunPosition load_snapshot(const std::string& path, Parameters& parameters);

// Files "step-N.safetensors" of a folder, by N. Other files are ignored.
std::map<std::int64_t, std::string> list_snapshots(const std::string& folder);
std::string snapshot_name(std::int64_t step);

}  // namespace chiasm
