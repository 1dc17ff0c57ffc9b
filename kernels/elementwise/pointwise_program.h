// SPDX-License-Identifier: Apache-2.0
// PointwiseProgram: a FusedPointwise op, or a piece of one, as a CUDA thread runs it. A thread works on four
// neighbouring elements. Values wait in slots (16 bytes of shared memory for each thread); the result of the last
// call is also at hand in registers. A program is data in the parameters of one kernel, compiled once for all
// functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/elementwise/fused_pointwise.h"

namespace chiasm {

// What one launch can hold: its parameters fill less than the 4 KB that every device takes, and its slots, with 128
// threads in a block, the 48 KB of shared memory that a block has without asking.
namespace pointwise_limits {
inline constexpr int kSteps = 240, kInputs = 32, kOutputs = 24, kParameters = 40, kSlots = 24;
}

struct PointwiseStep {
  static constexpr std::uint8_t kLast = 255;  // as an operand: the result of the last call; as a result: no slot
  // Codes that are no FunctionCode.
  static constexpr std::uint8_t kLoad = 254;   // inputs first_input + k go to slots operands[k], for k < result <= 4
  static constexpr std::uint8_t kStore = 253;  // the result of the last call goes to output `result`

  std::uint8_t code = 0;          // the FunctionCode of what is called, or one of the above
  std::uint8_t result = kLast;    // the slot of the result
  std::uint8_t operands[5] = {};  // slots
  std::uint8_t parameters = 0;    // of a call: its entry in the table of parameters; of kLoad: first_input
};
static_assert(sizeof(PointwiseStep) == 8);

struct PointwiseProgram {
  using Parameters = std::array<std::byte, PointwiseFunction::kMaxParameterBytes>;

  std::vector<PointwiseStep> steps;
  std::vector<int> inputs;   // operands of the op: its inputs, and results of programs before this one
  std::vector<int> outputs;  // instructions of the op
  std::vector<Parameters> parameters;
  int slots = 0;
};

// The programs that run one after the other do what the op does; the first reads inputs only. overwritten[o] lists the
// inputs whose memory output o takes: those are read before it is written, within each program. Throws InternalError
// when a single function exceeds the limits.
std::vector<PointwiseProgram> schedule_pointwise(const FusedPointwise& op,
                                                 const std::vector<std::vector<int>>& overwritten);

}  // namespace chiasm
