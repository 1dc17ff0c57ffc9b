// SPDX-License-Identifier: Apache-2.0
#include "tools/verbs/program_options.h"

#include <CLI/CLI.hpp>

#include "kernels/error.h"

namespace chiasm {

void DeviceOptions::add_to(CLI::App& verb) {
  verb.add_option("--device", device, "Where to run: cpu")->capture_default_str();
  verb.add_option("--threads", program.threads, "Threads to use; 0: one per core")
      ->check(CLI::Range(0, 4096))
      ->take_last()
      ->capture_default_str();
  verb.add_flag("--deterministic", program.deterministic, "The same bits for any number of threads (slower)");
  verb.add_option("--passes", program.passes, "Graph passes: all, none, or names joined by commas")
      ->capture_default_str();
}

void DeviceOptions::check() const {
  if (device == "cpu") return;
  const std::string what = device.starts_with("cuda") ? "running networks on CUDA is not available yet; " : "";
  throw InputError("--device " + device + ": " + what + "allowed: cpu");
}

}  // namespace chiasm
