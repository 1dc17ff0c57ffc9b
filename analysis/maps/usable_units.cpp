// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/usable_units.h"

#include <cmath>
#include <limits>
#include <span>
#include <string>

#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

enum class Unit : std::uint8_t { kVaries, kConstant, kNotFinite };

template <class T>
std::vector<Unit> kinds_of(MatrixView<T> y) {
  std::vector<Unit> kinds(static_cast<std::size_t>(y.columns), Unit::kConstant);
  for (std::int64_t i = 0; i < y.rows; ++i) {
    for (std::int64_t k = 0; k < y.columns; ++k) {
      Unit& kind = kinds[static_cast<std::size_t>(k)];
      if (!std::isfinite(y(i, k))) {
        kind = Unit::kNotFinite;
      } else if (y(i, k) != y(0, k) && kind == Unit::kConstant) {
        kind = Unit::kVaries;
      }
    }
  }
  return kinds;
}

template <class T>
Matrix<T> take_columns(MatrixView<T> y, std::span<const std::int64_t> columns) {
  Matrix<T> taken(y.rows, std::ssize(columns));
  for (std::int64_t i = 0; i < y.rows; ++i) {
    for (std::size_t k = 0; k < columns.size(); ++k) taken.row(i)[k] = y(i, columns[k]);
  }
  return taken;
}

// Choices of the fitted units in the places of all, `none` elsewhere. Methods that choose nothing leave theirs empty.
template <class V>
void spread(std::vector<V>& choices, std::span<const std::int64_t> columns, std::size_t count, V none) {
  if (choices.empty() && !columns.empty()) return;
  std::vector<V> all(count, none);
  for (std::size_t k = 0; k < choices.size(); ++k) all[static_cast<std::size_t>(columns[k])] = choices[k];
  choices = std::move(all);
}

template <class T>
class UsablePrepared final : public PreparedMap<T> {
 public:
  UsablePrepared(std::unique_ptr<PreparedMap<T>> map, const Split& split)
      : map_(std::move(map)), train_(std::ssize(split.train)), test_(std::ssize(split.test)) {}

  Matrix<T> predict(const CpuStream& stream, MatrixView<T> y, MapReport* report) const override {
    if (y.rows != train_) {
      throw ShapeError("a map is fitted on " + std::to_string(train_) + " stimuli, found responses to " +
                       std::to_string(y.rows));
    }
    const std::vector<Unit> kinds = kinds_of(y);
    std::vector<std::int64_t> fitted;
    MapReport counts;
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      if (kinds[k] == Unit::kVaries) fitted.push_back(static_cast<std::int64_t>(k));
      counts.constant += kinds[k] == Unit::kConstant;
      counts.not_finite += kinds[k] == Unit::kNotFinite;
    }
    if (std::ssize(fitted) == y.columns) return map_->predict(stream, y, report);
    Matrix<T> predictions(test_, y.columns);
    for (std::int64_t i = 0; i < test_; ++i) {
      for (std::int64_t k = 0; k < y.columns; ++k) {
        predictions(i, k) = kinds[static_cast<std::size_t>(k)] == Unit::kNotFinite ? static_cast<T>(kNaN) : y(0, k);
      }
    }
    if (!fitted.empty()) {
      const Matrix<T> found = map_->predict(stream, take_columns<T>(y, fitted), report);
      for (std::int64_t i = 0; i < test_; ++i) {
        for (std::size_t k = 0; k < fitted.size(); ++k) predictions(i, fitted[k]) = found.row(i)[k];
      }
    } else if (report != nullptr) {
      *report = {};
    }
    if (report != nullptr) {
      report->constant = counts.constant;
      report->not_finite = counts.not_finite;
      spread(report->alpha, fitted, kinds.size(), kNaN);
      spread(report->l1_ratio, fitted, kinds.size(), kNaN);
      spread(report->unit, fitted, kinds.size(), std::int64_t{-1});
    }
    return predictions;
  }

 private:
  std::unique_ptr<PreparedMap<T>> map_;
  std::int64_t train_, test_;
};

void require_rows(const std::vector<std::int64_t>& rows, const char* which, std::int64_t stimuli) {
  if (rows.empty()) throw InputError(std::string("a map needs ") + which + " stimuli, found none");
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= stimuli) {
      throw InputError(std::string("a split has the ") + which + " stimulus " + std::to_string(row) +
                       ", but the source has " + std::to_string(stimuli) + " (counted from 0)");
    }
  }
}

template <class T>
class Usable final : public MapMethod<T> {
 public:
  explicit Usable(std::unique_ptr<MapMethod<T>> method) : method_(std::move(method)) {}
  std::unique_ptr<PreparedMap<T>> prepare(const CpuStream& stream, const Source<T>& source,
                                          const Split& split) const override {
    require_rows(split.train, "training", source.stimuli());
    require_rows(split.test, "test", source.stimuli());
    return std::make_unique<UsablePrepared<T>>(method_->prepare(stream, source, split), split);
  }

 private:
  std::unique_ptr<MapMethod<T>> method_;
};

}  // namespace

template <class T>
std::unique_ptr<MapMethod<T>> usable(std::unique_ptr<MapMethod<T>> method) {
  return std::make_unique<Usable<T>>(std::move(method));
}

template std::unique_ptr<MapMethod<float>> usable(std::unique_ptr<MapMethod<float>>);
template std::unique_ptr<MapMethod<double>> usable(std::unique_ptr<MapMethod<double>>);

}  // namespace chiasm
