// SPDX-License-Identifier: Apache-2.0
// Progress of long work with its rate and the time left: a bar redrawn in place on a terminal, a plain line every few
// seconds elsewhere (log files, pipes), nothing when quiet. Not for use from several threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <iosfwd>
#include <string>
#include <utility>

namespace chiasm {

enum class ProgressStyle { kBar, kLines, kQuiet };

class Progress {
 public:
  using Clock = std::function<std::chrono::nanoseconds()>;  // monotonic

  struct Options {
    std::string label = {};     // "training"
    std::string unit = "step";  // "step" gives "12.3 steps/s"
    std::int64_t total = 0;     // 0: not known, no bar and no time left
    std::int64_t start = 0;     // done before this run, when resumed
    ProgressStyle style = ProgressStyle::kQuiet;
    int columns = 80;  // of the terminal
  };

  // `out` outlives the Progress. The default clock is std::chrono::steady_clock.
  Progress(std::ostream& out, Options options, Clock clock = {});
  ~Progress();  // leaves the terminal on a fresh line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` counts from 0 to total; `note` is shown behind it ("loss 0.412"). Cheap: draws at most ten times a second on
  // a terminal and once in 5 s elsewhere.
  void update(std::int64_t done, const std::string& note = "");
  // Draws the last state whatever the time, and ends the line. Later calls do nothing.
  void finish();
  // A line of its own above the bar, such as the result of an evaluation. Not printed when quiet.
  void print_line(const std::string& line);

 private:
  double rate() const;  // units per second over the last seconds; 0 when not known yet
  std::string line() const;
  void draw();

  std::ostream& out_;
  Options options_;
  Clock clock_;
  std::int64_t done_;
  std::string note_;
  std::deque<std::pair<std::chrono::nanoseconds, std::int64_t>> samples_;  // of the rate's window
  std::chrono::nanoseconds last_draw_;
  bool drawn_ = false;
  bool finished_ = false;
};

// The style for a stream with this file descriptor (2 is stderr), and its width.
ProgressStyle progress_style(int descriptor, bool quiet);
int terminal_columns(int descriptor);

// "47 s", "3 min 20 s", "2 h 05 min"; "?" when negative or not finite.
std::string duration_words(double seconds);

}  // namespace chiasm
