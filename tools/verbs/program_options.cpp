// SPDX-License-Identifier: Apache-2.0
#include "tools/verbs/program_options.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "kernels/error.h"

namespace chiasm {
namespace {

// Replaces "1.5G" by the number of bytes it stands for. Returns what is wrong with it, or nothing.
std::string read_bytes(std::string& text) {
  constexpr std::string_view kUnits = "KMG";
  double number = -1.0;
  const char* const end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (rest != end) {
    const std::size_t unit = kUnits.find(static_cast<char>(std::toupper(static_cast<unsigned char>(*rest))));
    if (unit != std::string_view::npos) {
      number *= std::exp2(10.0 * static_cast<double>(unit + 1));
      ++rest;
    }
  }
  // Up to 2^62 bytes: the number fits 63 bits.
  if (error != std::errc() || rest != end || !(number >= 0.0 && number <= 0x1p62)) {
    return "\"" + text + "\" is no amount of memory; allowed: bytes, or a number with K, M or G, such as 800M";
  }
  text = std::to_string(static_cast<std::int64_t>(number));
  return "";
}

}  // namespace

void DeviceOptions::add_to(Verb verb) {
  verb.option("--device", device, "Where to run: cpu, or cuda:N for a CUDA device").show_default();
  verb.option("--threads", program.threads, "Threads to use; 0: one per core")
      .range(0, 4096)
      .last_counts()
      .show_default();
  verb.flag("--deterministic", program.deterministic,
            "The same bits for any number of threads, and on every run of a device (slower)");
  verb.option("--passes", program.passes, "Graph passes: all, none, or names joined by commas").show_default();
  verb.option("--memory", program.memory_bytes,
              "Memory for activations and gradients, such as 800M or 1.5G (powers of 1024); parts of the forward "
              "pass are computed twice to fit. 0: as much as it takes")
      .rewrite(read_bytes)
      .last_counts()
      .type_name("BYTES")
      .show_default();
}

void DeviceOptions::check() {
  try {
    program.device = Device::parse(device);
    if (program.device.is_cuda()) CudaStream({.device = program.device.index});
  } catch (const InputError& error) {
    throw InputError("--device " + device + ": " + error.what());
  }
}

}  // namespace chiasm
