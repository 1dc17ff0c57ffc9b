// SPDX-License-Identifier: Apache-2.0
#include "analysis/predictivity/map_source.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/error.h"
#include "kernels/random/random_stream.h"

namespace chiasm {
namespace {

template <class T>
PreparedSplits<T> prepare_all(const CpuStream& stream, const MapMethod<T>& method, const Source<T>& source,
                              const std::vector<Split>& splits) {
  auto prepared = std::make_shared<std::vector<std::unique_ptr<PreparedMap<T>>>>(splits.size());
  for (std::size_t s = 0; s < splits.size(); ++s) (*prepared)[s] = method.prepare(stream, source, splits[s]);
  return prepared;
}

std::vector<Split> expand_all(const std::vector<Split>& splits, std::int64_t bins) {
  std::vector<Split> expanded;
  for (const Split& split : splits) expanded.push_back(expand_bins(split, bins));
  return expanded;
}

template <class T>
class ModelSource final : public MapSource<T> {
 public:
  explicit ModelSource(PreparedSplits<T> prepared) : prepared_(std::move(prepared)) {}
  PreparedSplits<T> means(const CpuStream&) const override { return prepared_; }
  PreparedHalves<T> halves(const CpuStream&, std::uint32_t) const override { return {prepared_, prepared_}; }

 private:
  PreparedSplits<T> prepared_;
};

template <class T>
class AnimalSource final : public MapSource<T> {
 public:
  AnimalSource(const MapMethod<T>& method, std::vector<const Trials*> animals, std::vector<Split> splits,
               const AnimalSourceConfig& config)
      : method_(method), animals_(std::move(animals)), splits_(std::move(splits)), config_(config) {}

  PreparedSplits<T> means(const CpuStream& stream) const override {
    std::vector<Matrix<double>> parts;
    for (const Trials* animal : animals_) parts.push_back(animal->means());
    return prepare(stream, parts, kept_units(parts, {}, 0));
  }

  PreparedHalves<T> halves(const CpuStream& stream, std::uint32_t draw) const override {
    std::vector<Matrix<double>> first, second;
    for (const Trials* animal : animals_) {
      TrialHalves halves = animal->halves(config_.seed, draw);
      first.push_back(std::move(halves.first));
      second.push_back(std::move(halves.second));
    }
    const std::vector<std::int64_t> kept = kept_units(first, second, draw);
    return {prepare(stream, first, kept), prepare(stream, second, kept)};
  }

 private:
  // Units, counted through all animals, whose responses are all there.
  std::vector<std::int64_t> kept_units(const std::vector<Matrix<double>>& first,
                                       const std::vector<Matrix<double>>& second, std::uint32_t draw) const {
    std::vector<std::int64_t> kept;
    std::int64_t begin = 0;
    for (std::size_t a = 0; a < first.size(); ++a) {
      std::vector<bool> whole(static_cast<std::size_t>(first[a].columns()), true);
      const auto look = [&](const Matrix<double>& m) {
        for (std::int64_t i = 0; i < m.rows(); ++i) {
          for (std::int64_t k = 0; k < m.columns(); ++k) {
            if (!std::isfinite(m(i, k))) whole[static_cast<std::size_t>(k)] = false;
          }
        }
      };
      look(first[a]);
      if (!second.empty()) look(second[a]);
      for (std::size_t k = 0; k < whole.size(); ++k) {
        if (whole[k]) kept.push_back(begin + static_cast<std::int64_t>(k));
      }
      begin += first[a].columns();
    }
    if (kept.empty()) throw InputError("no unit of " + animals_[0]->name() + " has a response to every stimulus");
    if (config_.subsample > 0 && config_.subsample < std::ssize(kept)) {
      const RandomStream random({.seed = config_.seed, .purpose = RandomPurpose::kTrials, .epoch = draw, .sample = 1});
      for (std::int64_t i = 0; i < config_.subsample; ++i) {
        const auto rest = static_cast<std::uint64_t>(std::ssize(kept) - i);
        std::swap(kept[static_cast<std::size_t>(i)],
                  kept[static_cast<std::size_t>(i) + random.below(rest, static_cast<std::uint64_t>(i))]);
      }
      kept.resize(static_cast<std::size_t>(config_.subsample));
      std::ranges::sort(kept);
    }
    return kept;
  }

  PreparedSplits<T> prepare(const CpuStream& stream, const std::vector<Matrix<double>>& parts,
                            const std::vector<std::int64_t>& kept) const {
    Matrix<T> source(parts[0].rows(), std::ssize(kept));
    std::int64_t begin = 0;
    std::size_t part = 0;
    for (std::int64_t k = 0; k < source.columns(); ++k) {
      while (kept[static_cast<std::size_t>(k)] - begin >= parts[part].columns()) begin += parts[part++].columns();
      const std::int64_t column = kept[static_cast<std::size_t>(k)] - begin;
      for (std::int64_t i = 0; i < source.rows(); ++i) source(i, k) = static_cast<T>(parts[part](i, column));
    }
    return prepare_all(stream, method_, Source<T>(std::move(source)), splits_);
  }

  const MapMethod<T>& method_;
  std::vector<const Trials*> animals_;
  std::vector<Split> splits_;
  AnimalSourceConfig config_;
};

}  // namespace

Split expand_bins(const Split& split, std::int64_t bins) {
  const auto expand = [&](const std::vector<std::int64_t>& stimuli) {
    std::vector<std::int64_t> rows;
    rows.reserve(stimuli.size() * static_cast<std::size_t>(bins));
    for (const std::int64_t stimulus : stimuli) {
      for (std::int64_t bin = 0; bin < bins; ++bin) rows.push_back(stimulus * bins + bin);
    }
    return rows;
  };
  return {expand(split.train), expand(split.test)};
}

template <class T>
std::unique_ptr<MapSource<T>> model_source(const CpuStream& stream, const MapMethod<T>& method, const Source<T>& source,
                                           const std::vector<Split>& splits, std::int64_t bins) {
  return std::make_unique<ModelSource<T>>(prepare_all(stream, method, source, expand_all(splits, bins)));
}

template <class T>
std::unique_ptr<MapSource<T>> animal_source(const MapMethod<T>& method, std::vector<const Trials*> animals,
                                            const std::vector<Split>& splits, const AnimalSourceConfig& config) {
  if (animals.empty()) throw InputError("a map from other animals needs one or more of them");
  for (const Trials* animal : animals) {
    if (animal->stimuli() != animals[0]->stimuli() || animal->bins() != animals[0]->bins()) {
      throw InputError("responses of " + animal->name() + " are to " + std::to_string(animal->stimuli()) +
                       " stimuli in " + std::to_string(animal->bins()) + " time bins, those of " + animals[0]->name() +
                       " to " + std::to_string(animals[0]->stimuli()) + " in " + std::to_string(animals[0]->bins()));
    }
  }
  auto expanded = expand_all(splits, animals[0]->bins());
  return std::make_unique<AnimalSource<T>>(method, std::move(animals), std::move(expanded), config);
}

#define CHIASM_INSTANTIATE(T)                                                                                  \
  template std::unique_ptr<MapSource<T>> model_source(const CpuStream&, const MapMethod<T>&, const Source<T>&, \
                                                      const std::vector<Split>&, std::int64_t);                \
  template std::unique_ptr<MapSource<T>> animal_source(const MapMethod<T>&, std::vector<const Trials*>,        \
                                                       const std::vector<Split>&, const AnimalSourceConfig&);
CHIASM_INSTANTIATE(float)
CHIASM_INSTANTIATE(double)
#undef CHIASM_INSTANTIATE

}  // namespace chiasm
