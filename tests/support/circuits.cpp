// SPDX-License-Identifier: Apache-2.0
#include "tests/support/circuits.h"

namespace chiasm::test {

const std::vector<Circuit>& circuits() {
  static const std::vector<Circuit> all{
      {"TimeDecay", R"({"type": "time_decay", "initial": 0.4})"},
      {"SimpleRnn", R"({"type": "simple_rnn"})"},
      {"SimpleRnnLayerNorm", R"({"type": "simple_rnn", "kernel": 2, "layer_norm": true})"},
      {"Gru", R"({"type": "gru"})"},
      {"Lstm", R"({"type": "lstm"})"},
      {"LstmLayerNorm", R"({"type": "lstm", "kernel": 2, "layer_norm": true, "forget_bias": 1.4})"},
      {"LstmPeepholes", R"({"type": "lstm", "kernel": 2, "peepholes": true})"},
      {"LstmPeepholesLayerNorm", R"({"type": "lstm", "kernel": 4, "peepholes": true, "layer_norm": true})"},
      {"Ugrnn", R"({"type": "ugrnn"})"},
      {"IntersectionRnn", R"({"type": "intersection_rnn"})"},
      {"RgcShallow", R"({"type": "rgc_shallow", "cell_channels": 2})"},
      {"RgcMedian", R"({"type": "rgc", "cell_channels": 2})"},
      {"RgcDense", R"({"type": "rgc", "cell_channels": 2, "tau": {"kernel": 3}, "gate": {"kernel": 2}, "beta_tau": 0.4,
                       "beta_gate": -0.3, "input_to_cell_conv": {"kernel": 3, "separable": true},
                       "input_to_output_conv": {"kernel": 2, "separable": true},
                       "feedback": {"entry": "input", "kernel": 3, "separable": true, "activation": "elu"}})"},
      {"RgcAllInputs", R"({"type": "rgc", "cell_channels": 3, "tau": {"kernel": 2}, "gate": {"kernel": 2},
                       "input_to_output": false, "residual_to_cell": true, "input_to_tau": true, "input_to_gate": true,
                       "residual_to_cell_tau": true, "residual_to_cell_gate": true, "residual_to_output_tau": true,
                       "residual_to_output_gate": true, "layer_norm": true,
                       "feedback": {"entry": "cell", "kernel": 2}})"},
      {"RgcCellToOutput", R"({"type": "rgc", "cell_channels": 2, "tau": {"kernel": 3, "separable": true},
                       "gate": {"kernel": 3}, "cell_to_output": true, "output_residual": false, "bias": false,
                       "phi_tau": "tanh", "phi_gate": "sigmoid", "phi_cell": "tanh", "tau_slope": 0.5})"},
      {"RgcWithoutMemory", R"({"type": "rgc", "tau": {"kernel": 3}, "gate": {"kernel": 0}})"},
  };
  return all;
}

std::string circuit_network(const Circuit& circuit, const std::string& extra) {
  const std::string cell = R"("cell": )" + circuit.cell;
  return R"({"image": [6, 5, 2], "steps": 6, "image_off": 2, )" + extra + R"(
    "layers": [
      {"name": "conv1", "pre": [{"op": "conv", "channels": 2, "kernel": 3, "bias_init": 0.1}, "elu"],
       "post": [{"op": "max_pool", "size": 2}]},
      {"name": "conv2", "pre": [{"op": "conv", "channels": 3, "kernel": 3, "bias_init": -0.1}], )" +
         cell + R"(},
      {"name": "conv3", "pre": [{"op": "conv", "channels": 2, "kernel": 2, "bias_init": 0.2}, "elu"], )" +
         cell + R"(, "post": [{"op": "average_pool", "size": 2}]},
      {"name": "readout", "pre": [{"op": "global_average_pool"}, {"op": "linear", "units": 3}]}
    ],
    "connections": [{"source": "conv3", "target": "conv2"}, {"source": "conv3", "target": "conv1", "delay": 2}]})";
}

}  // namespace chiasm::test
