// SPDX-License-Identifier: Apache-2.0
// The plain unroll: every layer at every timestep on the full batch, exactly as spec/convrnn.md 1.1 to 1.3 reads. It is
// written to be obviously right; what is computed twice or in vain is the business of graph passes.
#pragma once

#include <span>
#include <vector>

#include "models/temporal_graph.h"

namespace chiasm {

// The input over time: the image at steps [on, off), `blank` in every pixel and channel at the others.
struct Presentation {
  int steps = 1;  // T
  int on = 0;
  int off = -1;        // -1: the image stays
  double blank = 0.5;  // in the units of the normalised image
};

struct Unrolled {
  // [layer][step]: outputs after all post stages, states after the step, and outputs at the resolution of the layer's
  // units (after the cell, before the post stages).
  std::vector<std::vector<Value>> output;
  std::vector<std::vector<std::vector<Value>>> state;
  std::vector<std::vector<Value>> units;
  std::vector<Value> logits;  // of the readout layer, by step
};

// Shapes that do not depend on time.
struct LayerShapes {
  Shape units;   // after the cell, without the batch axis
  Shape output;  // after the post stages, without the batch axis
};

// `frames` are what the network sees at each timestep, [N, H, W, C] or [N, features] of the size graph.image.
// Parameters are named "<layer>/<stage>/..." and "<layer>/cell/...". Throws InputError naming the layer where a shape
// does not fit.
Unrolled unroll(const TemporalGraph& graph, const Scope& scope, std::span<const Value> frames);
// One image or vector over time.
Unrolled unroll(const TemporalGraph& graph, const Presentation& presentation, const Scope& scope, Value image);

// Infers the shapes of every layer. Declares nothing and allocates nothing.
std::vector<LayerShapes> infer_shapes(const TemporalGraph& graph, DType dtype = DType::kFloat32);

}  // namespace chiasm
