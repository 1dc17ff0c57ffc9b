// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "analysis/behaviour/linear_readout.h"
#include "analysis/data/array_container.h"
#include "analysis/statistics/summary.h"
#include "kernels/error.h"
#include "tools/neural/feature_options.h"
#include "tools/neural/fit_options.h"
#include "tools/neural/image_classes.h"
#include "tools/run_folder/environment.h"
#include "tools/terminal/command_line.h"
#include "tools/terminal/interrupt.h"
#include "tools/terminal/number_text.h"
#include "tools/terminal/progress.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  FeatureOptions features;
  std::string labels, targets, targets_key, train_indices;
  double train_fraction = 0.5;
  int splits = 10, threads = 0;
  std::int64_t components = 1000;
  std::uint32_t seed = 0;
  bool each_split = false, json = false, quiet = false;
};

struct LayerReadout {
  std::string layer;
  LinearReadout result;
};

// Of classes, each class is split. `labels` empty: numbers.
std::vector<Split> splits_of(const Options& o, std::int64_t images, std::span<const std::int32_t> labels) {
  if (!o.train_indices.empty()) return {split_by(read_indices(o.train_indices, "--train-indices"), images)};
  std::vector<Split> splits;
  for (int s = 0; s < o.splits; ++s) {
    const std::uint32_t seed = o.seed + static_cast<std::uint32_t>(s);
    splits.push_back(labels.empty() ? random_split(seed, images, o.train_fraction)
                                    : stratified_split(seed, labels, o.train_fraction));
  }
  return splits;
}

// [images, outputs].
Matrix<double> targets_of(const Options& o, const FeatureLayers& features) {
  const auto file = open_arrays(o.targets);
  const std::vector<std::string> names = file->arrays();
  const std::string key = o.targets_key.empty() && names.size() == 1 ? names[0] : o.targets_key;
  const Matrix<double> targets = matrix_of<double>(file->read(key));
  bool warned = false;
  return take_rows(targets.view(), std::span<const std::int64_t>(rows_for_stimuli(
                                       features, *file, "--targets: " + file->label(key), targets.rows(), warned)));
}

int readout(const Options& o) {
  if (!o.labels.empty() && !o.targets.empty()) throw InputError("--labels and --targets: allowed is one of them");
  const auto features = o.features.open();
  const std::int64_t images = features->stimuli().count;
  const bool regression = !o.targets.empty();
  const ImageClasses classes = regression ? ImageClasses() : read_classes(*features, o.labels);
  const Matrix<double> targets = regression ? targets_of(o, *features) : Matrix<double>();
  const std::vector<Split> splits = splits_of(o, images, classes.labels);
  const CpuStream stream(o.threads, true);
  InterruptGuard interrupt;
  std::vector<LayerReadout> all;
  for (const std::size_t layer : o.features.select_layers(*features)) {
    const std::string& name = features->layers()[layer].name;
    Progress progress(std::cerr, {.label = name,
                                  .unit = "step",
                                  .total = 0,
                                  .style = progress_style(2, o.quiet),
                                  .columns = terminal_columns(2)});
    LinearReadoutConfig config{.components = o.components, .choose_in_each_split = o.each_split};
    config.progress = [&](std::int64_t done, std::int64_t) {
      progress.update(done);
      return !interrupt.requested();
    };
    const auto source = feature_source<float>(features, layer, o.features.select_steps(*features, layer));
    all.push_back({name, regression ? regress_readout(stream, source, targets.view(), splits, config)
                                    : classify_readout(stream, source, classes.labels,
                                                       static_cast<int>(classes.names.size()), splits, config)});
    progress.finish();
    if (!all.back().result.complete) {
      std::cerr << "interrupted\n";
      return kInterrupted;
    }
  }
  if (o.json) {
    Json layers = Json::array();
    for (const LayerReadout& l : all) {
      layers.push_back({{"layer", l.layer},
                        {"score", l.result.score},
                        {"scores", l.result.scores},
                        {"c", l.result.c},
                        {"outputs_left_out", l.result.outputs_left_out},
                        {"not_converged", l.result.not_converged}});
    }
    const Json json{{"verb", "readout"},
                    {"chiasm", chiasm_version()},
                    {"features", o.features.file},
                    {"task", regression ? "regression" : "classification"},
                    {"classes", classes.names},
                    {"components", o.components},
                    {"seed", o.seed},
                    {"train_fraction", o.train_indices.empty() ? Json(o.train_fraction) : Json()},
                    {"stratified", o.train_indices.empty() && !regression},
                    {"grid", LinearReadoutConfig().grid},
                    {"choose_in_each_split", o.each_split},
                    {"splits", splits.size()},
                    {"train_images", splits[0].train.size()},
                    {"test_images", splits[0].test.size()},
                    {"layers", layers}};
    std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
    return 0;
  }
  std::size_t width = 5;
  for (const LayerReadout& l : all) width = std::max(width, l.layer.size());
  fmt::print("{:<{}} {:>10} {:>8} {:>10}\n", "layer", width, regression ? "r" : "accuracy %", "s.e.m.", "C");
  for (const LayerReadout& l : all) {
    const double scale = regression ? 1.0 : 100.0;
    fmt::print("{:<{}} {:>10} {:>8} {:>10g}", l.layer, width, number_text(scale * l.result.score),
               number_text(scale * summarise(l.result.scores).sem), l.result.c[0]);
    if (l.result.outputs_left_out > 0) fmt::print("  {} outputs undefined", l.result.outputs_left_out);
    if (l.result.not_converged > 0) fmt::print("  {} machines did not converge", l.result.not_converged);
    fmt::print("\n");
  }
  fmt::print("Means over {} split(s) of {} training and {} test images; {}.\n", splits.size(), splits[0].train.size(),
             splits[0].test.size(), regression ? "ridge" : "linear support vector machines");
  return 0;
}

}  // namespace

void add_readout(CommandLine& command) {
  auto o = std::make_shared<Options>();
  Verb verb = command.verb("readout", "What a linear readout of each layer tells about images: transfer tasks");
  o->features.add_to(verb);
  verb.option("--labels", o->labels,
              "Class of each image: an array \"labels\" of .npz, .h5 or .mat, matched by the ids beside it; .npy, or a "
              "text file with a name on each line, in the order of the features; default: the folder of its id");
  verb.option("--targets", o->targets,
              "Instead of classes, numbers to estimate (position, pose, size): an array images x outputs");
  verb.option("--targets-key", o->targets_key, "Which array of the file");
  verb.option("--train-fraction", o->train_fraction, "Of the images, of each class").show_default();
  verb.option("--splits", o->splits, "Random splits; split s has the seed plus s").range(1, 100000).show_default();
  verb.option("--train-indices", o->train_indices, "Train on these images, test on the rest: .npy, or 0..319");
  verb.option("--components", o->components, "Layers with more features are reduced to so many components")
      .range(1, 1 << 20)
      .show_default();
  verb.flag("--choose-in-each-split", o->each_split, "Choose the penalty in each split, not in the first alone");
  verb.option("--seed", o->seed, "Of the splits").show_default();
  verb.option("--threads", o->threads, "0: one per core").range(0, 4096).show_default();
  verb.flag("--json", o->json, "Print JSON");
  verb.flag("--quiet", o->quiet, "No progress");
  verb.footer(
      "Examples:\n  chiasm readout --features features.h5 --labels objects.txt\n"
      "  chiasm readout --features features.h5 --targets position.npy --splits 5 --json");
  verb.action([o] { return readout(*o); });
}

}  // namespace chiasm
