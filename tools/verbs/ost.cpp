// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "tools/neural/analysis_folder.h"
#include "tools/neural/ost_job.h"
#include "tools/terminal/command_line.h"
#include "tools/terminal/interrupt.h"
#include "tools/terminal/progress.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

struct Options {
  OstOptions job;
  std::string out;
  int threads = 0;
  bool json = false, quiet = false;
};

int ost(const Options& o) {
  if (!o.out.empty()) check_analysis_folder(o.out);
  const OstJob job = read_ost_job(o.job);
  InterruptGuard interrupt;
  Progress progress(std::cerr, {.label = "solution times",
                                .unit = "readout",
                                .total = readouts_of(job),
                                .style = progress_style(2, o.quiet),
                                .columns = terminal_columns(2)});
  const ObjectSolutionTimes result = run_ost(CpuStream(o.threads, true), job, [&](std::int64_t done, std::int64_t) {
    progress.update(done);
    return !interrupt.requested();
  });
  progress.finish();
  if (!result.complete) {
    std::cerr << "interrupted; nothing was written\n";
    return kInterrupted;
  }
  const std::string json = json_of(job, result);
  if (!o.out.empty()) write_analysis(o.out, "ost", json);
  std::cout << (o.json ? json + "\n" : table_of(job, result));
  return 0;
}

}  // namespace

void add_ost(CommandLine& command) {
  auto o = std::make_shared<Options>();
  OstOptions& job = o->job;
  Verb verb = command.verb("ost", "When a model solves each image, compared with when primates do");
  job.features.add_to(verb);
  verb.option("--labels", job.labels,
              "Class of each image: an array \"labels\" of .npz, .h5 or .mat, matched by the ids beside it "
              "(\"stimulus_ids\"); .npy, or a text file with a name on each line, in the order of the features; "
              "default: the folder "
              "of its id");
  verb.option("--primate", job.primate,
              "What primates did: a file with i1, the score of each image, and ost, its solution time in ms; matched "
              "by stimulus_ids where it has them");
  verb.option("--i1-key", job.i1_key, "Which array of it has the scores").show_default();
  verb.option("--ost-key", job.ost_key, "Which array of it has the times").show_default();
  verb.option("--time", job.time,
              "steps: a bin for each of --steps; uniform: layers follow each other over --bins; graded: units move "
              "from layer to layer; auto: steps where the features have several")
      .one_of({"auto", "steps", "uniform", "graded"})
      .show_default();
  verb.option("--bins", job.bins, "Of uniform and graded").range(1, 10000).show_default();
  verb.option("--first-ms", job.first_ms, "When the first bin starts").show_default();
  verb.option("--bin-ms", job.bin_ms, "Width of a bin").positive().show_default();
  verb.option("--readout", job.readout,
              "svm: machines on principal components, as in the study; brain-score: softmax on all features")
      .one_of({"svm", "brain-score"})
      .show_default();
  verb.option("--trials", job.config.trials, "svm").range(1, 10000).show_default();
  verb.option("--splits", job.config.splits, "Of each trial").range(1, 10000).show_default();
  verb.option("--train-per-class", job.config.train_per_class, "svm: training images of each class")
      .range(1, 1 << 20)
      .show_default();
  verb.option("--components", job.config.components, "svm: principal components").range(1, 1 << 20).show_default();
  verb.option("--c", job.config.c, "svm: cost of errors").positive().show_default();
  verb.option("--calibration", job.calibration,
              "svm: held-out: sigmoids are fitted to margins of images that the machines were not trained on; "
              "in-sample: to those of the training images, which makes I1 too large where they are separable")
      .one_of({"held-out", "in-sample"})
      .show_default();
  verb.option("--calibration-folds", job.config.platt_folds, "Of the training images, held-out")
      .range(2, 100)
      .show_default();
  verb.option("--seed", job.config.seed, "Of the splits").show_default();
  verb.option("--threads", o->threads, "0: one per core").range(0, 4096).show_default();
  verb.option("--out", o->out, "Folder for ost.json and report.html");
  verb.flag("--json", o->json, "Print JSON");
  verb.flag("--quiet", o->quiet, "No progress");
  verb.footer(
      "Without --primate the model's scores over time are reported, and no solution times.\n"
      "Examples:\n  chiasm ost --features rgc.h5 --layers conv9,conv10 --steps 7..25 --primate monkey.npz --out "
      "runs/ost\n"
      "  chiasm ost --features vgg.npz --time graded --labels labels.txt --primate monkey.npz");
  verb.action([o] { return ost(*o); });
}

}  // namespace chiasm
