// SPDX-License-Identifier: Apache-2.0
#include "bench/kernels/cuda_report.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "kernels/cuda/device.h"
#include "kernels/linear/linear.h"

namespace chiasm::bench {
namespace {

using Json = nlohmann::ordered_json;

void print(const Json& line) { std::cout << line.dump() << std::endl; }

CudaDevice device_of(int index) {
  const CudaDevices all = cuda_devices();
  for (const CudaDevice& device : all.devices) {
    if (device.index == index) return device;
  }
  throw InputError("no CUDA device " + std::to_string(index) + (all.why_none.empty() ? "" : ": " + all.why_none));
}

Json row_of(const std::string& bench, const std::string& row, const OpResult& r, const RowDetails& details) {
  Json line{{"bench", bench},
            {"row", row},
            {"us", 1e6 * r.seconds.median},
            {"us_fastest", 1e6 * r.seconds.fastest},
            {"us_slowest", 1e6 * r.seconds.slowest},
            {"bytes", r.bytes},
            {"sets", r.sets},
            {"cold", r.cold}};
  if (!details.inputs.empty()) {
    line["count"] = details.count;
    line["calls"] = details.calls;
    line["inputs"] = details.inputs;
  }
  return line;
}

}  // namespace

std::string_view to_string(CudaMath math) {
  return math == CudaMath::kFloat32 ? "float32" : math == CudaMath::kTf32 ? "tf32" : "bfloat16";
}

CudaReport::CudaReport(std::string name, CudaBenchOptions options, std::string_view question, std::string_view baseline)
    : name_(std::move(name)), options_(std::move(options)) {
  const CudaDevice device = device_of(options_.device);
  print({{"bench", name_},
         {"question", question},
         {"baseline", baseline},
         {"device", device.name},
         {"smoke", options_.smoke},
         {"copy_gbytes_per_s", copy_bytes_per_second() / 1e9}});
}

CudaStream& CudaReport::stream(CudaMath math) {
  std::optional<CudaStream>& stream = streams_[static_cast<int>(math)];
  if (!stream) stream.emplace(CudaStreamOptions{.device = options_.device, .math = math});
  return *stream;
}

bool CudaReport::has_bfloat16() const { return device_of(options_.device).compute_major >= 8; }

double CudaReport::copy_bytes_per_second() {
  if (copy_ > 0.0) return copy_;
  const CudaStream& s = stream();
  const std::int64_t bytes = options_.smoke ? 1 << 12 : std::int64_t{1} << 30;
  const DeviceMemory from(s, bytes), to(s, bytes);
  fill_on_device(s, from.data(), std::byte{1}, bytes);
  const int calls = options_.smoke ? 1 : 8;
  const Seconds seconds = measure_graph(s, options_, calls, [&] {
    for (int i = 0; i < calls; ++i) copy_on_device(s, to.data(), from.data(), bytes);
  });
  return copy_ = 2.0 * static_cast<double>(bytes) / seconds.median;
}

double CudaReport::product_flops_per_second(CudaMath math) {
  double& rate = product_[static_cast<int>(math)];
  if (rate > 0.0) return rate;
  const std::int64_t n = options_.smoke ? 16 : 8192;
  const Tensor x = operand({DType::kFloat32, {n, n}});
  const OpResult result = measure_op(stream(math), options_, *make_op(Linear{}), {{x, x, x}});
  rate = result.flops / result.seconds.median;
  print({{"bench", name_}, {"ceiling", "product"}, {"math", to_string(math)}, {"tflops_per_s", rate / 1e12}});
  return rate;
}

void CudaReport::memory_row(const std::string& row, const OpResult& r, const RowDetails& details) {
  const double rate = static_cast<double>(r.bytes) / r.seconds.median;
  Json line = row_of(name_, row, r, details);
  line["gbytes_per_s"] = rate / 1e9;
  line["share_of_copy"] = rate / copy_bytes_per_second();
  print(line);
}

void CudaReport::product_row(const std::string& row, const OpResult& r, CudaMath math, const RowDetails& details) {
  const double rate = r.flops / r.seconds.median;
  Json line = row_of(name_, row, r, details);
  line["math"] = to_string(math);
  line["tflops_per_s"] = rate / 1e12;
  line["share_of_product"] = rate / product_flops_per_second(math);
  line["share_of_copy"] = static_cast<double>(r.bytes) / r.seconds.median / copy_bytes_per_second();
  print(line);
}

int run_cuda_bench(const char* name, int argc, char** argv, const std::function<void(const CudaBenchOptions&)>& run) {
  try {
    run(parse_cuda_bench(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 1;
  }
}

}  // namespace chiasm::bench
