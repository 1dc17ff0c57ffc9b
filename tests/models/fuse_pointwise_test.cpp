// SPDX-License-Identifier: Apache-2.0
// The pass fuse_pointwise on recurrent networks: the same bits in fewer nodes.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "engine/passes/pass.h"
#include "kernels/elementwise/fused_pointwise.h"
#include "models/cells/rgc.h"
#include "tests/support/training.h"

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

// The same with the other cells: slices of joint convolutions, layer norms, and peepholes that repeat over the batch.
const char* const kGatedNetwork = R"({
  "image": [8, 8, 2], "steps": 6,
  "layers": [
    {"name": "conv1", "pre": [{"op": "conv", "channels": 3, "kernel": 3, "bias_init": 0.1}, "elu"],
     "cell": {"type": "simple_rnn"}, "post": [{"op": "max_pool", "size": 2}]},
    {"name": "conv2", "pre": [{"op": "conv", "channels": 4, "kernel": 3}], "cell": {"type": "gru"}},
    {"name": "conv3", "pre": [{"op": "conv", "channels": 3, "kernel": 2}],
     "cell": {"type": "lstm", "peepholes": true, "layer_norm": true}},
    {"name": "conv4", "pre": [{"op": "conv", "channels": 3, "kernel": 2}], "cell": {"type": "intersection_rnn"}},
    {"name": "readout", "pre": [{"op": "global_average_pool"}, {"op": "linear", "units": 3}]}
  ],
  "connections": [{"source": "conv4", "target": "conv2"}, {"source": "conv3", "target": "conv1"}]})";

Trained trained(const char* network, DType dtype, const std::string& passes, int threads = 1) {
  Parameters parameters;
  const Graph step = training_step_of(network, parameters, 4, dtype, passes);
  return train(step, parameters, {.threads = threads, .deterministic = true, .passes = passes});
}

TEST(FusePointwiseNetworks, TrainToTheSameBits) {
  for (const char* network : {kNetwork, kGatedNetwork}) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
      const Trained plain = trained(network, dtype, "prune,share");
      EXPECT_TRUE(not_vacuous(plain.logits.back().view()));
      for (int threads : {1, 2}) {
        expect_same_bits(trained(network, dtype, "prune,share,fuse_pointwise,plan_memory", threads), plain);
      }
    }
  }
}

TEST(FusePointwiseNetworks, LeaveFewNodesAndNeedNoMoreMemory) {
  for (const char* network : {kNetwork, kGatedNetwork}) {
    Parameters parameters;
    const Graph step = training_step_of(network, parameters, 4, DType::kFloat32, "prune,share");
    const auto compiled = [&](const std::string& passes) {
      return compile(step, {.threads = 1, .passes = passes}, CpuStream(1));
    };
    const auto nodes = [](const CompiledGraph& c) {
      return std::count_if(c.graph.nodes().begin(), c.graph.nodes().end(),
                           [](const Node& n) { return n.op->pointwise().has_value(); });
    };
    const CompiledGraph plain = compiled("prune,share,plan_memory"),
                        fused = compiled("prune,share,fuse_pointwise,plan_memory");
    // Sums of weight gradients over time stay nodes of their own, and with joint gates the sum of the gates' gradients.
    EXPECT_LT(nodes(fused), nodes(plain) / (network == kNetwork ? 5 : 3));
    EXPECT_LT(fused.plan.arena_bytes, plain.plan.arena_bytes);
  }
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
