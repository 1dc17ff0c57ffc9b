// SPDX-License-Identifier: Apache-2.0
// The verbs of the chiasm command, one file each. add_VERB declares the verb, its options and its action
// (tools/terminal/command_line.h). Errors are thrown.
#pragma once

namespace chiasm {

class CommandLine;

void add_doctor(CommandLine& command);
void add_train(CommandLine& command);
void add_evaluate(CommandLine& command);
void add_describe(CommandLine& command);
void add_plan(CommandLine& command);
void add_compare(CommandLine& command);
void add_extract(CommandLine& command);
void add_convert(CommandLine& command);
void add_map(CommandLine& command);
void add_reliability(CommandLine& command);
void add_consistency(CommandLine& command);
void add_rsa(CommandLine& command);
void add_ost(CommandLine& command);
void add_readout(CommandLine& command);
void add_recipes(CommandLine& command);
void add_rules(CommandLine& command);

// Exit statuses beside 0, done.
inline constexpr int kFailed = 1;
inline constexpr int kWrongInput = 2;
inline constexpr int kInterrupted = 130;  // after a clean snapshot, or with nothing written

// The command: parses, runs, and turns errors into one message on stderr and a status (0 done, 1 failed, 2 wrong input,
// 130 interrupted).
int run_command(int argc, const char* const* argv);

}  // namespace chiasm
