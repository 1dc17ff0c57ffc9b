// SPDX-License-Identifier: Apache-2.0
// Clocks, memory counters and graph statistics shared by the training-step benches.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "engine/graph.h"

namespace chiasm::bench {

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class Body>
double seconds_of(Body&& body) {
  const double start = now();
  body();
  return now() - start;
}

inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// The largest resident size this process has had, in bytes.
inline std::int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{1024} * usage.ru_maxrss;
}

struct Work {
  double flops = 0.0;         // of every op
  double matrix_flops = 0.0;  // of convolutions and matrix products
};

inline Work work_of(const Graph& graph) {
  Work work;
  for (const Node& node : graph.nodes()) {
    std::vector<Spec> in, out;
    for (ValueId id : node.inputs) in.push_back(graph.spec(id));
    for (ValueId id : node.outputs) out.push_back(graph.spec(id));
    const auto flops = static_cast<double>(node.op->flops(in, out));
    const std::string name = node.op->name();
    work.flops += flops;
    if (name.starts_with("conv") || name.starts_with("linear")) work.matrix_flops += flops;
  }
  return work;
}

}  // namespace chiasm::bench
