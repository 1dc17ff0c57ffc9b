// SPDX-License-Identifier: Apache-2.0
// A CUDA bench as a program: its question, the device's ceilings measured at its start, and one JSON line per result.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/kernels/cuda_measure.h"

namespace chiasm::bench {

std::string_view to_string(CudaMath math);

// What a row may say beside its times.
struct RowDetails {
  int count = 1;  // how often a step has it
  int calls = 1;  // calls of the op that are enqueued together
  std::vector<std::string> inputs;
};

class CudaReport {
 public:
  // Prints the bench's first line.
  CudaReport(std::string name, CudaBenchOptions options, std::string_view question, std::string_view baseline);

  const CudaBenchOptions& options() const { return options_; }
  CudaStream& stream(CudaMath math = CudaMath::kFloat32);
  bool has_bfloat16() const;
  bool wants(const std::string& row) const { return row.find(options_.filter) != std::string::npos; }

  // A result beside the copy that moves as many bytes.
  void memory_row(const std::string& row, const OpResult& result, const RowDetails& details = {});
  // A result beside a large product in the same arithmetic; small ones are bound by memory, so that share is there too.
  void product_row(const std::string& row, const OpResult& result, CudaMath math, const RowDetails& details = {});

  // Bytes read and written per second by a large copy within device memory; measured once.
  double copy_bytes_per_second();
  // Floating-point operations per second of a product of two large square matrices by Linear; measured once.
  double product_flops_per_second(CudaMath math);

 private:
  std::string name_;
  CudaBenchOptions options_;
  std::optional<CudaStream> streams_[3];
  double copy_ = 0.0;
  double product_[3] = {};
};

// main() of a bench.
int run_cuda_bench(const char* name, int argc, char** argv, const std::function<void(const CudaBenchOptions&)>& run);

}  // namespace chiasm::bench
