// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/rsa_job.h"

#include <algorithm>

#include "kernels/error.h"

namespace chiasm {
namespace {

// Entries that any subject lacks are NaN.
Rdm mean_of(const std::vector<Rdm>& subjects) {
  Rdm mean(subjects[0].items);
  for (const Rdm& subject : subjects) {
    mean.rounding = std::max(mean.rounding, subject.rounding);
    for (std::size_t i = 0; i < mean.values.size(); ++i) {
      mean.values[i] += subject.values[i] / static_cast<double>(subjects.size());
    }
  }
  return mean;
}

RdmSimilarity similarity(const Rdm& layer, const RsaReference& reference, RdmComparison how) {
  if (reference.subjects.empty()) return compare(layer, reference.rdm, how);
  RdmSimilarity mean{};
  for (const Rdm& subject : reference.subjects) {
    const RdmSimilarity one = compare(layer, subject, how);
    mean.value += one.value / static_cast<double>(reference.subjects.size());
    mean.pairs = one.pairs;
    mean.missing = std::max(mean.missing, one.missing);
  }
  return mean;
}

// Each reference on all layers together. References may be to different numbers of stimuli.
std::vector<RdmSignature> regress(const CpuStream& stream, const RsaJob& job) {
  std::vector<double> cells;
  for (const NamedRdm& layer : job.layers) {
    cells.insert(cells.end(), layer.rdm.values.begin(), layer.rdm.values.end());
  }
  const std::int64_t items = job.layers[0].rdm.items, pairs = std::ssize(job.layers[0].rdm.values);
  const Matrix<double> regressors(std::ssize(job.layers), pairs, std::move(cells));
  std::vector<RdmSignature> signatures;
  for (const RsaReference& reference : job.references) {
    if (reference.rdm.items != items) {
      throw InputError(reference.name + " is of " + std::to_string(reference.rdm.items) + " stimuli, the layers of " +
                       std::to_string(items));
    }
    const MatrixView<double> target{reference.rdm.values.data(), 1, pairs, pairs};
    SignatureOptions options;
    options.folds = job.regression_folds;
    options.splits = job.regression_splits;
    options.seed = static_cast<std::uint32_t>(job.config.seed);
    signatures.push_back(rdm_signatures(stream, items, regressors, target, options)[0]);
  }
  return signatures;
}

Population population_of(const std::vector<Target>& targets) {
  Population all;
  for (const Target& target : targets) all.push_back(&target.trials);
  return all;
}

}  // namespace

std::vector<RsaReference> references_of(const CpuStream& stream, const NeuralDataset& dataset,
                                        std::vector<Target> targets, const RsaConfig& config) {
  std::vector<RsaReference> references;
  for (Target& target : targets) {
    target.trials = target.trials.bins_averaged(0, dataset.bins());
    if (references.empty() || references.back().name != (target.area.empty() ? "responses" : target.area)) {
      references.push_back({.name = target.area.empty() ? "responses" : target.area, .rdm = {}});
    }
    references.back().trials.push_back(std::move(target));
  }
  for (RsaReference& reference : references) {
    std::int64_t units = 0;
    for (const Target& target : reference.trials) units += target.trials.units();
    Matrix<double> responses(dataset.stimuli(), units);
    std::int64_t begin = 0;
    for (const Target& target : reference.trials) {
      const Matrix<double> means = target.trials.means();
      for (std::int64_t i = 0; i < means.rows(); ++i) {
        std::ranges::copy(means.row(i), responses.row(i).begin() + begin);
      }
      begin += means.columns();
    }
    reference.rdm = dissimilarity<double>(stream, responses, config.dissimilarity);
  }
  return references;
}

std::vector<RsaReference> references_of(const std::string& file, std::vector<NamedRdm> rdms, bool apart,
                                        const RsaConfig& config) {
  std::vector<RsaReference> references;
  if (apart || rdms.size() == 1) {
    for (NamedRdm& rdm : rdms) references.push_back({.name = rdm.name, .rdm = std::move(rdm.rdm)});
    return references;
  }
  std::vector<Rdm> subjects;
  for (NamedRdm& rdm : rdms) subjects.push_back(std::move(rdm.rdm));
  NoiseCeiling ceiling = noise_ceiling(subjects, config.comparison);
  Rdm mean = mean_of(subjects);
  references.push_back(
      {.name = file, .rdm = std::move(mean), .subjects = std::move(subjects), .ceiling = std::move(ceiling)});
  return references;
}

RsaResult run_rsa(const CpuStream& stream, const RsaJob& job) {
  std::vector<Rdm> rdms;
  RsaResult result;
  std::vector<RsaLayer>& layers = result.layers;
  for (const NamedRdm& layer : job.layers) {
    rdms.push_back(layer.rdm);
    layers.push_back({layer.name, {}, {}});
  }
  RsaConfig config = job.config;
  std::int64_t before = 0, corrected = 0;
  for (const RsaReference& reference : job.references) corrected += !reference.trials.empty();
  if (job.config.progress) {
    config.progress = [&](std::int64_t done, std::int64_t total) {
      return job.config.progress(before + done, total * corrected);
    };
  }
  for (const RsaReference& reference : job.references) {
    for (std::size_t l = 0; l < layers.size(); ++l) {
      layers[l].raw.push_back(similarity(rdms[l], reference, config.comparison));
    }
    if (reference.trials.empty() || config.bootstraps == 0) continue;
    const ModelRsa scores = model_rsa(stream, rdms, population_of(reference.trials), config);
    for (std::size_t l = 0; l < layers.size(); ++l) {
      if (!scores.layers[l].complete) {
        result.complete = false;
        return result;
      }
      layers[l].corrected.push_back(scores.layers[l]);
    }
    before += config.bootstraps;
  }
  if (job.regression_splits > 0) result.regression = regress(stream, job);
  return result;
}

}  // namespace chiasm
