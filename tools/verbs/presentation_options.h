// SPDX-License-Identifier: Apache-2.0
// Options that show a network its images in another way than its recipe says: for how long, and how it is read out.
#pragma once

#include <string>
#include <vector>

#include "tools/terminal/command_line.h"

namespace chiasm {

struct PresentationOptions {
  std::string steps, image_off, decoder;  // empty: as the recipe says

  void add_to(Verb verb);
  // What --set would be given.
  std::vector<std::string> overrides() const;
};

}  // namespace chiasm
