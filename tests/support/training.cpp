// SPDX-License-Identifier: Apache-2.0
#include "tests/support/training.h"

#include <algorithm>
#include <cmath>

#include "models/tasks/classification/graphs.h"
#include "tests/support/hashed.h"
#include "tests/support/random_tensor.h"
#include "tests/support/running_network.h"

namespace chiasm::test {
namespace {

void set_labels(Program& program, int seed) {
  const MutableView label = program.input("label");
  const std::int64_t classes = program.output("logits").shape().at(-1);
  for (std::int64_t n = 0; n < label.elements(); ++n) {
    label.as<std::int32_t>()[n] = static_cast<std::int32_t>((n + seed) % classes);
  }
}

void set_image(Program& program, unsigned seed) {
  const MutableView image = program.input("image");
  program.set_input("image", random_tensor(image.dtype(), image.shape(), seed).view());
}

void set_number(Program& program, const char* name, double value) {
  if (!program.graph().inputs().contains(name)) return;
  const MutableView input = program.input(name);
  visit_any(input.dtype(), [&]<class T>() { *input.as<T>() = static_cast<T>(value); });
}

double loss_of(Program& program) {
  program.run();
  return value_at(program.output("loss"), 0);
}

}  // namespace

Tensor copy_of(const View& view) {
  Tensor copy(view.spec());
  std::copy_n(static_cast<const std::byte*>(view.data()), copy.bytes().size(), copy.bytes().begin());
  return copy;
}

Graph training_step_of(const std::string& json, Parameters& parameters, std::int64_t batch, DType dtype,
                       const std::string& passes) {
  return build_training_step(network_of(json), parameters, batch, {.rule = Sgd{.momentum = 0.9}},
                             {.dtype = dtype, .seed = 5, .passes = passes});
}

Trained train(const Graph& step, Parameters& parameters, const ProgramOptions& options, int steps) {
  parameters.initialise(2);
  Trained result;
  for (const auto& [name, tensor] : parameters.tensors()) result.states[name] = tensor.clone();
  Program program(step, options);
  program.bind_all(result.states);
  result.flops = total_flops(program.graph());
  result.arena_bytes = program.arena_bytes();
  set_number(program, "learning_rate", 0.05);
  set_number(program, "alignment_learning_rate", 0.03);
  set_number(program, "moving_copy/target/", 0.25);
  for (int i = 0; i < steps; ++i) {
    for (const char* counter : {"step", "alignment_step", "draw"}) set_number(program, counter, i + 1);
    set_image(program, static_cast<unsigned>(i));
    set_labels(program, i);
    if (program.graph().inputs().contains("sample")) {
      const MutableView sample = program.input("sample");
      for (std::int64_t n = 0; n < sample.elements(); ++n) {
        sample.as<std::int32_t>()[n] = static_cast<std::int32_t>(10 * i + n);
      }
      program.input("epoch").as<std::int32_t>()[0] = i;
    }
    result.losses.push_back(loss_of(program));
    result.logits.push_back(copy_of(program.output("logits")));
  }
  return result;
}

void expect_near(const Trained& actual, const Trained& expected, Tolerance tolerance) {
  ASSERT_EQ(actual.logits.size(), expected.logits.size());
  for (std::size_t i = 0; i < expected.logits.size(); ++i) {
    EXPECT_TRUE(near(actual.logits[i].view(), expected.logits[i].view(), tolerance)) << "logits of step " << i;
    EXPECT_NEAR(actual.losses[i], expected.losses[i], tolerance.relative * (1.0 + std::fabs(expected.losses[i])));
  }
  ASSERT_EQ(actual.states.size(), expected.states.size());
  for (const auto& [name, tensor] : expected.states) {
    EXPECT_TRUE(near(actual.states.at(name).view(), tensor.view(), tolerance)) << name;
  }
}

void expect_same_bits(const Trained& actual, const Trained& expected) {
  EXPECT_EQ(actual.losses, expected.losses);
  ASSERT_EQ(actual.states.size(), expected.states.size());
  for (const auto& [name, tensor] : expected.states) {
    EXPECT_TRUE(bit_equal(actual.states.at(name).view(), tensor.view())) << name;
  }
}

LossAndGradients::LossAndGradients(const Network& network, const std::string& passes, DType dtype) {
  Graph graph = build_loss(network, parameters, 2, {.dtype = dtype});
  std::vector<Value> weights;
  for (const Parameter& p : parameters.all()) {
    if (p.role != ParameterRole::kForward) continue;
    names.push_back(p.name);
    weights.push_back(graph.state(p.name, p.spec));
  }
  const std::vector<Value> g = gradients(Value(&graph, graph.outputs().at("loss")), weights);
  for (std::size_t i = 0; i < names.size(); ++i) graph.output("gradient " + names[i], g[i]);
  parameters.initialise(1);
  for (auto& [name, tensor] : parameters.tensors()) {
    if (tensor.shape().rank() > 1) continue;
    const std::vector<double> shift = hashed(name, tensor.elements());
    visit_floating(dtype, [&]<class T>() {
      for (std::size_t i = 0; i < shift.size(); ++i) tensor.values<T>()[i] += static_cast<T>(0.3 * shift[i]);
    });
  }
  program.emplace(graph, ProgramOptions{.threads = 1, .passes = passes});
  program->bind_all(parameters.tensors());
  set_image(*program, 1);
  set_labels(*program, 1);
}

double LossAndGradients::loss() { return loss_of(*program); }

void expect_gradients_agree_with_differences(const Network& network) {
  LossAndGradients analytic(network);
  analytic.loss();
  // The forward pass alone, of the same parameters.
  Program forward(build_loss(network, analytic.parameters, 2, {.dtype = DType::kFloat64}), {.threads = 1});
  forward.bind_all(analytic.parameters.tensors());
  set_image(forward, 1);
  set_labels(forward, 1);
  // Central differences with step h are off by about h^2 f''' / 6 and epsilon / h: 1e-9 here; 1e-7 leaves room for
  // f'''.
  constexpr double kStep = 1e-5;
  for (const std::string& name : analytic.names) {
    const Tensor gradient = copy_of(analytic.gradient(name));
    EXPECT_TRUE(not_vacuous(gradient.view())) << name;
    const std::span<double> w = analytic.parameters.tensors()[name].values<double>();
    for (std::size_t k = 0; k < w.size(); ++k) {
      const double kept = w[k];
      w[k] = kept + kStep;
      const double above = loss_of(forward);
      w[k] = kept - kStep;
      const double below = loss_of(forward);
      w[k] = kept;
      ASSERT_NEAR(gradient.values<double>()[k], (above - below) / (2 * kStep), 1e-7) << name << " " << k;
    }
  }
}

void expect_untied_equal_to_tied(const Network& untied_network, const Network& tied_network) {
  LossAndGradients tied(tied_network), untied(untied_network);
  std::size_t backward = 0;
  for (auto& [name, tensor] : untied.parameters.tensors()) {
    if (!name.ends_with("_backward")) continue;
    ++backward;
    const std::string forward = name.substr(0, name.size() - std::string("_backward").size());
    std::copy_n(untied.parameters.tensors()[forward].values<double>().begin(), tensor.elements(),
                tensor.values<double>().begin());
  }
  // Every kernel and matrix has a backward weight: also those inside cells.
  std::size_t linear = 0;
  for (const auto& [name, tensor] : tied.parameters.tensors()) {
    linear += tensor.shape().rank() == 4 || tensor.shape().rank() == 2;
  }
  EXPECT_EQ(backward, linear);
  const double loss = tied.loss();
  EXPECT_EQ(untied.loss(), loss);
  for (const std::string& name : tied.names) {
    EXPECT_TRUE(bit_equal(untied.gradient(name), tied.gradient(name))) << name;
  }
  // Each backward weight is read on the way back, and only there.
  for (auto& [name, tensor] : untied.parameters.tensors()) {
    if (!name.ends_with("_backward")) continue;
    const Tensor kept = tensor.clone();
    const std::vector<double> shift = hashed(name, tensor.elements());
    for (std::size_t i = 0; i < shift.size(); ++i) tensor.values<double>()[i] += 0.1 * shift[i];
    EXPECT_EQ(untied.loss(), loss) << name;
    EXPECT_TRUE(std::any_of(tied.names.begin(), tied.names.end(), [&](const std::string& parameter) {
      return !near(untied.gradient(parameter), tied.gradient(parameter), {1e-6, 0});
    })) << name;
    std::copy_n(kept.values<double>().begin(), tensor.elements(), tensor.values<double>().begin());
  }
}

}  // namespace chiasm::test
