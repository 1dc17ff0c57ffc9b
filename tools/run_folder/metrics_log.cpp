// SPDX-License-Identifier: Apache-2.0
#include "tools/run_folder/metrics_log.h"

#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "kernels/error.h"

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestLine = std::size_t{1} << 20;

Json json_of(const MetricValue& value) {
  if (const auto* number = std::get_if<double>(&value); number != nullptr && !std::isfinite(*number)) return nullptr;
  return std::visit([](const auto& v) { return Json(v); }, value);
}

MetricsLine parsed(const std::string& text, const std::string& path, std::size_t line_number) {
  const auto fail = [&](const char* what) { throw FileError(path, fmt::format("line {}", line_number), what); };
  // Values may be objects or lists in files of others; the parser itself is bounded by the line's length.
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) fail("not a JSON object");
  MetricsLine line;
  bool has_step = false;
  for (const auto& [name, value] : json.items()) {
    if (name == "step" && value.is_number_integer()) {
      line.step = value.get<std::int64_t>();
      has_step = true;
    } else if (value.is_number()) {
      line.numbers.emplace_back(name, value.get<double>());
    }
  }
  if (!has_step) fail("no integer \"step\"");
  return line;
}

// Calls visit(line, offset of the line's end) for each complete line until it returns false.
template <class Visit>
void for_each_line(const std::string& path, Visit visit) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw FileError(path, "", "cannot be opened: no such file, or no permission to read it");
  std::string text;
  std::uintmax_t offset = 0;
  std::optional<std::int64_t> previous;
  for (std::size_t number = 1; std::getline(file, text); ++number) {
    if (file.eof()) return;  // no newline: the writer was stopped in this line
    if (text.size() > kLongestLine) throw FileError(path, fmt::format("line {}", number), "longer than 1 MiB");
    offset += text.size() + 1;
    MetricsLine line = parsed(text, path, number);
    if (previous && line.step < *previous) {
      throw FileError(path, fmt::format("line {}", number),
                      fmt::format("step {} comes after step {}, allowed: steps in order", line.step, *previous));
    }
    previous = line.step;
    if (!visit(std::move(line), offset)) return;
  }
}

}  // namespace

MetricsLog::MetricsLog(std::string path, bool keep) : path_(std::move(path)) {
  file_.open(path_, std::ios::binary | (keep ? std::ios::app : std::ios::trunc));
  if (!file_) throw SystemError(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
}

MetricsLog MetricsLog::create(const std::string& path) { return MetricsLog(path, false); }

MetricsLog MetricsLog::resume(const std::string& path, std::int64_t last_step) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return create(path);
  std::uintmax_t keep = 0;
  for_each_line(path, [&](MetricsLine line, std::uintmax_t end) {
    if (line.step > last_step) return false;
    keep = end;
    return true;
  });
  std::filesystem::resize_file(path, keep, error);
  if (error) throw SystemError(fmt::format("{}: cannot be shortened: {}", path, error.message()));
  return MetricsLog(path, true);
}

void MetricsLog::append(std::int64_t step, const Metrics& metrics) {
  Json line = Json::object();
  line["step"] = step;
  for (const auto& [name, value] : metrics) line[name] = json_of(value);
  file_ << line.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n' << std::flush;
  if (!file_) throw SystemError(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
}

std::vector<MetricsLine> read_metrics(const std::string& path) {
  std::vector<MetricsLine> lines;
  for_each_line(path, [&](MetricsLine line, std::uintmax_t) {
    lines.push_back(std::move(line));
    return true;
  });
  return lines;
}

}  // namespace chiasm
