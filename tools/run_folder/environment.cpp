// SPDX-License-Identifier: Apache-2.0
#include "tools/run_folder/environment.h"

#include <cblas.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <oneapi/dnnl/dnnl.h>
#include <sys/utsname.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "engine/io/atomic_file.h"
#include "engine/io/crc32.h"
#include "kernels/error.h"
#include "kernels/simd.h"

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLargestFile = std::size_t{16} << 20;

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t start = line.find_first_not_of(" \t", line.find(':') + 1);
    return start == line.npos ? "unknown" : line.substr(start);
  }
  return "unknown";
}

std::string operating_system() {
  utsname names{};
  if (uname(&names) != 0) return "unknown";
  return fmt::format("{} {} {}", names.sysname, names.release, names.machine);
}

std::string one_dnn_version() {
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

Json machine() {
  return {{"chiasm", chiasm_version()},
          {"build", CHIASM_BUILD_TYPE},
          {"compiler", __VERSION__},
          {"system", operating_system()},
          {"processor", processor_name()},
          {"logical_cores", std::thread::hardware_concurrency()},
          {"instruction_set", name_of(isa_level())},
          {"libraries", {{"onednn", one_dnn_version()}, {"openblas", openblas_get_config()}}}};
}

Json read_starts(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Json::array();
  std::string text(kLargestFile, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("starts") || !json["starts"].is_array()) {
    throw FileError(path, "starts", "not an environment file of a run folder, allowed: {\"starts\": [...]}");
  }
  return json["starts"];
}

}  // namespace

std::string chiasm_version() { return CHIASM_VERSION; }

std::string machine_json(int indent) { return machine().dump(indent, ' ', false, Json::error_handler_t::replace); }

void record_start(const std::string& folder, const RunSettings& settings) {
  const std::string path = folder + "/environment.json";
  Json starts = read_starts(path);
  Json start = {{"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
                {"first_step", settings.first_step},
                {"seed", settings.seed},
                {"threads", settings.threads},
                {"device", settings.device},
                {"dtype", settings.dtype},
                {"deterministic", settings.deterministic},
                {"machine", machine()}};
  if (!settings.init.empty()) {
    start["init"] = {{"file", settings.init}, {"crc32", fmt::format("{:08x}", crc32_of_file(settings.init))}};
  }
  starts.push_back(std::move(start));
  write_file(path, Json{{"starts", std::move(starts)}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace chiasm
