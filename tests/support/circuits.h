// SPDX-License-Identifier: Apache-2.0
// Every recurrent circuit with its switches, and a small network to put it in.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace chiasm::test {

struct Circuit {
  std::string name;
  std::string cell;  // of a recipe
};

inline void PrintTo(const Circuit& circuit, std::ostream* out) { *out << circuit.name; }

const std::vector<Circuit>& circuits();

// The "model" section of three layers and a readout: the upper two layers are the circuit, feedback goes back over one
// layer and, with a delay of two steps, over two; the image goes off midway and the blank reaches the last logits.
// `extra` is further keys, each followed by a comma.
std::string circuit_network(const Circuit& circuit, const std::string& extra = "");

}  // namespace chiasm::test
