// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/factored_program.h"

#include <algorithm>
#include <string>

#include "engine/ops.h"
#include "kernels/reduction/sum.h"

namespace chiasm {
namespace {

template <class T>
void set_columns_of(Matrix<T>& to, std::span<const std::int64_t> columns, const Matrix<T>& from) {
  for (std::int64_t i = 0; i < to.rows(); ++i) {
    for (std::size_t k = 0; k < columns.size(); ++k) to(i, columns[k]) = from.row(i)[k];
  }
}

template <class T>
Matrix<T> columns_of(const Matrix<T>& from, std::span<const std::int64_t> columns) {
  Matrix<T> to(from.rows(), std::ssize(columns));
  for (std::int64_t i = 0; i < to.rows(); ++i) {
    for (std::size_t k = 0; k < columns.size(); ++k) to.row(i)[k] = from(i, columns[k]);
  }
  return to;
}

// One draw [rows], in every column.
template <class T>
Matrix<T> drawn(std::string_view name, std::int64_t rows, std::int64_t units, Fans fans, std::uint64_t seed) {
  Tensor draw(Spec{dtype_of<T>, {rows}});
  Initialiser::glorot_uniform(fans).fill(draw, seed, name);
  Matrix<T> weights(rows, units);
  for (std::int64_t i = 0; i < rows; ++i) std::ranges::fill(weights.row(i), draw.values<T>()[i]);
  return weights;
}

template <class T>
Matrix<T> read(const Parameters& parameters, std::string_view name, std::int64_t units) {
  const auto values = parameters.tensors().at(std::string(name)).values<T>();
  return {std::ssize(values) / units, units, std::vector<T>(values.begin(), values.end())};
}

template <class T>
void write(Parameters& parameters, std::string_view name, const Matrix<T>& values) {
  std::ranges::copy(values.values(), parameters.tensors().at(std::string(name)).values<T>().begin());
}

}  // namespace

template <class T>
FactoredWeights<T> FactoredWeights<T>::columns(std::span<const std::int64_t> units) const {
  return {columns_of(space, units), columns_of(channels, units), columns_of(bias, units)};
}

template <class T>
void FactoredWeights<T>::set_columns(std::span<const std::int64_t> columns, const FactoredWeights& from) {
  set_columns_of(space, columns, from.space);
  set_columns_of(channels, columns, from.channels);
  set_columns_of(bias, columns, from.bias);
}

template <class T>
FactoredWeights<T> initial_factored_weights(const FactoredSize& size, const FactoredOptions& options) {
  const auto positions = static_cast<double>(size.positions()), channels = static_cast<double>(size.channels);
  const auto units = static_cast<double>(options.fan_units);
  FactoredWeights<T> weights{
      drawn<T>(kSpaceWeights, size.positions(), size.units, {positions * units, positions}, options.seed),
      drawn<T>(kChannelWeights, size.channels, size.units, {channels, units}, options.seed), Matrix<T>(1, size.units)};
  std::ranges::fill(weights.bias.values(), T{1});
  return weights;
}

template <class T>
FactoredProgram<T>::FactoredProgram(const CpuStream& stream, const FactoredSize& size) : stream_(stream), size_(size) {
  Graph graph;
  graph.output("prediction", factored_prediction(Scope(graph, parameters_, {.dtype = dtype_of<T>}), size));
  parameters_.initialise(0);
  program_ = std::make_unique<Program>(graph, ProgramOptions{.threads = stream.threads(), .deterministic = true});
  program_->bind_all(parameters_.tensors());
}

template <class T>
FactoredProgram<T>::FactoredProgram(const CpuStream& stream, const FactoredSize& size, const FactoredOptions& options)
    : stream_(stream), size_(size), options_(options) {
  Graph graph;
  const Scope scope(graph, parameters_, {.dtype = dtype_of<T>});
  const Value objective = factored_objective(scope, size, options.penalties);
  append_updates(graph.apply(Sum{}, {objective}), parameters_, options.optimizer);
  parameters_.initialise(0);
  program_ = std::make_unique<Program>(graph, ProgramOptions{.threads = stream.threads(), .deterministic = true});
  program_->bind_all(parameters_.tensors());
}

template <class T>
void FactoredProgram<T>::set_weights(const FactoredWeights<T>& weights) {
  write(parameters_, kSpaceWeights, weights.space);
  write(parameters_, kChannelWeights, weights.channels);
  write(parameters_, kBiases, weights.bias);
}

template <class T>
FactoredWeights<T> FactoredProgram<T>::weights() const {
  return {read<T>(parameters_, kSpaceWeights, size_.units), read<T>(parameters_, kChannelWeights, size_.units),
          read<T>(parameters_, kBiases, size_.units)};
}

template <class T>
void FactoredProgram<T>::fill_features(const FactoredBatch<T>& batch, const FeatureScaling<T>& scaling) {
  const std::int64_t features = size_.positions() * size_.channels;
  T* const to = program_->input("features").template as<T>();
  stream_.parallel_for(size_.batch, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (i < std::ssize(batch.rows)) {
        scaling.apply(batch.rows[i], to + i * features);
      } else {
        std::fill_n(to + i * features, features, T{0});
      }
    }
  });
}

template <class T>
void FactoredProgram<T>::fill_targets(const FactoredBatch<T>& batch, MatrixView<T> y) {
  T* const targets = program_->input("target").template as<T>();
  T* const weights = program_->input("row_weight").template as<T>();
  const T weight = T{1} / static_cast<T>(batch.positions.size());
  for (std::int64_t i = 0; i < size_.batch; ++i) {
    const bool filled = i < std::ssize(batch.positions);
    weights[i] = filled ? weight : T{0};
    if (filled) {
      std::ranges::copy(y.row(batch.positions[i]), targets + i * size_.units);
    } else {
      std::fill_n(targets + i * size_.units, size_.units, T{0});
    }
  }
}

template <class T>
MatrixView<T> FactoredProgram<T>::predict(const FactoredBatch<T>& batch, const FeatureScaling<T>& scaling) {
  fill_features(batch, scaling);
  program_->run();
  return {program_->output("prediction").template as<T>(), std::ssize(batch.rows), size_.units, size_.units};
}

template <class T>
std::span<const T> FactoredProgram<T>::step(const FactoredBatch<T>& batch, const FeatureScaling<T>& scaling,
                                            MatrixView<T> y, double rate) {
  fill_features(batch, scaling);
  fill_targets(batch, y);
  *program_->input("learning_rate").template as<T>() = static_cast<T>(rate);
  ++steps_;
  if (program_->graph().inputs().contains("step")) {
    *program_->input("step").template as<std::int32_t>() = static_cast<std::int32_t>(steps_);
  }
  program_->run();
  return {program_->output("objective").template as<T>(), static_cast<std::size_t>(size_.units)};
}

template <class T>
FactoredProgram<T> FactoredProgram<T>::keep(std::span<const std::int64_t> columns) const {
  FactoredSize size = size_;
  size.units = std::ssize(columns);
  FactoredProgram kept(stream_, size, options_);
  // The last axis of every parameter and of its optimizer's state is that of the units.
  for (const auto& [name, tensor] : parameters_.tensors()) {
    write(kept.parameters_, name, columns_of(read<T>(parameters_, name, size_.units), columns));
  }
  kept.steps_ = steps_;
  return kept;
}

template struct FactoredWeights<float>;
template struct FactoredWeights<double>;
template FactoredWeights<float> initial_factored_weights(const FactoredSize&, const FactoredOptions&);
template FactoredWeights<double> initial_factored_weights(const FactoredSize&, const FactoredOptions&);
template class FactoredProgram<float>;
template class FactoredProgram<double>;

}  // namespace chiasm
