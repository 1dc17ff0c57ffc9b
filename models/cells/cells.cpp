// SPDX-License-Identifier: Apache-2.0
// Cells by name. A new cell is its own file and one line here.
#include "engine/config/config.h"
#include "models/cells/cell.h"
#include "models/cells/rgc.h"
#include "models/cells/rgc_shallow.h"
#include "models/cells/time_decay.h"

namespace chiasm {
namespace {

struct Entry {
  std::string name;
  std::shared_ptr<const Cell> (*make)(const ConfigNode&);
};

const std::vector<Entry>& table() {
  static const std::vector<Entry> entries{
      {"time_decay", make_time_decay},
      {"rgc_shallow", make_rgc_shallow},
      {"rgc", make_rgc},
  };
  return entries;
}

}  // namespace

std::shared_ptr<const Cell> make_cell(const ConfigNode& config) {
  std::vector<std::string> names;
  for (const Entry& entry : table()) names.push_back(entry.name);
  const std::string type = config.choice("type", names);
  for (const Entry& entry : table()) {
    if (entry.name == type) return entry.make(config);
  }
  throw InternalError("cell type " + type + " is listed and not made");
}

}  // namespace chiasm
