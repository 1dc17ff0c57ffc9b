// SPDX-License-Identifier: Apache-2.0
// How well backward weights are aligned with forward weights, layer by layer (spec/learning_rules.md 7.6), and how fast
// a rule makes them grow.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/graph.h"
#include "engine/parameters.h"
#include "engine/program.h"
#include "learning_rules/learning.h"

namespace chiasm {

// Angles in degrees, over everything that is compared at once: all elements of a weight; the batch, all positions and
// all applications of a layer. A squared norm below 1e-12 counts as 1e-12, a cosine is kept in [-1, 1].
struct LayerAlignment {
  std::string path;               // of the forward weight
  double weight_angle = 0.0;      // of W and B
  double projection_angle = 0.0;  // of W x and B^T x
  double gradient_angle = 0.0;    // of B delta and W^T delta, delta the error that arrived
  double norm_ratio = 0.0;        // |B| / |W|
  double symmetric_energy = 0.0;  // |(W + B) / 2|^2
  double skew_energy = 0.0;       // |(W - B) / 2|^2

  // What each primitive of the rule adds to d/dt log |B| = -<B, dR/dB> / |B|^2 under the gradient flow of the alignment
  // loss, through all operations of the rule: positive where it makes B grow, and nothing for amp under bo_fwl2n
  // without bo_bias, which does not depend on the length of B (section 6, remark a). For a scalar layer with w = b the
  // sum is the eigenvalue of the symmetric part of section 10.1 with its sign turned: x^2 - c_decay under weight
  // mirror.
  std::vector<std::pair<std::string, double>> growth = {};
  double growth_rate() const;
};

// What a log of training keeps of it, by name: "weight_angle" and so on.
std::vector<std::pair<std::string, double>> alignment_numbers(const LayerAlignment& layer);

// Everything that LayerAlignment is made of, as outputs of a graph that has the inputs of `loss`; for layers whose
// errors travel through something else than the forward weight, and through some weight.
class AlignmentProbe {
 public:
  AlignmentProbe(const Graph& loss, Parameters& parameters, const Learning& learning, std::uint64_t seed);

  bool empty() const { return paths_.empty(); }
  const Graph& graph() const { return graph_; }
  // Of a program made of graph(), after run_compute().
  std::vector<LayerAlignment> read(const Program& program) const;

 private:
  Graph graph_;
  std::vector<std::string> paths_;
  std::vector<std::vector<std::pair<std::string, double>>> terms_;  // per layer: primitive and its factor, see .cpp
};

// Says which layer's symmetric energy has grown beyond `factor` times what it was, and why; "" where none has.
// `first` and `now` have the same layers; `rate` is the learning rate of backward weights.
std::string divergence(const std::vector<LayerAlignment>& first, const std::vector<LayerAlignment>& now, double factor,
                       double rate);

}  // namespace chiasm
