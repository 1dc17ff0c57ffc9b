// SPDX-License-Identifier: Apache-2.0
// A program outside the repository that uses chiasm as a library: trains a two-layer network to tell points inside a
// circle from points outside it.
#include <engine/ops.h>
#include <engine/optimizer.h>
#include <engine/program.h>
#include <kernels/loss/cross_entropy.h>
#include <kernels/reduction/mean.h>

#include <cmath>
#include <cstdio>

int main() {
  using namespace chiasm;
  constexpr std::int64_t kPoints = 256;
  Graph graph;
  Parameters parameters;
  const Scope scope(graph, parameters);
  const Value x = graph.input("x", {DType::kFloat32, {kPoints, 2}});
  const Value label = graph.input("label", {DType::kInt32, {kPoints}});
  const Value hidden = tanh(linear(x, scope.weight("hidden/weight", {2, 16}, Initialiser::normal(1.0))) +
                            scope.parameter("hidden/bias", {16}, Initialiser::normal(0.5)));
  const Value logits = linear(hidden, scope.weight("out/weight", {16, 2}, Initialiser::normal(0.3))) +
                       scope.parameter("out/bias", {2}, Initialiser::constant(0.0));
  const Value loss = graph.apply(Mean{}, {graph.apply(CrossEntropy{}, {logits, label})});
  graph.output("loss", loss);
  append_updates(loss, parameters, {.rule = Adam{}});
  parameters.initialise(1);

  Program program(graph);
  program.bind_all(parameters.tensors());
  *program.input("learning_rate").as<float>() = 0.02f;
  for (std::int64_t i = 0; i < kPoints; ++i) {  // a spiral that fills the square
    const float r = std::sqrt(static_cast<float>(i) / kPoints) * 1.4f, angle = 2.4f * static_cast<float>(i);
    program.input("x").as<float>()[2 * i] = r * std::cos(angle);
    program.input("x").as<float>()[2 * i + 1] = r * std::sin(angle);
    program.input("label").as<std::int32_t>()[i] = r < 0.9f ? 1 : 0;
  }
  for (int step = 1; step <= 300; ++step) {
    *program.input("step").as<std::int32_t>() = step;
    program.run();
    if (step % 100 == 0) std::printf("step %d: loss %.4f\n", step, *program.output("loss").as<float>());
  }
  return *program.output("loss").as<float>() < 0.1f ? 0 : 1;  // it starts near log 2 = 0.69
}
