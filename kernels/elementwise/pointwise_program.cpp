// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise/pointwise_program.h"

#include <algorithm>

namespace chiasm {
namespace {

// Loads run ahead of their use, up to four at once so that they are on the way together, while no more slots than this
// are taken: with 128 threads in a block, 12 slots leave room for 9 blocks on a multiprocessor with 228 KB.
constexpr int kEasySlots = 12;
constexpr int kLoadsAtOnce = 4;

// Makes the program of instructions [begin, end).
class Scheduler {
 public:
  Scheduler(const FusedPointwise& op, int begin, int end, const std::vector<std::vector<int>>& overwritten)
      : op_(op), begin_(begin), end_(end), overwritten_(overwritten) {
    const auto operands = static_cast<std::size_t>(op.inputs) + op.instructions.size();
    slot_.assign(operands, kNoSlot);
    last_read_.assign(operands, -1);
    read_later_.assign(operands, false);
    output_of_.assign(op.instructions.size(), -1);
    for (std::size_t o = 0; o < op.outputs.size(); ++o) output_of_[op.outputs[o]] = static_cast<int>(o);
    for (int k = begin; k < static_cast<int>(op.instructions.size()); ++k) {
      for (int v : op.instructions[k].operands) {
        if (k >= end) {
          read_later_[v] = true;
          continue;
        }
        if (last_read_[v] < 0 && v < op.inputs + begin) to_load_.push_back(v);
        last_read_[v] = k;
      }
    }
  }

  // Whether the program fits the limits.
  bool run() {
    for (int k = begin_; k < end_; ++k) {
      load_for(op_.instructions[k].operands);
      call(k);
      if (output_of_[k] >= 0 || read_later_[op_.inputs + k]) store(k);
    }
    using namespace pointwise_limits;
    return program_.steps.size() <= kSteps && program_.inputs.size() <= kInputs &&
           program_.outputs.size() <= kOutputs && program_.parameters.size() <= kParameters && program_.slots <= kSlots;
  }

  PointwiseProgram program() { return std::move(program_); }

 private:
  static constexpr int kNoSlot = -1;

  int take_slot() {
    int slot = 0;
    while (slot < static_cast<int>(taken_.size()) && taken_[slot]) ++slot;
    if (slot == static_cast<int>(taken_.size())) taken_.push_back(false);
    taken_[slot] = true;
    ++slots_in_use_;
    program_.slots = std::max(program_.slots, slot + 1);
    return slot;
  }
  void give_slot(int operand) {
    if (slot_[operand] == kNoSlot) return;
    taken_[slot_[operand]] = false;
    slot_[operand] = kNoSlot;
    --slots_in_use_;
  }

  bool waits(int operand) const { return std::find(to_load_.begin(), to_load_.end(), operand) != to_load_.end(); }

  // Loads what is wanted and not there yet; with `ahead`, what comes next with it.
  void load(const std::vector<int>& wanted, bool ahead) {
    std::vector<int> now;
    for (int v : wanted) {
      if (waits(v) && std::find(now.begin(), now.end(), v) == now.end()) now.push_back(v);
    }
    if (now.empty()) return;
    for (int v : to_load_) {
      const bool room = slots_in_use_ + static_cast<int>(now.size()) < kEasySlots;
      if (!ahead || !room || now.size() % kLoadsAtOnce == 0) break;
      if (std::find(now.begin(), now.end(), v) == now.end()) now.push_back(v);
    }
    for (std::size_t first = 0; first < now.size(); first += kLoadsAtOnce) {
      PointwiseStep step;
      step.code = PointwiseStep::kLoad;
      step.result = static_cast<std::uint8_t>(std::min<std::size_t>(kLoadsAtOnce, now.size() - first));
      step.parameters = static_cast<std::uint8_t>(program_.inputs.size());
      for (int j = 0; j < step.result; ++j) {
        const int v = now[first + static_cast<std::size_t>(j)];
        slot_[v] = take_slot();
        step.operands[j] = static_cast<std::uint8_t>(slot_[v]);
        program_.inputs.push_back(v);
        to_load_.erase(std::find(to_load_.begin(), to_load_.end(), v));
      }
      program_.steps.push_back(step);
    }
  }
  void load_for(const std::vector<int>& operands) { load(operands, true); }

  void call(int k) {
    const FusedPointwise::Instruction& instruction = op_.instructions[k];
    PointwiseStep step;
    step.code = instruction.function.code;
    for (std::size_t j = 0; j < instruction.operands.size(); ++j) {
      const int v = instruction.operands[j];
      const bool at_hand = k > begin_ && v == op_.inputs + k - 1;
      step.operands[j] = at_hand ? PointwiseStep::kLast : static_cast<std::uint8_t>(slot_[v]);
    }
    const auto& parameters = instruction.function.parameters;
    auto entry = std::find(program_.parameters.begin(), program_.parameters.end(), parameters);
    step.parameters = static_cast<std::uint8_t>(entry - program_.parameters.begin());
    if (entry == program_.parameters.end()) program_.parameters.push_back(parameters);
    // A thread reads its operands before it writes the result, which may take the place of one of them.
    for (int v : instruction.operands) {
      if (last_read_[v] == k) give_slot(v);
    }
    const int result = op_.inputs + k;
    if (last_read_[result] > k + 1) {
      slot_[result] = take_slot();
      step.result = static_cast<std::uint8_t>(slot_[result]);
    }
    program_.steps.push_back(step);
  }

  void store(int k) {
    if (output_of_[k] >= 0) load(overwritten_[output_of_[k]], false);
    PointwiseStep step;
    step.code = PointwiseStep::kStore;
    step.result = static_cast<std::uint8_t>(program_.outputs.size());
    program_.steps.push_back(step);
    program_.outputs.push_back(k);
  }

  const FusedPointwise& op_;
  int begin_, end_;
  const std::vector<std::vector<int>>& overwritten_;
  std::vector<int> slot_;         // per operand
  std::vector<int> last_read_;    // per operand: the last instruction of this program that reads it, or -1
  std::vector<bool> read_later_;  // per operand: by a later program
  std::vector<int> output_of_;    // per instruction
  std::vector<int> to_load_;      // operands from memory, in the order of their first use
  std::vector<bool> taken_;       // per slot
  int slots_in_use_ = 0;
  PointwiseProgram program_;
};

}  // namespace

std::vector<PointwiseProgram> schedule_pointwise(const FusedPointwise& op,
                                                 const std::vector<std::vector<int>>& overwritten) {
  std::vector<PointwiseProgram> programs;
  const int count = static_cast<int>(op.instructions.size());
  for (int begin = 0; begin < count;) {
    for (int end = count;; end = begin + (end - begin) / 2) {
      if (end == begin) throw InternalError("[fused_pointwise] a function does not fit a CUDA program");
      Scheduler scheduler(op, begin, end, overwritten);
      if (!scheduler.run()) continue;
      programs.push_back(scheduler.program());
      begin = end;
      break;
    }
  }
  return programs;
}

}  // namespace chiasm
