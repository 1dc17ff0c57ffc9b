// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/analysis_folder.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "engine/io/atomic_file.h"
#include "kernels/error.h"
#include "tools/neural/analysis_page.h"

namespace chiasm {

void check_analysis_folder(const std::string& folder) {
  if (std::filesystem::exists(folder + "/metrics.jsonl")) {
    throw InputError("--out: " + folder + " holds a training run; give the comparison a folder of its own");
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw SystemError(folder + ": cannot be created: " + error.message());
  if (access(folder.c_str(), W_OK) != 0) throw SystemError(folder + ": cannot be written to: " + std::strerror(errno));
}

void write_analysis(const std::string& folder, const std::string& verb, const std::string& json) {
  check_analysis_folder(folder);
  write_file(folder + "/" + verb + ".json", json + "\n");
  write_file(folder + "/report.html", analysis_html(folder));
}

}  // namespace chiasm
