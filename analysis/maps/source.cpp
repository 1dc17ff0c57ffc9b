// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/source.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>

#include "analysis/maps/products.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kGrain = 1 << 18;  // values that one thread looks at

template <class T>
void require_finite(const CpuStream& stream, MatrixView<T> rows, std::int64_t first) {
  std::vector<std::int64_t> bad(static_cast<std::size_t>(rows.rows), -1);  // the first such unit of each row
  stream.parallel_for(rows.rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, rows.columns)),
                      [&](std::int64_t begin, std::int64_t end) {
                        for (std::int64_t i = begin; i < end; ++i) {
                          const auto row = rows.row(i);
                          // A sum of x - x is 0 unless one is not finite; unlike a search it is vectorised.
                          T zero = 0;
                          for (const T value : row) zero += value - value;
                          if (zero == T{0}) continue;
                          bad[i] = std::ranges::find_if(row, [](T v) { return !std::isfinite(v); }) - row.begin();
                        }
                      });
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    const std::int64_t unit = bad[static_cast<std::size_t>(i)];
    if (unit < 0) continue;
    const std::string where = "stimulus " + std::to_string(first + i) + ", unit " + std::to_string(unit);
    throw NumericalError(where, "the source of a map has the value " + std::to_string(rows(i, unit)) + " at " + where +
                                    " (counted from 0); all must be finite");
  }
}

}  // namespace

template <class T>
struct Source<T>::State {
  std::int64_t stimuli = 0, units = 0, most_bytes = 0;
  Reader read;  // empty: in memory
  std::mutex reading, loading, computing;
  std::optional<Matrix<T>> values;
  bool checked = false;  // values are known to be finite
  std::optional<Matrix<double>> gram;

  std::int64_t row_bytes() const { return std::max<std::int64_t>(1, units * static_cast<std::int64_t>(sizeof(T))); }

  Matrix<T> block(const CpuStream& stream, std::int64_t first, std::int64_t count) {
    const std::lock_guard lock(reading);
    Matrix<T> rows = read(first, count);
    if (rows.rows() != count || rows.columns() != units) {
      throw InternalError("the reader of a source gave " + std::to_string(rows.rows()) + " x " +
                          std::to_string(rows.columns()) + " values instead of " + std::to_string(count) + " x " +
                          std::to_string(units));
    }
    require_finite<T>(stream, rows, first);
    return rows;
  }

  const Matrix<T>& all(const CpuStream& stream) {
    const std::lock_guard lock(loading);
    if (!values) {
      values = block(stream, 0, stimuli);
      checked = true;
    }
    if (!checked) require_finite<T>(stream, *values, 0);
    checked = true;
    return *values;
  }
};

template <class T>
Source<T>::Source(Matrix<T> values) : state_(std::make_shared<State>()) {
  state_->stimuli = values.rows();
  state_->units = values.columns();
  state_->most_bytes = values.rows() * state_->row_bytes();
  state_->values = std::move(values);
}

template <class T>
Source<T>::Source(std::int64_t stimuli, std::int64_t units, Reader read, std::int64_t most_bytes)
    : state_(std::make_shared<State>()) {
  state_->stimuli = stimuli;
  state_->units = units;
  state_->most_bytes = most_bytes;
  state_->read = std::move(read);
}

template <class T>
std::int64_t Source<T>::stimuli() const {
  return state_->stimuli;
}

template <class T>
std::int64_t Source<T>::units() const {
  return state_->units;
}

template <class T>
std::int64_t Source<T>::most_bytes() const {
  return state_->most_bytes;
}

template <class T>
bool Source<T>::fits() const {
  return !state_->read || state_->stimuli * state_->row_bytes() <= state_->most_bytes;
}

template <class T>
const Matrix<T>& Source<T>::values(const CpuStream& stream) const {
  return state_->all(stream);
}

template <class T>
Matrix<T> Source<T>::rows(std::span<const std::int64_t> indices) const {
  if (fits()) return take_rows<T>(values(CpuStream(1)), indices);
  Matrix<T> taken(std::ssize(indices), units());
  for_each_block([&](std::int64_t first, MatrixView<T> block) {
    for (std::int64_t i = 0; i < taken.rows(); ++i) {
      const std::int64_t row = indices[static_cast<std::size_t>(i)] - first;
      if (row >= 0 && row < block.rows) std::ranges::copy(block.row(row), taken.row(i).begin());
    }
  });
  return taken;
}

template <class T>
void Source<T>::for_each_block(const std::function<void(std::int64_t, MatrixView<T>)>& body, std::int64_t bytes,
                               std::int64_t begin) const {
  if (begin >= stimuli()) return;
  if (fits()) {
    const MatrixView<T> all = values(CpuStream(1));
    body(begin, {all.data + begin * all.stride, all.rows - begin, all.columns, all.stride});
    return;
  }
  const std::int64_t count = std::max<std::int64_t>(1, (bytes > 0 ? bytes : most_bytes()) / state_->row_bytes());
  for (std::int64_t first = begin; first < stimuli(); first += count) {
    body(first, state_->block(CpuStream(1), first, std::min(count, stimuli() - first)));
  }
}

template <class T>
const Matrix<double>& Source<T>::gram(const CpuStream& stream) const {
  const std::lock_guard lock(state_->computing);
  if (!state_->gram) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(stimuli()));
    std::iota(all.begin(), all.end(), 0);
    state_->gram = products(stream, *this, column_moments(stream, *this, all).mean, {});
  }
  return *state_->gram;
}

template class Source<float>;
template class Source<double>;

}  // namespace chiasm
