// SPDX-License-Identifier: Apache-2.0
#include "models/tasks/losses.h"

#include <algorithm>

#include "engine/config/config.h"
#include "engine/ops.h"
#include "kernels/elementwise/map.h"
#include "kernels/reduction/sum.h"

namespace chiasm {
namespace {

// In the order of ArrayLoss.
const std::vector<std::string>& names() {
  static const std::vector<std::string> list{"squared", "absolute", "poisson", "cosine"};
  return list;
}

constexpr double kLeastRate = 1e-6, kMostRate = 1e30;
constexpr double kLeastSquare = 1e-24;  // of the length of a row

}  // namespace

ArrayLoss read_array_loss(const ConfigNode& node) {
  const std::string name = node.choice_or("loss", names().front(), names());
  return static_cast<ArrayLoss>(std::ranges::find(names(), name) - names().begin());
}

std::string name_of(ArrayLoss loss) { return names()[static_cast<std::size_t>(loss)]; }

Value array_losses(ArrayLoss loss, Value y, Value t) {
  Graph& graph = y.graph();
  switch (loss) {
    case ArrayLoss::kSquared:
      return graph.apply(Map<Square>{}, {y - t});
    case ArrayLoss::kAbsolute:
      return graph.apply(Map<Abs>{}, {y - t});
    case ArrayLoss::kPoisson: {
      const Value rate = graph.apply(Map<Clip>{{.low = kLeastRate, .high = kMostRate}}, {y});
      return rate - t * graph.apply(Map<Log>{}, {rate});
    }
    case ArrayLoss::kCosine:
      return affine(row_products(unit_rows(y), unit_rows(t)), -1.0, 1.0);
  }
  throw InternalError("unknown loss");
}

Value unit_rows(Value x) {
  Graph& graph = x.graph();
  const std::int64_t samples = x.shape()[0];
  const Value rows = reshape(x, {samples, x.shape().elements() / samples});
  const Value squares = graph.apply(Sum{.axes = {1}, .keep_axes = true}, {graph.apply(Map<Square>{}, {rows})});
  const Value kept = graph.apply(Map<Clip>{{.low = kLeastSquare, .high = kMostRate}}, {squares});
  return rows / graph.apply(Map<Sqrt>{}, {kept});
}

Value row_products(Value a, Value b) { return a.graph().apply(Sum{.axes = {1}}, {a * b}); }

}  // namespace chiasm
