// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "kernels/cuda/device.h"
#include "kernels/simd.h"
#include "kernels/stream.h"
#include "tools/run_folder/environment.h"
#include "tools/terminal/command_line.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

nlohmann::ordered_json facts() {
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(machine_json(-1));
  json["threads"] = CpuStream().threads();
  const CudaDevices cuda = cuda_devices();
  nlohmann::ordered_json devices = nlohmann::ordered_json::array();
  for (const CudaDevice& d : cuda.devices) {
    devices.push_back({{"index", d.index},
                       {"name", d.name},
                       {"compute_capability", fmt::format("{}.{}", d.compute_major, d.compute_minor)},
                       {"memory_bytes", d.memory_bytes}});
  }
  json["cuda"] = {{"compiled_in", cuda.compiled_in},
                  {"driver", cuda.driver_version},
                  {"runtime", cuda.runtime_version},
                  {"devices", devices},
                  {"why_none", cuda.why_none}};
  return json;
}

int doctor(bool as_json) {
  const nlohmann::ordered_json json = facts();
  if (as_json) {
    std::cout << json.dump(2) << '\n';
    return 0;
  }
  const auto text = [&](const char* key) { return json.at(key).get<std::string>(); };
  fmt::print("chiasm {} ({}, compiler {})\n", text("chiasm"), text("build"), text("compiler"));
  fmt::print("system       {}\n", text("system"));
  fmt::print("processor    {}\n", text("processor"));
  fmt::print("threads      {}, instruction set {}\n", json.at("threads").get<int>(), text("instruction_set"));
  for (const auto& [name, version] : json.at("libraries").items())
    fmt::print("{:<12} {}\n", name, version.get<std::string>());
  const auto& cuda = json.at("cuda");
  for (const auto& d : cuda.at("devices")) {
    fmt::print("cuda:{}       {}, compute capability {}\n", d.at("index").get<int>(), d.at("name").get<std::string>(),
               d.at("compute_capability").get<std::string>());
  }
  if (cuda.at("devices").empty()) fmt::print("cuda         none: {}\n", cuda.at("why_none").get<std::string>());
  return 0;
}

}  // namespace

void add_doctor(CommandLine& command) {
  auto json = std::make_shared<bool>(false);
  Verb verb = command.verb("doctor", "Say what this build and this machine can do");
  verb.flag("--json", *json, "Print JSON");
  verb.footer("Example:\n  chiasm doctor");
  verb.action([json] { return doctor(*json); });
}

}  // namespace chiasm
