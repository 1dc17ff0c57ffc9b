// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/liblinear.h"

#include <linear.h>

#include <algorithm>
#include <cassert>
#include <memory>
#include <string>

#include "kernels/error.h"
#include "kernels/vendor/library_threads.h"

namespace chiasm {

std::vector<double> fit_liblinear(MatrixView<double> rows, const std::vector<bool>& positive, double c,
                                  double tolerance) {
  assert(std::ssize(positive) == rows.rows);
  static const bool silenced = (set_print_string_function([](const char*) {}), true);
  static_cast<void>(silenced);
  const LibraryThreads one(1);
  const auto features = static_cast<int>(rows.columns);
  // A row is its features, counted from 1, the constant of the intercept, and an end mark.
  const std::size_t width = static_cast<std::size_t>(features) + 2;
  std::vector<feature_node> nodes(static_cast<std::size_t>(rows.rows) * width);
  std::vector<feature_node*> starts(positive.size());
  std::vector<double> labels(positive.size());
  for (std::size_t i = 0; i < positive.size(); ++i) {
    starts[i] = nodes.data() + i * width;
    labels[i] = positive[i] ? 1.0 : -1.0;
    for (int k = 0; k < features; ++k) starts[i][k] = {k + 1, rows(static_cast<std::int64_t>(i), k)};
    starts[i][features] = {features + 1, 1.0};
    starts[i][features + 1] = {-1, 0.0};
  }
  problem data{};
  data.l = static_cast<int>(rows.rows);
  data.n = features + 1;
  data.y = labels.data();
  data.x = starts.data();
  data.bias = 1.0;
  parameter options{};
  options.solver_type = L2R_L2LOSS_SVC;
  options.C = c;
  options.eps = tolerance;
  if (const char* refused = check_parameter(&data, &options)) {
    throw InputError(std::string("liblinear refuses C = ") + std::to_string(c) + ": " + refused);
  }
  const auto free_model = [](model* trained) { free_and_destroy_model(&trained); };
  const std::unique_ptr<model, decltype(free_model)> trained(train(&data, &options), free_model);
  // Its weights are those of the label it lists first; +1 wherever both +1 and -1 occur.
  std::vector<double> weights(trained->w, trained->w + features + 1);
  if (trained->label[0] != 1) std::ranges::for_each(weights, [](double& w) { w = -w; });
  return weights;
}

}  // namespace chiasm
