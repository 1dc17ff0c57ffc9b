// SPDX-License-Identifier: Apache-2.0
#include "models/decoder.h"

#include <algorithm>
#include <limits>

#include "engine/config/config.h"
#include "engine/ops.h"
#include "kernels/indexing/pick.h"
#include "kernels/reduction/first_reaching.h"
#include "kernels/reduction/max.h"
#include "kernels/softmax/softmax.h"

namespace chiasm {
namespace {

// Names in the order of Decoder::Kind.
const std::vector<std::string>& names() {
  static const std::vector<std::string> list{"last", "all", "threshold", "max_confidence"};
  return list;
}

Decoder::Kind kind_of(const std::string& name) {
  return static_cast<Decoder::Kind>(std::find(names().begin(), names().end(), name) - names().begin());
}

}  // namespace

std::string Decoder::name() const { return names()[static_cast<std::size_t>(kind)]; }

int Decoder::first_step(int arrival, int steps) const {
  switch (kind) {
    case Kind::kLast:
      return steps - 1;
    case Kind::kAll:
      return arrival;
    case Kind::kThreshold:
    case Kind::kMaxConfidence:
      return std::min(arrival + 1, steps - 1);
  }
  throw InternalError("unknown decoder");
}

Decision decide(const Decoder& decoder, std::span<const Value> logits) {
  const bool selects = decoder.kind == Decoder::Kind::kThreshold || decoder.kind == Decoder::Kind::kMaxConfidence;
  if (!selects) return {logits.back(), {}};
  std::vector<Value> parts;
  for (Value z : logits) parts.push_back(reshape(z, {z.shape()[0], 1, z.shape()[1]}));
  const Value over_time = concat(parts, 1);  // [N, steps, classes]
  Graph& graph = over_time.graph();
  const bool by_threshold = decoder.kind == Decoder::Kind::kThreshold;
  const Value scaled = by_threshold || decoder.beta == 1.0 ? over_time : affine(over_time, decoder.beta, 0.0);
  const Value confidence = graph.apply(Max{.axes = {2}}, {graph.apply(Softmax{}, {scaled})});
  const double threshold = by_threshold ? decoder.threshold : std::numeric_limits<double>::infinity();
  const Value step = graph.apply(FirstReaching{threshold}, {confidence});
  return {graph.apply(Pick{}, {over_time, step}), step};
}

Decoder read_decoder(const ConfigNode& model) {
  Decoder decoder;
  if (!model.has("decoder")) return decoder;
  const ConfigNode node = model.at("decoder");
  if (node.is_text()) {
    decoder.kind = kind_of(node.as_choice(names()));
    return decoder;
  }
  if (!node.is_object()) node.fail("a decoder by name, or an object with \"type\"");
  decoder.kind = kind_of(node.choice("type", names()));
  if (decoder.kind == Decoder::Kind::kThreshold) {
    decoder.threshold = node.real_or("threshold", decoder.threshold, {.min = 0.0, .max = 1.0, .open_min = true});
  }
  if (decoder.kind == Decoder::Kind::kMaxConfidence) {
    decoder.beta = node.real_or("beta", decoder.beta, RealRange::positive());
  }
  return decoder;
}

}  // namespace chiasm
