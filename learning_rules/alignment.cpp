// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/alignment.h"

#include <array>
#include <optional>

#include "engine/graph_inputs.h"
#include "engine/initialiser.h"
#include "engine/ops.h"
#include "kernels/elementwise/map.h"
#include "kernels/random/noise.h"
#include "learning_rules/operation_chain.h"

namespace chiasm {
namespace {

// One application on its way through the data flow.
struct Flow {
  Value x_forward, x_backward;
  OperationChain y, q;
  std::optional<OperationChain> r;
  LayerSignals signals;
  Value reconstructed;  // what r was made from: y before its normalisation
};

// `index` of the application tells its noise from that of the others.
Value replaced_by_noise(Value x, const InputNoise& noise, const PlasticLayer& layer, std::size_t index,
                        std::uint64_t seed) {
  if (noise.kind == InputNoise::Kind::kNone) return x;
  const Noise op{.shape = x.shape(),
                 .dtype = x.dtype(),
                 .distribution = noise.kind == InputNoise::Kind::kNormal ? Noise::Distribution::kNormal
                                                                         : Noise::Distribution::kUniform,
                 .deviation = noise.deviation,
                 .seed = seed,
                 .op = x.graph().random_op("alignment " + layer.path + " " + std::to_string(index))};
  return x.graph().apply(op, {draw_input(x.graph())});
}

void activate(OperationChain& chain, const OpPtr& function, bool if_relu, bool always) {
  if (!function) return;
  if (always || (if_relu && op_cast<Map<Relu>>(*function) != nullptr)) chain.activate(function);
}

Flow flow_of(const PlasticLayer& layer, std::size_t index, const LearningRule& rule, const AlignmentContext& context) {
  const Application& application = layer.applications[index];
  const AlignmentOperations& use = rule.operations;
  const LinearOperator& op = application.op;
  OperationChain shared(replaced_by_noise(application.x, rule.noise, layer, index, context.seed));
  if (use.bi_fwmc) shared.centre_features();
  if (use.bi_fwl2n) shared.normalise_features();
  OperationChain backward_input(shared.value());
  if (use.bi_bwmc) backward_input.centre_batch();

  const Value x = shared.value();
  const Value z = x == application.x ? application.z : op.forward(x, layer.forward);
  Flow flow{.x_forward = x,
            .x_backward = backward_input.value(),
            .y = OperationChain(z),
            .q = OperationChain(op.forward(backward_input.value(), layer.backward)),
            .r = {},
            .signals = {},
            .reconstructed = {}};
  if (use.fo_bias && application.bias) flow.y.add_constant(application.bias);
  if (use.bo_bias && application.bias) flow.q.add_constant(application.bias);
  activate(flow.y, application.activation, use.fo_relu, use.fo_activation);
  activate(flow.q, application.activation, use.bo_relu, use.bo_activation);
  flow.reconstructed = flow.y.value();
  flow.r.emplace(op.transpose(flow.reconstructed, layer.backward));
  for (OperationChain* chain : {&flow.y, &*flow.r}) {
    if (use.fo_fwmc) chain->centre_features();
    if (use.fo_fwl2n) chain->normalise_features();
    if (use.fo_bwmc) chain->centre_batch();
  }
  if (use.bo_fwmc) flow.q.centre_features();
  if (use.bo_fwl2n) flow.q.normalise_features();
  flow.signals = {.y = flow.y.value(),
                  .q = flow.q.value(),
                  .r = flow.r->value(),
                  .forward = layer.forward,
                  .backward = layer.backward,
                  .task_gradient = {},
                  .samples = static_cast<double>(x.shape()[0])};
  return flow;
}

LayerSignals weight_signals(const PlasticLayer& layer) {
  return {.y = {}, .q = {}, .r = {}, .forward = layer.forward, .backward = layer.backward, .task_gradient = {}};
}

bool reads_activity(const Primitive& primitive) {
  return primitive.of == Primitive::Of::kProjection || primitive.of == Primitive::Of::kReconstruction;
}

// A signal and what it is multiplied by: a number, and a value of the graph where that changes over training.
struct Scaled {
  Value signal;
  double factor = 1.0;
  Value changing;  // []; null: none

  Value product() const {
    Value result = factor == 1.0 ? signal : affine(signal, factor, 0.0);
    return changing ? result * changing : result;
  }
};

Scaled scaled(const RuleTerm& term, ScaledSignal signal, const AlignmentContext& context) {
  const Coefficient& c = term.coefficient;
  if (c.layer_l2) return {signal.signal, signal.factor * context.layer_l2, {}};
  if (c.constant()) return {signal.signal, signal.factor * c.value, {}};
  return {signal.signal, signal.factor, context.coefficient(term)};
}

Value add(Value sum, Value term) { return sum ? sum + term : term; }

// The terms of q, or of r, at one application: their sum, with the factor of the first taken out, so that a single term
// needs no pass over the activity.
struct Combined {
  Value signal;
  double factor = 1.0;
};
Combined combined(const LearningRule& rule, Primitive::Of of, const LayerSignals& signals,
                  const AlignmentContext& context) {
  Combined result;
  for (const RuleTerm& term : rule.terms) {
    if (term.primitive->of != of) continue;
    Scaled s = scaled(term, term.primitive->gradient(signals), context);
    if (s.factor == 0.0) continue;
    if (!result.signal && !s.changing) {
      result = {s.signal, s.factor};
      continue;
    }
    if (result.signal) s.factor /= result.factor;
    result.signal = add(result.signal, s.product());
  }
  return result;
}

}  // namespace

Value alignment_gradient(const PlasticLayer& layer, const LearningRule& rule, const AlignmentContext& context) {
  Graph& graph = layer.backward.graph();
  Value of_projection, of_reconstruction;  // sums over applications
  double projection_factor = 1.0, reconstruction_factor = 1.0;
  for (std::size_t i = 0; i < layer.applications.size(); ++i) {
    const Application& application = layer.applications[i];
    const LabelScope label(graph, application.label);
    const Flow flow = flow_of(layer, i, rule, context);
    if (const Combined q = combined(rule, Primitive::Of::kProjection, flow.signals, context); q.signal) {
      of_projection = add(of_projection, application.op.correlate(flow.x_backward, flow.q.pull_back(q.signal)));
      projection_factor = q.factor;
    }
    if (const Combined r = combined(rule, Primitive::Of::kReconstruction, flow.signals, context); r.signal) {
      of_reconstruction =
          add(of_reconstruction, application.op.correlate(flow.r->pull_back(r.signal), flow.reconstructed));
      reconstruction_factor = r.factor;
    }
  }
  const LabelScope label(graph, "align " + layer.path);
  Value sum;
  if (of_projection) sum = affine(of_projection, projection_factor, 0.0);
  if (of_reconstruction) sum = add(sum, affine(of_reconstruction, reconstruction_factor, 0.0));
  const LayerSignals signals = weight_signals(layer);
  for (const RuleTerm& term : rule.terms) {
    if (term.primitive->of != Primitive::Of::kBackwardWeight) continue;
    sum = add(sum, scaled(term, term.primitive->gradient(signals), context).product());
  }
  return sum ? sum : fill(graph, layer.backward.spec(), 0.0);
}

Value riding_gradient(const PlasticLayer& layer, const LearningRule& rule, const AlignmentContext& context,
                      Value task_gradient) {
  const LabelScope label(layer.backward.graph(), "align " + layer.path);
  LayerSignals signals = weight_signals(layer);
  signals.task_gradient = task_gradient;
  Value sum;
  for (const RuleTerm& term : rule.terms) {
    const Scaled s = scaled(term, term.primitive->gradient(signals), context);
    if (s.factor != 0.0) sum = add(sum, s.product());
  }
  return sum ? sum : fill(layer.backward.graph(), layer.backward.spec(), 0.0);
}

Value alignment_value(const PlasticLayer& layer, const LearningRule& rule, const AlignmentContext& context) {
  Graph& graph = layer.backward.graph();
  Value sum;
  for (std::size_t i = 0; i < layer.applications.size(); ++i) {
    const Application& application = layer.applications[i];
    const LabelScope label(graph, application.label);
    const Flow flow = flow_of(layer, i, rule, context);
    for (const RuleTerm& term : rule.terms) {
      if (!reads_activity(*term.primitive)) continue;
      sum = add(sum, scaled(term, {term.primitive->value(flow.signals), 1.0}, context).product());
    }
  }
  const LabelScope label(graph, "align " + layer.path);
  const LayerSignals signals = weight_signals(layer);
  for (const RuleTerm& term : rule.terms) {
    if (term.primitive->of != Primitive::Of::kBackwardWeight) continue;
    sum = add(sum, scaled(term, {term.primitive->value(signals), 1.0}, context).product());
  }
  return sum ? sum : fill(graph, Spec{layer.backward.dtype(), {}}, 0.0);
}

}  // namespace chiasm
