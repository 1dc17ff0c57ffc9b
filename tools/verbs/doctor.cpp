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

// Products below this share of what the processor multiplies and adds are worth a sentence: kernels for half its
// vectors reach half, and the right ones 80 % and more.
constexpr double kFarBelow = 0.5;

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

nlohmann::ordered_json product(const ProductRate& rate, const char* library, const std::string& kernels) {
  return {{"library", library}, {"kernels", kernels}, {"gflops", rate.gflops}, {"share_of_peak", rate.share()}};
}

nlohmann::ordered_json products() {
  const CpuStream stream;
  const OpenblasChoice openblas = openblas_choice();
  nlohmann::ordered_json json;
  json["float32"] = product(measure_product_rate<float>(stream), "oneDNN", onednn_instruction_set());
  json["float64"] = product(measure_product_rate<double>(stream), "OpenBLAS", openblas.core);
  json["float64"]["chosen_by"] = who_chose(openblas.by);
  json["float64"]["refused"] = openblas.refused;
  return json;
}

// How fast products are, and why where they are slow.
void print_products(const nlohmann::ordered_json& products) {
  for (const auto& [type, p] : products.items()) {
    const double share = p.at("share_of_peak").get<double>();
    fmt::print("{}      {} ({}): products at {:.0f} GFLOP/s, {:.0f} % of what the processor can do\n", type,
               p.at("library").get<std::string>(), p.at("kernels").get<std::string>(), p.at("gflops").get<double>(),
               100.0 * share);
    if (share >= kFarBelow) continue;
    const std::string by = p.value("chosen_by", ""), refused = p.value("refused", "");
    const char* const why = !refused.empty()            ? "; faster kernels compute wrong results here"
                            : by == "OPENBLAS_CORETYPE" ? "; OPENBLAS_CORETYPE is set, without it chiasm would choose"
                                                        : "; or other programs keep it busy";
    fmt::print("             far below: these kernels use less than the instructions it has{}\n", why);
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
