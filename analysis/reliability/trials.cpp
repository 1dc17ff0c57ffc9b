// SPDX-License-Identifier: Apache-2.0
#include "analysis/reliability/trials.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "kernels/error.h"
#include "kernels/random/random_stream.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// FNV-1a: which random numbers a recording gets depends on its name, not on its place in a list.
std::uint32_t hash_of(const std::string& name) {
  std::uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

std::vector<std::int64_t> all_of(const Tensor& responses) {
  std::vector<std::int64_t> units(
      static_cast<std::size_t>(responses.shape().rank() > 0 ? responses.shape()[0] : std::int64_t{0}));
  std::iota(units.begin(), units.end(), 0);
  return units;
}

// A shuffle of [0, count) by numbers first, first + 1, ... of the stream.
void shuffle(const RandomStream& random, std::uint64_t first, std::int64_t count, std::int32_t* order) {
  std::iota(order, order + count, 0);
  for (std::int64_t i = count - 1; i > 0; --i) {
    const auto k = random.below(static_cast<std::uint64_t>(i + 1), first + static_cast<std::uint64_t>(i));
    std::swap(order[i], order[k]);
  }
}

struct Sum {
  double value = 0.0;
  std::int64_t count = 0;
  void add(double x) {
    value += x;
    ++count;
  }
  double mean() const { return count > 0 ? value / static_cast<double>(count) : kNaN; }
};

}  // namespace

Halving parse_halving(const std::string& text) {
  for (const Halving halving : {Halving::kSynchronised, Halving::kPerStimulus, Halving::kAutomatic}) {
    if (text == to_string(halving)) return halving;
  }
  throw InputError("halves '" + text + "': allowed are synchronised, per-stimulus and auto");
}

std::string to_string(Halving halving) {
  switch (halving) {
    case Halving::kSynchronised:
      return "synchronised";
    case Halving::kPerStimulus:
      return "per-stimulus";
    case Halving::kAutomatic:
      break;
  }
  return "auto";
}

Trials::Trials(std::string name, Tensor responses, std::vector<std::int64_t> units, Halving halving)
    : name_(std::move(name)), responses_(std::move(responses)), units_(std::move(units)), halving_(halving) {
  const Shape& shape = responses_.shape();
  if ((shape.rank() != 3 && shape.rank() != 4) ||
      (responses_.dtype() != DType::kFloat32 && responses_.dtype() != DType::kFloat64)) {
    throw ShapeError("responses of " + name_ + ": expected floating [units, stimuli, repeats(, bins)], found " +
                     to_string(responses_.spec()));
  }
  const std::int64_t each = shape.elements() / std::max<std::int64_t>(shape[0], 1);
  for (const std::int64_t unit : units_) {
    if (unit < 0 || unit >= shape[0]) {
      throw InputError("responses of " + name_ + ": unit " + std::to_string(unit) + " of " + std::to_string(shape[0]));
    }
    visit_floating(responses_.dtype(), [&]<class T>() {
      for (const T value : responses_.values<T>().subspan(unit * each, each)) {
        if (std::isinf(value)) {
          throw InputError("responses of " + name_ + ": unit " + std::to_string(unit) +
                           " has an infinite response; a missing trial is NaN");
        }
        missing_ += std::isnan(value);
      }
    });
  }
  if (halving_ == Halving::kAutomatic) halving_ = missing_ > 0 ? Halving::kPerStimulus : Halving::kSynchronised;
}

Trials::Trials(std::string name, const Tensor& responses, Halving halving)
    : Trials(std::move(name), responses, all_of(responses), halving) {}

Matrix<double> Trials::means() const {
  Matrix<double> means(rows(), units());
  visit_floating(responses_.dtype(), [&]<class T>() {
    const T* const data = responses_.values<T>().data();
    for (std::int64_t u = 0; u < units(); ++u) {
      const T* unit = data + units_[static_cast<std::size_t>(u)] * rows() * repeats();
      for (std::int64_t row = 0; row < rows(); ++row) {
        const T* const x = unit + row / bins() * repeats() * bins() + row % bins();
        Sum sum;
        for (std::int64_t k = 0; k < repeats(); ++k) {
          if (!std::isnan(x[k * bins()])) sum.add(static_cast<double>(x[k * bins()]));
        }
        means(row, u) = sum.mean();
      }
    }
  });
  return means;
}

TrialHalves Trials::halves(std::uint64_t seed, std::uint32_t draw) const {
  const RandomStream random(
      {.seed = seed, .purpose = RandomPurpose::kTrials, .epoch = draw, .sample = 0, .op = hash_of(name_)});
  const bool each = halving_ == Halving::kPerStimulus;
  std::vector<std::int32_t> order(static_cast<std::size_t>((each ? stimuli() : 1) * repeats()));
  for (std::int64_t first = 0; first < std::ssize(order); first += repeats()) {
    shuffle(random, static_cast<std::uint64_t>(first), repeats(), order.data() + first);
  }
  TrialHalves halves{Matrix<double>(rows(), units()), Matrix<double>(rows(), units())};
  visit_floating(responses_.dtype(), [&]<class T>() { sum_halves<T>(order, halves); });
  return halves;
}

template <class T>
void Trials::sum_halves(const std::vector<std::int32_t>& order, TrialHalves& halves) const {
  const bool each = halving_ == Halving::kPerStimulus;
  const T* const data = responses_.values<T>().data();
  for (std::int64_t u = 0; u < units(); ++u) {
    const T* unit = data + units_[static_cast<std::size_t>(u)] * rows() * repeats();
    for (std::int64_t row = 0; row < rows(); ++row) {
      const std::int64_t stimulus = row / bins();
      const T* const x = unit + stimulus * repeats() * bins() + row % bins();
      const std::int32_t* const shuffled = order.data() + (each ? stimulus * repeats() : 0);
      std::int64_t present = 0;
      for (std::int64_t k = 0; each && k < repeats(); ++k) present += !std::isnan(x[k * bins()]);
      Sum first, second;
      for (std::int64_t k = 0; k < repeats(); ++k) {
        const double value = static_cast<double>(x[shuffled[k] * bins()]);
        if (std::isnan(value)) continue;
        if (!each) {
          (k < repeats() / 2 ? first : second).add(value);
        } else if (first.count < present / 2) {
          first.add(value);
        } else if (second.count < present / 2) {
          second.add(value);
        }
      }
      halves.first(row, u) = first.mean();
      halves.second(row, u) = second.mean();
    }
  }
}

Trials Trials::bins_averaged(std::int64_t first, std::int64_t count) const {
  if (first < 0 || count < 1 || first + count > bins()) {
    throw InputError("responses of " + name_ + ": bins " + std::to_string(first) + " to " +
                     std::to_string(first + count - 1) + " of " + std::to_string(bins()));
  }
  Tensor averaged(Spec{responses_.dtype(), {units(), stimuli(), repeats()}});
  visit_floating(responses_.dtype(), [&]<class T>() {
    const T* const data = responses_.values<T>().data();
    T* out = averaged.values<T>().data();
    for (const std::int64_t unit : units_) {
      const T* x = data + unit * rows() * repeats();
      for (std::int64_t trial = 0; trial < stimuli() * repeats(); ++trial, x += bins()) {
        double sum = 0.0;
        for (std::int64_t bin = first; bin < first + count; ++bin) sum += static_cast<double>(x[bin]);
        *out++ = static_cast<T>(sum / static_cast<double>(count));
      }
    }
  });
  return Trials(name_, averaged, halving_);
}

}  // namespace chiasm
