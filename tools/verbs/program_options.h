// SPDX-License-Identifier: Apache-2.0
// Options that every verb which runs a network has.
#pragma once

#include <string>

#include "engine/program.h"

namespace CLI {
class App;
}

namespace chiasm {

struct DeviceOptions {
  std::string device = "cpu";
  ProgramOptions program;

  void add_to(CLI::App& verb);
  // Throws InputError when the device cannot be used.
  void check() const;
};

}  // namespace chiasm
