// SPDX-License-Identifier: Apache-2.0
// Options that every verb which runs a network has.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "engine/program.h"
#include "kernels/error.h"

namespace chiasm {

struct DeviceOptions {
  std::string device = "cpu";
  ProgramOptions program;

  void add_to(CLI::App& verb) {
    verb.add_option("--device", device, "Where to run: cpu")->capture_default_str();
    verb.add_option("--threads", program.threads, "Threads to use; 0: one per core")
        ->check(CLI::Range(0, 4096))
        ->take_last()
        ->capture_default_str();
    verb.add_flag("--deterministic", program.deterministic, "The same bits for any number of threads (slower)");
    verb.add_option("--passes", program.passes, "Graph passes: all, none, or names joined by commas")
        ->capture_default_str();
  }

  // Throws DeviceError or InputError when the device cannot be used.
  void check() const {
    if (device == "cpu") return;
    if (device.starts_with("cuda"))
      throw InputError("--device " + device + ": training on CUDA is not available yet; use cpu");
    throw InputError("--device " + device + ": allowed is cpu");
  }
};

}  // namespace chiasm
