// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl of a run folder: one JSON object per line, in order of "step", each line handed to the system as soon
// as it is complete. A resumed run cuts off what lies beyond its snapshot, so its file equals that of an uninterrupted
// run (when no metric is a time).
#pragma once

#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace chiasm {

// A number that is not finite is written as null: JSON has no word for it.
using MetricValue = std::variant<std::int64_t, double, bool, std::string>;
using Metrics = std::vector<std::pair<std::string, MetricValue>>;

class MetricsLog {
 public:
  // Starts an empty file. Throws SystemError when it cannot be written, here and below.
  static MetricsLog create(const std::string& path);
  // Keeps the lines up to and including `last_step`, and drops the later ones and an unfinished last line. A missing
  // file is started. Throws FileError, naming the line, when the file is not a metrics file.
  static MetricsLog resume(const std::string& path, std::int64_t last_step);

  // Writes {"step": step, ...metrics in this order}. A full disk is a SystemError.
  void append(std::int64_t step, const Metrics& metrics);

 private:
  MetricsLog(std::string path, bool keep);
  std::string path_;
  std::ofstream file_;
};

// One line of a metrics file, without the numbers that are null and without "step" itself.
struct MetricsLine {
  std::int64_t step = 0;
  std::vector<std::pair<std::string, double>> numbers;
};
// All complete lines, for reports. Throws FileError as resume() does.
std::vector<MetricsLine> read_metrics(const std::string& path);

}  // namespace chiasm
