// SPDX-License-Identifier: Apache-2.0
// Tasks by name. A new task is a folder whose file defines make_NAME, and one line here.
#include "engine/config/config.h"
#include "models/tasks/task.h"

#define CHIASM_TASKS(TASK) \
  TASK(classification)     \
  TASK(regression)         \
  TASK(reconstruction)     \
  TASK(two_views)          \
  TASK(sequence)

namespace chiasm {

#define DECLARE(name) std::shared_ptr<const Task> make_##name(const ConfigNode& task);
CHIASM_TASKS(DECLARE)
#undef DECLARE

namespace {

struct Entry {
  std::string kind;
  std::shared_ptr<const Task> (*make)(const ConfigNode&);
};

const std::vector<Entry>& table() {
#define ENTRY(name) {#name, make_##name},
  static const std::vector<Entry> entries{CHIASM_TASKS(ENTRY)};
#undef ENTRY
  return entries;
}

}  // namespace

std::vector<std::string> task_kinds() {
  std::vector<std::string> kinds;
  for (const Entry& entry : table()) kinds.push_back(entry.kind);
  return kinds;
}

std::shared_ptr<const Task> read_task(const ConfigNode& task) {
  const std::string kind = task.choice("kind", task_kinds());
  for (const Entry& entry : table()) {
    if (entry.kind == kind) return entry.make(task);
  }
  throw InternalError("task " + kind + " is listed and not made");
}

}  // namespace chiasm
