// SPDX-License-Identifier: Apache-2.0
// What `chiasm rsa` computes: how alike the dissimilarity matrices of layers and of brains are.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/data/feature_layers.h"
#include "analysis/similarity/classical_mds.h"
#include "analysis/similarity/noise_ceiling.h"
#include "analysis/similarity/rdm_signature.h"
#include "analysis/similarity/rsa.h"
#include "kernels/stream.h"
#include "tools/neural/rdm_files.h"
#include "tools/neural/response_options.h"

namespace chiasm {

// A brain, or part of one: from responses trial by trial, or the matrices of one or more subjects.
struct RsaReference {
  std::string name;
  Rdm rdm;                                   // of all trials, or the mean of the subjects
  std::vector<Rdm> subjects = {};            // two or more, each of which a layer is compared with, or none
  std::vector<Target> trials = {};           // empty for matrices from files
  std::optional<NoiseCeiling> ceiling = {};  // of two or more subjects
};

struct RsaLayer {
  std::string name;
  std::vector<RdmSimilarity> raw;   // [references]; over subjects, the mean
  std::vector<RsaScore> corrected;  // [references]; empty where nothing is corrected
};

struct RsaJob {
  std::vector<RsaReference> references;
  std::vector<NamedRdm> layers;
  RsaConfig config;
  int regression_splits = 0;  // of the regression of each reference on all layers together; 0: none
  int regression_folds = 6;
};

struct RsaResult {
  std::vector<RsaLayer> layers;
  std::vector<RdmSignature> regression;  // [references], or empty
  bool complete = true;                  // false: progress stopped it
};

// From trials averaged over time, one reference for each area.
std::vector<RsaReference> references_of(const CpuStream& stream, const NeuralDataset& dataset,
                                        std::vector<Target> targets, const RsaConfig& config);
// From the matrices of a file: those of the subjects of one brain, or, with `apart`, a brain each.
std::vector<RsaReference> references_of(const std::string& file, std::vector<NamedRdm> rdms, bool apart,
                                        const RsaConfig& config);

RsaResult run_rsa(const CpuStream& stream, const RsaJob& job);

std::string json_of(const RsaJob& job, const RsaResult& result, const std::string& features,
                    const std::string& matching);
std::string table_of(const RsaJob& job, const RsaResult& result);

}  // namespace chiasm
