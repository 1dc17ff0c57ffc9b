// SPDX-License-Identifier: Apache-2.0
// The verbs of the chiasm command, one file each. add_VERB declares the verb and its options, and sets `action` to what
// runs when the verb was given; the action returns the exit status. Errors are thrown.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace chiasm {

using Action = std::function<int()>;

void add_doctor(CLI::App& app, Action& action);
void add_train(CLI::App& app, Action& action);
void add_evaluate(CLI::App& app, Action& action);
void add_describe(CLI::App& app, Action& action);
void add_plan(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_extract(CLI::App& app, Action& action);
void add_convert(CLI::App& app, Action& action);
void add_map(CLI::App& app, Action& action);
void add_reliability(CLI::App& app, Action& action);
void add_consistency(CLI::App& app, Action& action);
void add_rsa(CLI::App& app, Action& action);
void add_ost(CLI::App& app, Action& action);
void add_readout(CLI::App& app, Action& action);
void add_recipes(CLI::App& app, Action& action);
void add_rules(CLI::App& app, Action& action);

// Exit statuses beside 0, done.
inline constexpr int kFailed = 1;
inline constexpr int kWrongInput = 2;
inline constexpr int kInterrupted = 130;  // after a clean snapshot, or with nothing written

// The command: parses, runs, and turns errors into one message on stderr and a status (0 done, 1 failed, 2 wrong input,
// 130 interrupted).
int run_command(int argc, const char* const* argv);

}  // namespace chiasm
