// SPDX-License-Identifier: Apache-2.0
// Running a program as a person would: its arguments, what it prints, its exit status.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace chiasm::test {

struct ProcessResult {
  int status = -1;  // exit status, or 128 + the signal that ended it
  std::string out;
  std::string err;
};

struct ProcessOptions {
  // Sends `signal` this long after the start, if it still runs.
  std::optional<std::chrono::milliseconds> signal_after = {};
  int signal = 9;
  // Instead: sends it as soon as this holds.
  std::function<bool()> signal_when = {};
  // Largest file it may write, in bytes: a full disk.
  std::optional<long> file_size_limit = {};
};

// arguments[0] is the program. Throws std::runtime_error when it cannot be started.
ProcessResult run_process(const std::vector<std::string>& arguments, const ProcessOptions& options = {});

// A variable of the environment, as long as this lives; then what it was before.
class ScopedVariable {
 public:
  ScopedVariable(std::string name, const std::string& value);
  ~ScopedVariable();
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  std::string name_;
  std::optional<std::string> before_;
};

std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);

}  // namespace chiasm::test
