// SPDX-License-Identifier: Apache-2.0
// The reciprocal gated cell in its minimal form (spec/convrnn.md 2.7): six dense convolutions without bias,
//   m  = W_m u
//   c' = ELU((1 - s(W_cc c)) c + (1 - s(W_hc h)) m)
//   h' = ELU((1 - s(W_hh h)) h + (1 - s(W_ch c + W_rg r)) u)
// where u is the cell input and r the layer's feedforward input. Other inputs of the layer are added to nothing: the
// minimal form has no place for long-range feedback, which is concatenated to the layer's input instead.
#pragma once

#include "models/cells/cell.h"
#include "models/convolution.h"

namespace chiasm {

struct RgcShallowOptions {
  std::int64_t kernel = 3;
  std::int64_t cell_channels = 0;  // 0: as many as the input
  InitSpec init = {.kind = InitSpec::Kind::kGlorotUniform};
  double l2 = 1e-4;
};

class RgcShallowCell final : public Cell {
 public:
  explicit RgcShallowCell(RgcShallowOptions options = {}) : options_(options) {}
  std::vector<Shape> state_shapes(const Shape& x) const override;  // c, h
  CellStep step(const Scope& scope, const CellInput& in, std::span<const Value> state) const override;

 private:
  RgcShallowOptions options_;
};

std::shared_ptr<const Cell> make_rgc_shallow(const ConfigNode& config);

}  // namespace chiasm
