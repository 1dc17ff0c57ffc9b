// SPDX-License-Identifier: Apache-2.0
// The pass fuse_pointwise on recurrent networks: the same bits in fewer nodes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "engine/config/config.h"
#include "engine/ops.h"
#include "engine/optimizer.h"
#include "engine/passes/pass.h"
#include "engine/program.h"
#include "kernels/elementwise/fused_pointwise.h"
#include "kernels/loss/cross_entropy.h"
#include "kernels/reduction/mean.h"
#include "models/cells/rgc.h"
#include "models/network.h"
#include "tests/support/compare.h"

namespace chiasm::test {
namespace {

// Recurrent cells of both kinds, dense and separable convolutions, and long-range feedback.
const char* const kNetwork = R"({
  "image": [8, 8, 2], "steps": 6,
  "layers": [
    {"name": "conv1", "pre": [{"op": "conv", "channels": 3, "kernel": 3, "bias_init": 0.1}, "elu"],
     "post": [{"op": "max_pool", "size": 2}]},
    {"name": "conv2", "pre": [{"op": "conv", "channels": 4, "kernel": 3, "bias_init": -0.1}],
     "cell": {"type": "rgc", "cell_channels": 4, "tau": {"kernel": 3, "separable": true},
              "gate": {"kernel": 2, "separable": false}, "bias_init": 0.05}},
    {"name": "conv3", "pre": [{"op": "conv", "channels": 3, "kernel": 2, "bias_init": 0.2}, "elu"],
     "cell": {"type": "rgc_shallow"}, "post": [{"op": "max_pool", "size": 2}]},
    {"name": "readout", "pre": [{"op": "global_average_pool"}, {"op": "linear", "units": 3}]}
  ],
  "connections": [{"source": "conv3", "target": "conv2"}]})";

struct Training {
  Parameters parameters;
  std::optional<Program> program;

  Training(DType dtype, const std::string& passes, int threads = 1) {
    const Network network = read_network(Config::parse(kNetwork, "test").root());
    Graph graph;
    const Scope scope(graph, parameters, {.dtype = dtype});
    const Value image = graph.input("image", Spec{dtype, {4, 8, 8, 2}});
    const Value label = graph.input("label", Spec{DType::kInt32, {4}});
    const Unrolled unrolled = unroll(network.graph, network.presentation, scope, image);
    const Value loss = graph.apply(Mean{}, {graph.apply(CrossEntropy{}, {unrolled.logits.back(), label})});
    graph.output("loss", loss);
    graph.output("units", unrolled.units[1].back());
    append_updates(loss, parameters, {.rule = Sgd{.momentum = 0.9}});
    parameters.initialise(1);
    program.emplace(graph, ProgramOptions{.threads = threads, .deterministic = true, .passes = passes});
    program->bind_all(parameters.tensors());
    visit_floating(dtype, [&]<class T>() { *program->input("learning_rate").as<T>() = T(0.1); });
  }

  void step(int seed) {
    const MutableView image = program->input("image");
    visit_floating(image.dtype(), [&]<class T>() {
      for (std::int64_t i = 0; i < image.elements(); ++i) {
        image.as<T>()[i] = static_cast<T>(std::sin(0.7 * static_cast<double>(i * (seed + 1))));
      }
    });
    for (int i = 0; i < 4; ++i) program->input("label").as<std::int32_t>()[i] = (i + seed) % 3;
    program->run();
  }

  std::ptrdiff_t pointwise_nodes() const {
    const std::vector<Node>& nodes = program->graph().nodes();
    return std::count_if(nodes.begin(), nodes.end(), [](const Node& n) { return n.op->pointwise().has_value(); });
  }
};

TEST(FusePointwiseNetworks, TrainToTheSameBits) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (int threads : {1, 2}) {
      Training plain(dtype, "prune,share"), fused(dtype, "prune,share,fuse_pointwise,plan_memory", threads);
      for (int i = 0; i < 3; ++i) {
        plain.step(i);
        fused.step(i);
        for (const char* name : {"loss", "units"}) {
          EXPECT_TRUE(bit_equal(fused.program->output(name), plain.program->output(name))) << name << ", step " << i;
        }
      }
      EXPECT_TRUE(not_vacuous(plain.program->output("units")));
      for (const auto& [name, tensor] : plain.parameters.tensors()) {
        EXPECT_TRUE(bit_equal(fused.parameters.tensors().at(name).view(), tensor.view())) << name;
      }
    }
  }
}

TEST(FusePointwiseNetworks, LeaveFewNodesAndNeedNoMoreMemory) {
  const Training plain(DType::kFloat32, "prune,share,plan_memory"),
      fused(DType::kFloat32, "prune,share,fuse_pointwise,plan_memory");
  EXPECT_LT(fused.pointwise_nodes(), plain.pointwise_nodes() / 5);
  EXPECT_LT(fused.program->arena_bytes(), plain.program->arena_bytes());
}

// One step of an RGC cell: the nodes are the activation of the input, the memory, the output, and what comes between
// convolutions.
TEST(FusePointwiseNetworks, ACellIsAFewNodes) {
  Graph graph;
  Parameters parameters;
  const Scope scope(graph, parameters);
  const Spec image{DType::kFloat32, {2, 4, 4, 8}};
  CellInput in;
  in.x = graph.input("x", image);
  in.feedforward = graph.input("r", image);
  const std::vector<Value> state{graph.input("c", image), graph.input("h", image)};
  const CellStep step = RgcCell({.cell_channels = 8}).step(scope, in, state);
  graph.output("next_c", step.state[0]);
  graph.output("next_h", step.state[1]);
  const auto pointwise = [](const Graph& g) {
    return std::count_if(g.nodes().begin(), g.nodes().end(),
                         [](const Node& n) { return n.op->pointwise().has_value(); });
  };
  const auto fused = [](const Graph& g) {
    return std::count_if(g.nodes().begin(), g.nodes().end(),
                         [](const Node& n) { return n.op->name() == FusedPointwise::kName; });
  };
  EXPECT_EQ(pointwise(graph), 24);
  const Graph compiled = fuse_pointwise(prune(graph));
  EXPECT_EQ(pointwise(compiled), 1);  // elu of the input, which a convolution reads
  EXPECT_EQ(fused(compiled), 2);      // the memory and the output
}

}  // namespace
}  // namespace chiasm::test
