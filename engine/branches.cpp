// SPDX-License-Identifier: Apache-2.0
#include "engine/branches.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace chiasm {
namespace {

// Memory cut where ranges begin and end, each piece with the steps that a later access must wait for.
class Accesses {
 public:
  // Calls visit(piece) for every piece of the range, after cutting at its ends.
  template <class Visit>
  void for_pieces(const MemoryRange& range, const Visit& visit) {
    if (range.begin >= range.end) return;
    cut(range.begin);
    cut(range.end);
    for (auto piece = pieces_.find(range.begin); piece->first != range.end; ++piece) visit(piece->second);
  }

  struct Piece {
    int writer = -1;
    std::vector<int> readers;  // since it was written
  };

 private:
  void cut(std::uintptr_t at) {
    const auto above = pieces_.upper_bound(at);
    if (above == pieces_.begin()) {
      pieces_[at];
      return;
    }
    const auto below = std::prev(above);
    if (below->first != at) pieces_.emplace_hint(above, at, below->second);
  }

  std::map<std::uintptr_t, Piece> pieces_;  // by where they begin; each ends where the next begins
};

}  // namespace

std::vector<std::vector<int>> find_dependences(std::span<const StepAccess> steps) {
  Accesses accesses;
  std::vector<std::vector<int>> dependences(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::vector<int>& before = dependences[i];
    const int step = static_cast<int>(i);
    for (const MemoryRange& range : steps[i].reads) {
      accesses.for_pieces(range, [&](Accesses::Piece& piece) {
        if (piece.writer >= 0) before.push_back(piece.writer);
        if (piece.readers.empty() || piece.readers.back() != step) piece.readers.push_back(step);
      });
    }
    for (const MemoryRange& range : steps[i].writes) {
      accesses.for_pieces(range, [&](Accesses::Piece& piece) {
        if (piece.writer >= 0) before.push_back(piece.writer);
        before.insert(before.end(), piece.readers.begin(), piece.readers.end());
        piece = {.writer = step, .readers = {}};
      });
    }
    std::sort(before.begin(), before.end());
    before.erase(std::unique(before.begin(), before.end()), before.end());
    // A step reads and writes its own memory.
    before.erase(std::remove(before.begin(), before.end(), step), before.end());
  }
  return dependences;
}

std::vector<ScheduledStep> schedule_branches(std::span<const StepAccess> steps, int branches) {
  const std::vector<std::vector<int>> dependences = find_dependences(steps);
  std::vector<ScheduledStep> schedule(steps.size());
  const auto count = static_cast<std::size_t>(branches);
  std::vector<int> tail(count, -1);  // the last step of each branch
  // finished[i][b]: the last step of branch b that has finished when step i has.
  std::vector<std::vector<int>> finished(steps.size(), std::vector<int>(count, -1));
  for (std::size_t i = 0; i < steps.size(); ++i) {
    // Right behind the latest step that it needs costs no wait for that one; a step that needs nothing recent goes
    // where the last step is oldest.
    int chosen = -1;
    for (int b = 0; b < branches; ++b) {
      const bool follows = std::binary_search(dependences[i].begin(), dependences[i].end(), tail[b]);
      if (follows && (chosen < 0 || tail[b] > tail[chosen])) chosen = b;
    }
    if (chosen < 0) chosen = static_cast<int>(std::min_element(tail.begin(), tail.end()) - tail.begin());

    std::vector<int>& known = finished[i];
    if (tail[chosen] >= 0) known = finished[tail[chosen]];
    ScheduledStep& step = schedule[i];
    step.branch = chosen;
    // The latest first: what it waited for need not be waited for again.
    for (auto d = dependences[i].rbegin(); d != dependences[i].rend(); ++d) {
      if (known[schedule[*d].branch] >= *d) continue;
      step.waits.push_back(*d);
      schedule[*d].awaited = true;
      for (std::size_t b = 0; b < count; ++b) known[b] = std::max(known[b], finished[*d][b]);
    }
    known[chosen] = static_cast<int>(i);
    tail[chosen] = static_cast<int>(i);
  }
  return schedule;
}

}  // namespace chiasm
