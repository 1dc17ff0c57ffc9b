// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "kernels/cuda/device.h"
#include "kernels/startup.h"
#include "kernels/stream.h"
#include "kernels/vendor/onednn_product.h"
#include "tools/machine/product_rates.h"
#include "tools/run_folder/environment.h"
#include "tools/terminal/command_line.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

std::string who_chose(OpenblasChoice::By by) {
  switch (by) {
    case OpenblasChoice::By::kOpenblas:
      return "OpenBLAS";
    case OpenblasChoice::By::kUser:
      return "OPENBLAS_CORETYPE";
    case OpenblasChoice::By::kChiasm:
      return "chiasm";
  }
  return "";
}

nlohmann::ordered_json product(const ProductRate& rate, const char* library, const std::string& kernels,
                               const std::string& note) {
  return {{"library", library},
          {"kernels", kernels},
          {"gflops", rate.gflops},
          {"share_of_peak", rate.share()},
          {"note", note}};
}

nlohmann::ordered_json products() {
  const CpuStream stream;
  const OpenblasChoice openblas = openblas_choice();
  const IsaLevel processor = machine_isa_level();
  const ProductRate rate32 = measure_product_rate<float>(stream), rate64 = measure_product_rate<double>(stream);
  nlohmann::ordered_json json;
  json["float32"] = product(rate32, "oneDNN", onednn_instruction_set(),
                            slow_product_note(rate32.share(), onednn_isa_level(), processor));
  json["float64"] =
      product(rate64, "OpenBLAS", openblas.core,
              slow_product_note(rate64.share(), level_of_openblas_core(openblas.core), processor, &openblas));
  json["float64"]["chosen_by"] = who_chose(openblas.by);
  json["float64"]["refused"] = openblas.refused;
  return json;
}

// How fast products are, and why where they are slow.
void print_products(const nlohmann::ordered_json& products) {
  for (const auto& [type, p] : products.items()) {
    fmt::print("{}      {} ({}): products at {:.0f} GFLOP/s, {:.0f} % of what the processor can do\n", type,
               p.at("library").get<std::string>(), p.at("kernels").get<std::string>(), p.at("gflops").get<double>(),
               100.0 * p.at("share_of_peak").get<double>());
    const std::string note = p.at("note").get<std::string>();
    if (!note.empty()) fmt::print("             {}\n", note);
  }
}

nlohmann::ordered_json facts() {
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(machine_json(-1));
  json["threads"] = CpuStream().threads();
  json["products"] = products();
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
  print_products(json.at("products"));
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
