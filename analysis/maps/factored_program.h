// SPDX-License-Identifier: Apache-2.0
// The factored map of some units as a running program: one training step, or predictions.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "analysis/maps/factored_batches.h"
#include "analysis/maps/factored_graph.h"
#include "analysis/matrix.h"
#include "engine/program.h"

namespace chiasm {

// Weights of the scaled problem, one column for each unit.
template <class T>
struct FactoredWeights {
  Matrix<T> space;     // [positions, units]
  Matrix<T> channels;  // [channels, units]
  Matrix<T> bias;      // [1, units]

  std::int64_t units() const { return bias.columns(); }
  FactoredWeights columns(std::span<const std::int64_t> units) const;
  // Column k of `from` becomes column columns[k]. REQUIRES: shapes fit.
  void set_columns(std::span<const std::int64_t> columns, const FactoredWeights& from);
};

// The same draw for every unit: Glorot's uniform, with fans of the joint tensors H x W x N x 1 and C x N where N is
// options.fan_units (spec/convrnn.md 6.1), and biases of 1.
template <class T>
FactoredWeights<T> initial_factored_weights(const FactoredSize& size, const FactoredOptions& options);

template <class T>
class FactoredProgram {
 public:
  // Predicts.
  FactoredProgram(const CpuStream& stream, const FactoredSize& size);
  // Trains: a step is one program, forward, backward and update.
  FactoredProgram(const CpuStream& stream, const FactoredSize& size, const FactoredOptions& options);

  void set_weights(const FactoredWeights<T>& weights);
  FactoredWeights<T> weights() const;

  // Predictions [batch, units] for the rows of a batch, valid until the next call.
  MatrixView<T> predict(const FactoredBatch<T>& batch, const FeatureScaling<T>& scaling);
  // One step; y has the rows of all batches. Returns the loss of each unit before the step.
  std::span<const T> step(const FactoredBatch<T>& batch, const FeatureScaling<T>& scaling, MatrixView<T> y,
                          double rate);
  // Goes on with these units only, in this order, with their weights and the state of their optimizer.
  FactoredProgram keep(std::span<const std::int64_t> columns) const;

  std::int64_t steps() const { return steps_; }
  const FactoredSize& size() const { return size_; }

 private:
  void fill_features(const FactoredBatch<T>& batch, const FeatureScaling<T>& scaling);
  void fill_targets(const FactoredBatch<T>& batch, MatrixView<T> y);

  CpuStream stream_;
  FactoredSize size_;
  FactoredOptions options_;
  Parameters parameters_;
  std::unique_ptr<Program> program_;
  std::int64_t steps_ = 0;
};

}  // namespace chiasm
