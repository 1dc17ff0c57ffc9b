// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>

#include "engine/io/npy.h"
#include "kernels/error.h"
#include "tools/neural/analysis_folder.h"
#include "tools/neural/feature_options.h"
#include "tools/neural/fit_options.h"
#include "tools/neural/map_job.h"
#include "tools/neural/map_summary.h"
#include "tools/neural/response_options.h"
#include "tools/terminal/command_line.h"
#include "tools/terminal/interrupt.h"
#include "tools/terminal/progress.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

struct Options {
  FeatureOptions features;
  ResponseOptions responses;
  FitOptions fit;
  std::string time = "average", predictions, out;
  bool standardise = false, json = false, quiet = false;
};

// Training indices count the stimuli of the responses' file, some of which may have no features.
std::vector<Split> splits_of(const Options& o, const std::vector<std::int64_t>& kept, std::int64_t all) {
  if (o.fit.train_indices.empty() || std::ssize(kept) == all) return o.fit.split(std::ssize(kept));
  std::vector<std::int64_t> train;
  for (const std::int64_t index : read_indices(o.fit.train_indices, "--train-indices")) {
    const auto at = std::ranges::find(kept, index);
    if (at == kept.end()) {
      throw InputError("--train-indices: stimulus " + std::to_string(index) + " of " + o.responses.file +
                       " has no features in " + o.features.file);
    }
    train.push_back(at - kept.begin());
  }
  return {split_by(train, std::ssize(kept))};
}

MapJob job_of(const Options& o, MapAbout& about) {
  MapJob job;
  job.features = o.features.open();
  job.layers = o.features.select_layers(*job.features);
  const NeuralDataset dataset = o.responses.load();
  const StimulusMatch match =
      align_stimuli(job.features->stimuli(), {o.responses.file, dataset.stimuli(), dataset.stimulus_ids});
  about = {o.features.file, match.text, o.responses};
  if (!match.complete() || match.doubtful) std::cerr << match.text << '\n';
  job.rows = match.first;
  job.responses = match.complete() ? dataset : select_stimuli(dataset, match.second);
  job.targets = targets_of(job.responses, parse_halving(o.responses.halves));
  job.map = o.fit.map();
  job.splits = splits_of(o, match.second, dataset.stimuli());
  job.bootstraps = o.fit.bootstraps_for(dataset.repeats());
  if (job.bootstraps > 0) o.responses.require_repeats(dataset, "correction for noise (--bootstraps above 0)");
  job.seed = o.fit.seed;
  job.dtype = o.fit.dtype();
  job.standardise = o.standardise;
  job.time = o.time == "fixed" ? MapTime::kFixed : o.time == "per-bin" ? MapTime::kPerBin : MapTime::kAverage;
  if (job.time == MapTime::kAverage) {
    for (const std::size_t layer : job.layers) job.steps.push_back(o.features.select_steps(*job.features, layer));
  } else {
    if (!o.features.steps.empty()) throw InputError("--steps: allowed with --time average only");
    job.steps.push_back(steps_of_bins(*job.features, job.responses));
  }
  return job;
}

int map(const Options& o) {
  if (!o.out.empty()) check_analysis_folder(o.out);
  MapAbout about;
  const MapJob job = job_of(o, about);
  InterruptGuard interrupt;
  Progress progress(std::cerr, {.label = o.fit.method,
                                .unit = "fit",
                                .total = fits_of(job),
                                .style = progress_style(2, o.quiet),
                                .columns = terminal_columns(2)});
  const CpuStream stream(o.fit.threads, true);
  const MapResult result =
      run_map(stream, job, !o.predictions.empty(), [&](std::int64_t done, const std::string& layer) {
        progress.update(done, layer);
        return !interrupt.requested();
      });
  progress.finish();
  if (!result.complete) {
    std::cerr << "interrupted; nothing was written\n";
    return kInterrupted;
  }
  if (result.predictions) write_npy(o.predictions, *result.predictions);
  const std::string json = json_of(job, result, about);
  if (!o.out.empty()) write_analysis(o.out, "map", json);
  std::cout << (o.json ? json + "\n" : table_of(job, result));
  return 0;
}

}  // namespace

void add_map(CommandLine& command) {
  auto o = std::make_shared<Options>();
  Verb verb = command.verb("map", "Predict recorded responses from the features of a model, layer by layer");
  o->features.add_to(verb);
  o->responses.add_to(verb);
  o->fit.add_to(verb);
  verb.option("--time", o->time,
              "average: features and responses averaged over time; fixed: one map for all time bins; per-bin: a "
              "map for each")
      .one_of({"average", "fixed", "per-bin"})
      .show_default();
  verb.flag("--standardise", o->standardise, "Scale each feature to mean 0 and deviation 1 over the stimuli");
  verb.option("--predictions", o->predictions,
              "Write predictions of the test stimuli, in the order of the indices that do not train: .npy, units "
              "x stimuli (x time bins)");
  verb.option("--out", o->out, "Folder for map.json and report.html");
  verb.flag("--json", o->json, "Print JSON");
  verb.flag("--quiet", o->quiet, "No progress");
  verb.footer(
      "Scores: published, corrected for noise as in the studies' tables; plain, the same without the Spearman-Brown "
      "step, which is not biased;\nr, not corrected; r / ceiling, r over the square root of the reliability.\n"
      "Examples:\n  chiasm map --features features.h5 --responses v4.npy\n"
      "  chiasm map --features features.npz --responses it.nc --area IT --method ridge --alpha 1e-3:1e6:10 --out "
      "runs/it\n"
      "  chiasm map --features x.npy --responses y.npy --train-indices train.npy --predictions predicted.npy");
  verb.action([o] { return map(*o); });
}

}  // namespace chiasm
