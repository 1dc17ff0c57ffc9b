// SPDX-License-Identifier: Apache-2.0
#include "models/unroll.h"

#include "engine/batch_shape.h"
#include "engine/ops.h"
#include "models/convolution.h"

namespace chiasm {
namespace {

struct LayerStep {
  Value output;
  Value units;
  std::vector<Value> state;
};

// Resizes the sources of a layer to the first one and joins them as the layer says. A vector source of an image layer,
// or the reverse, is an error: no released model has one.
Value join(const Layer& layer, std::span<const Value> sources) {
  const Shape& first = sources[0].shape();
  std::vector<Value> parts;
  for (const Value& source : sources) {
    if (source.shape().rank() != first.rank()) {
      throw InputError("layer \"" + layer.name + "\" joins inputs of shapes " + to_string(first) + " and " +
                       to_string(source.shape()) + ": they must all be images or all be vectors");
    }
    parts.push_back(first.rank() == 4 ? match_size(source, first[1], first[2]) : source);
  }
  if (layer.join == Layer::Join::kConcatenate) return concat(parts, first.rank() - 1);
  Value sum = parts[0];
  for (const Value& part : std::span(parts).subspan(1)) {
    if (part.shape() != sum.shape()) {
      throw ShapeError("it adds inputs of " + to_string(without_batch(sum.shape())) + " and " +
                       to_string(without_batch(part.shape())) + ": they must have as many channels");
    }
    sum = sum + part;
  }
  return sum;
}

LayerStep run_layer(const Layer& layer, const Scope& scope, std::span<const Value> sources,
                    std::span<const Value> state) {
  CellInput in;
  in.feedforward = sources[0];
  StageInput stage{sources[0], sources[0], {}};
  {
    const LabelScope label(scope.graph(), scope.label());
    const bool separate = layer.cell && layer.cell->separates_feedback();
    if (separate && sources.size() > 1) {
      // Feedback is brought to the size of the layer's feedforward input.
      std::vector<Value> matched;
      const Shape& to = sources[0].shape();
      for (const Value& source : sources.subspan(1)) {
        matched.push_back(to.rank() == 4 && source.shape().rank() == 4 ? match_size(source, to[1], to[2]) : source);
      }
      in.feedback = join(layer, matched);
    }
    if (!separate) stage.x = stage.layer_input = in.feedforward = join(layer, sources);
  }
  apply_stages(layer.pre, scope, stage);
  LayerStep result;
  if (layer.cell) {
    in.x = stage.x;
    CellStep step = layer.cell->step(scope.child("cell"), in, state);
    stage.x = step.output;
    result.state = std::move(step.state);
  }
  result.units = stage.x;
  apply_stages(layer.post, scope, stage);
  result.output = stage.x;
  return result;
}

// Names the layer in errors about shapes.
template <class Body>
auto in_layer(const Layer& layer, Body&& body) {
  try {
    return body();
  } catch (const ShapeError& error) {
    throw ShapeError("layer \"" + layer.name + "\": " + error.what());
  }
}

// The state a layer starts from, of the shapes that its cell asks for.
std::vector<Value> initial_state(const Layer& layer, const Scope& scope, std::span<const Value> sources) {
  if (!layer.cell) return {};
  // The shape of x is that of the pre stages' output; they are built in a graph of their own to learn it.
  Graph scratch;
  Parameters nothing;
  const Scope inside = Scope(scratch, nothing, scope.options()).child(layer.name);
  std::vector<Value> twins;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    twins.push_back(scratch.input("source" + std::to_string(i), sources[i].spec()));
  }
  const bool separate = layer.cell->separates_feedback();
  const Value joined = separate ? twins[0] : join(layer, twins);
  StageInput stage{joined, joined, {}};
  apply_stages(layer.pre, inside, stage);
  std::vector<Value> state;
  for (const Shape& shape : layer.cell->state_shapes(stage.x.shape())) {
    const Value zeros = fill(scope.graph(), Spec{scope.dtype(), shape}, 0.0);
    if (!layer.learned_state) {
      state.push_back(zeros);
      continue;
    }
    const std::string name = "initial_state_" + std::to_string(state.size());
    state.push_back(
        zeros +
        scope.child(layer.name).child("cell").parameter(name, without_batch(shape), Initialiser::constant(0.0)));
  }
  return state;
}

}  // namespace

std::vector<LayerShapes> infer_shapes(const TemporalGraph& graph, DType dtype) {
  Graph scratch;
  Parameters nothing;
  const Scope scope(scratch, nothing, {.dtype = dtype});
  const Value image = scratch.input("image", Spec{dtype, with_batch(1, graph.image)});
  std::vector<Value> outputs(graph.layers.size());
  std::vector<LayerShapes> shapes(graph.layers.size());
  // Sources behind a cycle of connections are not known yet and left out: they must not change what a layer puts out,
  // which unroll() checks.
  for (int i : graph.feedforward_order()) {
    const Layer& layer = graph.layers[i];
    in_layer(layer, [&] {
      std::vector<Value> sources;
      for (const Connection& c : graph.incoming(layer.name)) {
        const Value source = c.source == kImage ? image : outputs[graph.index_of(c.source)];
        if (source) sources.push_back(source);
      }
      const std::vector<Value> state = initial_state(layer, scope, sources);
      const LayerStep step = run_layer(layer, scope.child(layer.name), sources, state);
      outputs[i] = step.output;
      shapes[i] = {without_batch(step.units.shape()), without_batch(step.output.shape())};
    });
  }
  return shapes;
}

Unrolled unroll(const TemporalGraph& graph, const Presentation& presentation, const Scope& scope, Value image) {
  const Value blank = fill(scope.graph(), image.spec(), presentation.blank);
  std::vector<Value> frames;
  for (int t = 0; t < presentation.steps; ++t) {
    frames.push_back(t >= presentation.on && (presentation.off < 0 || t < presentation.off) ? image : blank);
  }
  return unroll(graph, scope, frames);
}

Unrolled unroll(const TemporalGraph& graph, const Scope& scope, std::span<const Value> frames) {
  graph.validate();
  Graph& target = scope.graph();
  const auto steps = static_cast<int>(frames.size());
  const Spec input = frames[0].spec();
  const std::int64_t batch = input.shape[0];
  if (without_batch(input.shape) != graph.image) {
    throw ShapeError("the network takes " + std::string(graph.image.rank() == 1 ? "vectors " : "images ") +
                     to_string(graph.image) + ", found " + to_string(input.shape));
  }
  const std::vector<LayerShapes> shapes = infer_shapes(graph, scope.dtype());
  const std::vector<int> order = graph.order_within_step();
  const std::size_t layers = graph.layers.size();
  std::vector<std::vector<Connection>> incoming;
  for (const Layer& layer : graph.layers) incoming.push_back(graph.incoming(layer.name));

  Unrolled result;
  result.output.assign(layers, std::vector<Value>(steps));
  result.units = result.output;
  result.state.assign(layers, std::vector<std::vector<Value>>(steps));

  // What a source delivers at step t: its output at t, or zeros before step 0.
  const auto delivered = [&](const std::string& source, int t) {
    if (source == kImage) {
      return t < 0 ? fill(target, input, 0.0) : frames[static_cast<std::size_t>(t)];
    }
    const int from = graph.index_of(source);
    if (t < 0) return fill(target, Spec{scope.dtype(), with_batch(batch, shapes[from].output)}, 0.0);
    return result.output[from][t];
  };

  for (int t = 0; t < steps; ++t) {
    for (int i : order) {
      const Layer& layer = graph.layers[i];
      in_layer(layer, [&] {
        std::vector<Value> sources;
        for (const Connection& c : incoming[i]) sources.push_back(delivered(c.source, t - c.delay_steps));
        const std::vector<Value> state = t > 0 ? result.state[i][t - 1] : initial_state(layer, scope, sources);
        LayerStep step = run_layer(layer, scope.child(layer.name).at_step(t), sources, state);
        if (without_batch(step.output.shape()) != shapes[i].output) {
          throw ShapeError("its output has shape " + to_string(without_batch(step.output.shape())) +
                           " with all its inputs and " + to_string(shapes[i].output) +
                           " without its feedback: put a convolution after the inputs are joined");
        }
        result.output[i][t] = step.output;
        result.units[i][t] = step.units;
        result.state[i][t] = std::move(step.state);
      });
    }
  }
  result.logits = result.output[graph.index_of(graph.readout)];
  return result;
}

}  // namespace chiasm
