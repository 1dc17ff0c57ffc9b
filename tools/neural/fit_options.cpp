// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/fit_options.h"

#include "analysis/maps/elastic_net_search.h"
#include "analysis/matrix.h"
#include "engine/io/npy.h"
#include "kernels/error.h"
#include "tools/neural/response_options.h"

namespace chiasm {
namespace {

// Penalties by the name of a grid; returns its folds.
int set_grid(MapOptions& options, const std::string& name) {
  const bool sparse = options.method == "elasticnet" || options.method == "lasso";
  if (options.method == "ridge" && name == "grid") {
    options.alphas = parse_grid("1e-8:1e8:17", "--alpha");
    return 0;
  }
  if (!sparse || (name != "grid" && name != "grid-short" && name != "grid-1d")) {
    throw InputError("--alpha: found \"" + name + "\" for " + options.method +
                     "; allowed are grid for ridge, and grid, grid-short and grid-1d for lasso and elasticnet");
  }
  const ElasticNetGrid grid = name == "grid" ? mec_grid() : name == "grid-short" ? mec_short_grid() : mec_1d_grid();
  options.alphas = grid.alphas;
  options.alpha_over_n = grid.alpha_over_n;
  if (options.method == "elasticnet") options.l1_ratios = grid.l1_ratios;
  return grid.folds;
}

}  // namespace

void FitOptions::add_to(Verb verb) {
  verb.option("--method", method, "The map").one_of(map_methods()).show_default();
  verb.option("--components", components, "Of pls; at most as many as the training stimuli allow")
      .range(1, 1 << 20)
      .show_default();
  verb.flag("--scale", scale, "pls: divide by standard deviations");
  verb.flag("--converged", converged, "pls: the converged weights, not those of the usual tolerance");
  verb.option("--alpha", alpha,
              "Penalty of ridge, lasso and elasticnet (1): a number, or for a choice 0.1,1,10, lowest:highest:count "
              "or grid (ridge: 1e-8:1e8:17; the others: that of the MEC studies, also grid-short and grid-1d); of "
              "factored (0.1): L2, of space and of channels");
  verb.option("--l1-ratio", l1_ratio, "elasticnet: share of the L1 penalty (0.5), a number or several");
  verb.flag("--alpha-over-n", alpha_over_n, "Divide alpha by the number of training stimuli");
  verb.option("--folds", folds, "How one of several penalties is chosen: 0 leave-one-out (ridge), else folds (2)")
      .range(0, 1000);
  verb.option("--train-fraction", train_fraction, "Of the stimuli").show_default();
  verb.option("--splits", splits, "How many random splits into training and test stimuli; split s has seed s")
      .range(1, 100000)
      .show_default();
  verb.option("--train-indices", train_indices,
              "Train on these stimuli, test on the rest: an .npy file, or numbers and ranges such as 0..319");
  verb.option("--bootstraps", bootstraps, "Halvings of the trials for noise correction (100); 0: none")
      .range(0, 1000000);
  verb.option("--seed", seed, "Of the halvings, and added to the seeds of the splits").show_default();
  verb.option("--dtype", type, "float64 or float32; default: float64, and float32 for factored")
      .one_of({"float64", "float32"});
  verb.option("--threads", threads, "0: one per core").range(0, 4096).show_default();
}

MapOptions FitOptions::map() const {
  MapOptions options;
  options.method = method;
  options.components = components;
  options.scale = scale;
  options.converged = converged;
  options.factored.seed = seed;
  options.alpha_over_n = alpha_over_n;
  int usual_folds = 2;
  if (alpha.starts_with("grid")) {
    usual_folds = set_grid(options, alpha);
  } else if (!alpha.empty()) {
    options.alphas = parse_grid(alpha, "--alpha");
  }
  if (!l1_ratio.empty()) options.l1_ratios = parse_grid(l1_ratio, "--l1-ratio");
  if (method == "factored" && !alpha.empty()) {
    if (options.alphas.size() != 1) throw InputError("--alpha: found \"" + alpha + "\"; factored allows one number");
    options.factored.penalties.space_l2 = options.factored.penalties.channels_l2 = options.alphas[0];
  }
  const bool chooses = options.alphas.size() > 1 || (method == "elasticnet" && options.l1_ratios.size() > 1);
  options.folds = folds.value_or(chooses && method != "ridge" ? usual_folds : 0);
  return options;
}

std::string FitOptions::dtype() const {
  if (!type.empty()) return type;
  return method == "factored" ? "float32" : "float64";
}

std::vector<Split> FitOptions::split(std::int64_t count) const {
  if (!train_indices.empty()) return {split_by(read_indices(train_indices, "--train-indices"), count)};
  std::vector<Split> all;
  for (int s = 0; s < splits; ++s) {
    all.push_back(
        random_split(static_cast<std::uint32_t>(seed) + static_cast<std::uint32_t>(s), count, train_fraction));
  }
  return all;
}

int FitOptions::bootstraps_for(std::int64_t repeats) const { return bootstraps.value_or(repeats < 2 ? 0 : 100); }

std::vector<std::int64_t> read_indices(const std::string& file_or_text, const std::string& option) {
  if (!file_or_text.ends_with(".npy")) return parse_numbers(file_or_text, option);
  const Tensor tensor = read_npy(file_or_text);
  if (tensor.shape().rank() != 1 || tensor.dtype() != DType::kInt32) {
    throw InputError(option + ": " + file_or_text + " holds " + to_string(tensor.spec()) +
                     "; allowed is one axis of whole numbers");
  }
  return {tensor.values<std::int32_t>().begin(), tensor.values<std::int32_t>().end()};
}

}  // namespace chiasm
