// SPDX-License-Identifier: Apache-2.0
// Question: does the gate arithmetic of a reciprocal gated cell, fused into one kernel for each pass, reach 85 % of the
// device's copy bandwidth? At the sizes of RGC Median (batch 64), with a, g and m results of convolutions and c the
// cell's memory:
//   next = elu((d sigmoid(a + b) + e) c + (f tanh(g + h) + i) (m + n))
// `forward` computes next; `training` also the gradients of a, g, m and c. Baselines in the same run: a copy of 1 GiB
// within device memory, and the same arithmetic as one node per function ("separate": the rows of all its nodes).
//   cuda_pointwise_bench [--filter TEXT] [--quick] [--smoke] [--device N]
#include "bench/kernels/cuda_report.h"
#include "engine/compile.h"
#include "engine/ops.h"

namespace chiasm::bench {
namespace {

Graph cell(const Spec& image, bool training) {
  Graph graph;
  const auto map = [&](const char* name) { return graph.input(name, image); };
  const auto bias = [&](const char* name) { return graph.input(name, {image.dtype, {image.shape[3]}}); };
  const Value a = map("a"), g = map("g"), m = map("m"), c = map("c");
  const Value tau = affine(sigmoid(a + bias("b")), -0.92, 0.92);
  const Value gate = affine(tanh(g + bias("h")), -0.7, 0.7);
  const Value next = elu(tau * c + gate * (m + bias("n")));
  graph.output("next", next);
  if (training) {
    const std::vector<Value> d = gradients(next, std::vector<Value>{a, g, m, c});
    for (std::size_t k = 0; k < d.size(); ++k) graph.output("d" + std::to_string(k), d[k]);
  }
  return graph;
}

// A row for every node, and one for their sum.
void add_rows(CudaReport& report, const std::string& name, const Graph& graph, const std::string& passes) {
  const ProgramOptions options{.device = {Device::Kind::kCuda, report.options().device}, .passes = passes};
  const CompiledGraph compiled = compile(graph, options);
  OpResult all;
  all.cold = true;
  int index = 0;
  for (const Node& node : compiled.graph.nodes()) {
    std::vector<Spec> specs;
    std::vector<Tensor> operands;
    for (ValueId id : node.inputs) {
      specs.push_back(compiled.graph.spec(id));
      operands.push_back(operand(specs.back()));
    }
    if (node.op->view_offset(specs)) continue;
    const OpResult result = measure_op(report.stream(), report.options(), *node.op, {operands});
    report.memory_row(name + "/" + std::to_string(index++) + "_" + node.op->name(), result);
    all.seconds.median += result.seconds.median;
    all.seconds.fastest += result.seconds.fastest;
    all.seconds.slowest += result.seconds.slowest;
    all.bytes += result.bytes;
    all.sets = result.sets;
    all.cold = all.cold && result.cold;
  }
  report.memory_row(name + "/sum", all);
}

void run(const CudaBenchOptions& options) {
  CudaReport report("cuda_pointwise", options, "does a fused gate program reach 85 % of the copy bandwidth?",
                    "a copy of 1 GiB within device memory; one node per function");
  for (const auto& [layer, sizes] : {std::pair{"rgc_conv4", std::vector<std::int64_t>{64, 16, 16, 128}},
                                     std::pair{"rgc_conv9", std::vector<std::int64_t>{64, 4, 4, 512}},
                                     std::pair{"large", std::vector<std::int64_t>{64, 56, 56, 128}}}) {
    for (const bool training : {false, true}) {
      for (const bool fused : {true, false}) {
        const std::string name =
            std::string(layer) + (training ? "/training" : "/forward") + (fused ? "/fused" : "/separate");
        if (!report.wants(name)) continue;
        const Graph graph = cell({DType::kFloat32, options.shape(sizes)}, training);
        add_rows(report, name, graph, fused ? "prune,share,fuse_pointwise" : "prune,share");
      }
    }
  }
}

}  // namespace
}  // namespace chiasm::bench

int main(int argc, char** argv) {
  return chiasm::bench::run_cuda_bench("cuda_pointwise_bench", argc, argv, chiasm::bench::run);
}
