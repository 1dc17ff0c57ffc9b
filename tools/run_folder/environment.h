// SPDX-License-Identifier: Apache-2.0
// environment.json of a run folder: which program, machine and settings made the run. A resumed run adds an entry to
// "starts", so that a change of machine on the way is on record.
#pragma once

#include <cstdint>
#include <string>

namespace chiasm {

// What only the caller knows.
struct RunSettings {
  std::uint64_t seed = 0;
  int threads = 1;
  std::string device = "cpu";
  std::string dtype = "float32";
  bool deterministic = false;
  std::int64_t first_step = 0;  // 0, or the step of the snapshot a resumed run starts from
  std::string init = {};        // file of the weights it starts from; "": the recipe's draw, or a snapshot
};

// What this machine and this build are, as JSON: version, build, compiler, processor, instruction set, libraries. Also
// for `chiasm doctor --json`.
std::string machine_json(int indent);

// Writes or extends folder/environment.json (replaced as a whole). Throws FileError when the file there is not one of
// ours, SystemError when it cannot be written.
void record_start(const std::string& folder, const RunSettings& settings);

std::string chiasm_version();

}  // namespace chiasm
