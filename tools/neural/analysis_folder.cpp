// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/analysis_folder.h"

#include <filesystem>

#include "engine/io/atomic_file.h"
#include "kernels/error.h"
#include "tools/neural/analysis_page.h"

namespace chiasm {

void check_analysis_folder(const std::string& folder) {
  if (std::filesystem::exists(folder + "/metrics.jsonl")) {
    throw InputError("--out: " + folder + " holds a training run; give the comparison a folder of its own");
  }
}

void write_analysis(const std::string& folder, const std::string& verb, const std::string& json) {
  check_analysis_folder(folder);
  std::filesystem::create_directories(folder);
  write_file(folder + "/" + verb + ".json", json + "\n");
  write_file(folder + "/report.html", analysis_html(folder));
}

}  // namespace chiasm
