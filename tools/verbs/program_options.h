// SPDX-License-Identifier: Apache-2.0
// Options that every verb which runs a network has.
#pragma once

#include <string>

#include "engine/program.h"
#include "tools/terminal/command_line.h"

namespace chiasm {

struct DeviceOptions {
  std::string device = "cpu";
  ProgramOptions program;

  void add_to(Verb verb);
  // Reads the name of the device into `program`. Throws InputError when it cannot be used.
  void check();
};

}  // namespace chiasm
