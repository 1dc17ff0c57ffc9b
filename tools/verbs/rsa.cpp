// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <optional>

#include "kernels/error.h"
#include "tools/neural/analysis_folder.h"
#include "tools/neural/feature_options.h"
#include "tools/neural/response_options.h"
#include "tools/neural/rsa_job.h"
#include "tools/terminal/command_line.h"
#include "tools/terminal/interrupt.h"
#include "tools/terminal/progress.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

struct Options {
  FeatureOptions features;
  ResponseOptions responses;
  std::vector<std::string> rdms;
  std::string rdm_key, metric = "correlation", comparison = "pearson", out;
  std::optional<int> bootstraps;
  std::uint64_t seed = 0;
  int threads = 0, regression = 0, folds = 6;
  bool apart = false, json = false, quiet = false;
};

// Of one layer, in the precision its activity is stored in: ties between distances are told from noise by it.
Rdm rdm_of_layer(const CpuStream& stream, const std::shared_ptr<const FeatureLayers>& features, std::size_t layer,
                 const std::vector<std::size_t>& steps, const std::vector<std::int64_t>& rows, Dissimilarity measure) {
  const DType stored = features->read(layer, steps.front(), 0, 1).dtype();
  if (stored == DType::kFloat32) {
    return dissimilarity(stream, feature_source<float>(features, layer, steps, rows), measure);
  }
  return dissimilarity(stream, feature_source<double>(features, layer, steps, rows), measure);
}

RsaJob job_of(const Options& o, const CpuStream& stream, std::string& matching) {
  RsaJob job;
  job.config = {.dissimilarity = parse_dissimilarity(o.metric),
                .comparison = parse_rdm_comparison(o.comparison),
                .bootstraps = 0,
                .seed = o.seed};
  std::vector<std::int64_t> rows;  // of the features; empty: all
  std::shared_ptr<const FeatureLayers> features;
  if (!o.features.file.empty()) features = o.features.open();
  if (!o.responses.file.empty()) {
    NeuralDataset dataset = o.responses.load();
    if (features) {
      const StimulusMatch match =
          align_stimuli(features->stimuli(), {o.responses.file, dataset.stimuli(), dataset.stimulus_ids});
      matching = match.text;
      if (!match.complete() || match.doubtful) std::cerr << match.text << '\n';
      if (!match.complete()) {
        dataset = select_stimuli(dataset, match.second);
      }
      rows = match.first;
    }
    job.config.bootstraps = o.bootstraps.value_or(dataset.repeats() < 2 ? 0 : 100);
    job.references = references_of(stream, dataset, targets_of(dataset, parse_halving(o.responses.halves)), job.config);
  }
  for (const std::string& file : o.rdms) {
    for (RsaReference& reference : references_of(file, read_rdms(file, o.rdm_key), o.apart, job.config)) {
      job.references.push_back(std::move(reference));
    }
  }
  if (job.references.empty()) throw InputError("nothing to compare with: give --responses or --rdm");
  if (!features && job.references.size() < 2) {
    throw InputError("nothing to compare: give --features, or a second --rdm");
  }
  if (!features) {
    if (o.regression > 0) throw InputError("--regression: there are no --features to regress on");
    return job;
  }
  job.regression_splits = o.regression;
  job.regression_folds = o.folds;
  for (const std::size_t layer : o.features.select_layers(*features)) {
    job.layers.push_back({features->layers()[layer].name,
                          rdm_of_layer(stream, features, layer, o.features.select_steps(*features, layer), rows,
                                       job.config.dissimilarity)});
  }
  return job;
}

int rsa(const Options& o) {
  if (!o.out.empty()) check_analysis_folder(o.out);
  const CpuStream stream(o.threads, true);
  std::string matching;
  RsaJob job = job_of(o, stream, matching);
  InterruptGuard interrupt;
  std::int64_t total = 0;
  for (const RsaReference& reference : job.references) {
    if (!reference.trials.empty()) total += job.config.bootstraps;
  }
  Progress progress(std::cerr, {.label = "rsa",
                                .unit = "bootstrap",
                                .total = total,
                                .style = progress_style(2, o.quiet || total == 0),
                                .columns = terminal_columns(2)});
  job.config.progress = [&](std::int64_t done, std::int64_t) {
    progress.update(done);
    return !interrupt.requested();
  };
  const RsaResult result = run_rsa(stream, job);
  progress.finish();
  if (!result.complete) {
    std::cerr << "interrupted; nothing was written\n";
    return kInterrupted;
  }
  const std::string json = json_of(job, result, o.features.file, matching);
  if (!o.out.empty()) write_analysis(o.out, "rsa", json);
  std::cout << (o.json ? json + "\n" : table_of(job, result));
  return 0;
}

}  // namespace

void add_rsa(CommandLine& command) {
  auto o = std::make_shared<Options>();
  Verb verb = command.verb("rsa", "Compare dissimilarity matrices of layers and of brains");
  o->features.add_to(verb, false);
  o->responses.add_to(verb, false);
  verb.option("--rdm", o->rdms,
              "Dissimilarity matrices: .npy, .npz, .h5 or .mat; those of one file are subjects of one brain");
  verb.option("--rdm-key", o->rdm_key, "Which arrays of it: a name or a pattern");
  verb.flag("--apart", o->apart, "The matrices of one file are brains of their own");
  verb.option("--metric", o->metric, "How stimuli differ").one_of(dissimilarity_names()).show_default();
  verb.option("--comparison", o->comparison, "How matrices are compared").one_of(rdm_comparison_names()).show_default();
  verb.option("--bootstraps", o->bootstraps, "Halvings of the trials for noise correction (100); 0: none")
      .range(0, 1000000);
  verb.option("--regression", o->regression,
              "Also predict each brain's matrix by all layers together, with weights that are not negative, for "
              "images held out, in so many random splits into folds")
      .range(0, 100000);
  verb.option("--folds", o->folds, "Of the regression, over images").range(2, 1000).show_default();
  verb.option("--seed", o->seed, "Of the halvings").show_default();
  verb.option("--threads", o->threads, "0: one per core").range(0, 4096).show_default();
  verb.option("--out", o->out, "Folder for rsa.json and report.html");
  verb.flag("--json", o->json, "Print JSON");
  verb.flag("--quiet", o->quiet, "No progress");
  verb.footer(
      "Examples:\n  chiasm rsa --features features.h5 --responses visp.npz\n"
      "  chiasm rsa --features features.npz --rdm it.npy --comparison spearman --out runs/it\n"
      "  chiasm rsa --rdm monkey.npy --rdm human.npy --comparison spearman");
  verb.action([o] { return rsa(*o); });
}

}  // namespace chiasm
