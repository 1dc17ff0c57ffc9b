// SPDX-License-Identifier: Apache-2.0
// Cells by name. A new cell is a file that defines make_NAME, and one line here.
#include "engine/config/config.h"
#include "models/cells/cell.h"

#define CHIASM_CELLS(CELL) \
  CELL(time_decay)         \
  CELL(simple_rnn)         \
  CELL(gru)                \
  CELL(lstm)               \
  CELL(ugrnn)              \
  CELL(intersection_rnn)   \
  CELL(rgc_shallow)        \
  CELL(rgc)

namespace chiasm {

#define DECLARE(name) std::shared_ptr<const Cell> make_##name(const ConfigNode& config);
CHIASM_CELLS(DECLARE)
#undef DECLARE

std::shared_ptr<const Cell> make_cell(const ConfigNode& config) {
  struct Entry {
    std::string name;
    std::shared_ptr<const Cell> (*make)(const ConfigNode&);
  };
#define ENTRY(name) {#name, make_##name},
  static const std::vector<Entry> entries{CHIASM_CELLS(ENTRY)};
#undef ENTRY
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.push_back(entry.name);
  const std::string type = config.choice("type", names);
  for (const Entry& entry : entries) {
    if (entry.name == type) return entry.make(config);
  }
  throw InternalError("cell type " + type + " is listed and not made");
}

}  // namespace chiasm
