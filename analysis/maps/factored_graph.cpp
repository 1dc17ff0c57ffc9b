// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/factored_graph.h"

#include <vector>

#include "engine/ops.h"
#include "kernels/convolution/conv2d.h"
#include "kernels/elementwise/map.h"
#include "kernels/error.h"
#include "kernels/reduction/sum.h"

namespace chiasm {
namespace {

Value sum_over_rows(Value x) { return x.graph().apply(Sum{{0}}, {x}); }
Value square(Value x) { return x.graph().apply(Map<Square>{}, {x}); }
Value magnitude(Value x) { return x.graph().apply(Map<Abs>{}, {x}); }

// Values are set by the trainer: every unit starts from the same draw.
Value weights(const Scope& scope, std::string_view name, std::int64_t rows, std::int64_t units) {
  return scope.parameter(name, {rows, units}, Initialiser::constant(0.0));
}
Value space_weights(const Scope& scope, const FactoredSize& size) {
  return weights(scope, kSpaceWeights, size.positions(), size.units);
}
Value channel_weights(const Scope& scope, const FactoredSize& size) {
  return weights(scope, kChannelWeights, size.channels, size.units);
}

// [1, H, W, units] -> [1, H - 2, W - 2, units]
Value filtered(Value image, std::int64_t units) {
  constexpr double kFilter[] = {.5, 1, .5, 1, -6, 1, .5, 1, .5};
  Graph& graph = image.graph();
  std::vector<Value> taps;
  for (const double tap : kFilter) taps.push_back(fill(graph, Spec{image.dtype(), {1, units}}, tap));
  const Value filter = reshape(concat(taps, 0), {3, 3, 1, units});
  return conv2d(image, {filter, filter}, Conv2d{.padding = Padding2d::valid(), .groups = units});
}

}  // namespace

void require_fitting(const FactoredSize& size, const FactoredPenalties& penalties) {
  if (penalties.smoothness == 0.0 || (size.height >= 3 && size.width >= 3)) return;
  throw InputError("factored map: smoothness needs a layer of at least 3 x 3 positions, found " +
                   std::to_string(size.height) + " x " + std::to_string(size.width));
}

Value factored_prediction(const Scope& scope, const FactoredSize& size) {
  Graph& graph = scope.graph();
  const LabelScope label(graph, "prediction");
  const Value features = graph.input("features", Spec{scope.dtype(), {size.batch * size.positions(), size.channels}});
  const Value v = channel_weights(scope, size);
  const Value z = reshape(linear(features, {v, v}), {size.batch, size.positions(), size.units});
  const Value contracted = graph.apply(Sum{{1}}, {z * space_weights(scope, size)});
  return contracted + scope.parameter(kBiases, {size.units}, Initialiser::constant(1.0));
}

Value factored_penalty(const Scope& scope, const FactoredSize& size, const FactoredPenalties& penalties) {
  Graph& graph = scope.graph();
  const LabelScope label(graph, "penalty");
  const Value m = space_weights(scope, size), v = channel_weights(scope, size);
  Value total;
  const auto add = [&](double strength, auto&& term) {
    if (strength == 0.0) return;
    const Value scaled = affine(term(), strength, 0.0);
    total = total ? total + scaled : scaled;
  };
  add(0.5 * penalties.space_l2, [&] { return sum_over_rows(square(m)); });
  add(0.5 * penalties.channels_l2, [&] { return sum_over_rows(square(v)); });
  add(penalties.space_l1, [&] { return sum_over_rows(magnitude(m)); });
  add(penalties.channels_l1, [&] { return sum_over_rows(magnitude(v)); });
  add(penalties.smoothness, [&] {
    const Value image = reshape(m, {1, size.height, size.width, size.units});
    return graph.apply(Sum{{0, 1, 2}}, {square(filtered(image, size.units))});
  });
  add(penalties.group, [&] {
    const Value norm = graph.apply(Map<Sqrt>{}, {affine(sum_over_rows(square(m)), 1.0, 1e-12)});
    return norm * sum_over_rows(magnitude(v));
  });
  return total;
}

Value factored_objective(const Scope& scope, const FactoredSize& size, const FactoredPenalties& penalties) {
  Graph& graph = scope.graph();
  const Value prediction = factored_prediction(scope, size);
  const Value target = graph.input("target", Spec{scope.dtype(), {size.batch, size.units}});
  const Value weight = graph.input("row_weight", Spec{scope.dtype(), {size.batch, 1}});
  Value objective = sum_over_rows(square(prediction - target) * weight);
  const Value penalty = factored_penalty(scope, size, penalties);
  if (penalty) objective = objective + penalty;
  graph.output("objective", objective);
  return objective;
}

}  // namespace chiasm
