// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>

#include "tools/neural/analysis_folder.h"
#include "tools/neural/ost_job.h"
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

void add_ost(CLI::App& app, Action& action) {
  auto o = std::make_shared<Options>();
  OstOptions& job = o->job;
  CLI::App* verb = app.add_subcommand("ost", "When a model solves each image, compared with when primates do");
  job.features.add_to(*verb);
  verb->add_option("--labels", job.labels,
                   "Class of each image: .npy of numbers, or a text file with a name on each line; default: the folder "
                   "of its id");
  verb->add_option("--primate", job.primate,
                   "What primates did: a file with i1, the score of each image, and ost, its solution time in ms");
  verb->add_option("--i1-key", job.i1_key, "Which array of it has the scores")->capture_default_str();
  verb->add_option("--ost-key", job.ost_key, "Which array of it has the times")->capture_default_str();
  verb->add_option(
          "--time", job.time,
          "steps: a bin for each of --steps; uniform: layers follow each other over --bins; graded: units move "
          "from layer to layer; auto: steps where the features have several")
      ->check(CLI::IsMember({"auto", "steps", "uniform", "graded"}))
      ->capture_default_str();
  verb->add_option("--bins", job.bins, "Of uniform and graded")->check(CLI::Range(1, 10000))->capture_default_str();
  verb->add_option("--first-ms", job.first_ms, "When the first bin starts")->capture_default_str();
  verb->add_option("--bin-ms", job.bin_ms, "Width of a bin")->check(CLI::PositiveNumber)->capture_default_str();
  verb->add_option("--readout", job.readout,
                   "svm: machines on principal components, as in the study; brain-score: softmax on all features")
      ->check(CLI::IsMember({"svm", "brain-score"}))
      ->capture_default_str();
  verb->add_option("--trials", job.config.trials, "svm")->check(CLI::Range(1, 10000))->capture_default_str();
  verb->add_option("--splits", job.config.splits, "Of each trial")->check(CLI::Range(1, 10000))->capture_default_str();
  verb->add_option("--train-per-class", job.config.train_per_class, "svm: training images of each class")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  verb->add_option("--components", job.config.components, "svm: principal components")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  verb->add_option("--c", job.config.c, "svm: cost of errors")->check(CLI::PositiveNumber)->capture_default_str();
  verb->add_option("--seed", job.config.seed, "Of the splits")->capture_default_str();
  verb->add_option("--threads", o->threads, "0: one per core")->check(CLI::Range(0, 4096))->capture_default_str();
  verb->add_option("--out", o->out, "Folder for ost.json and report.html");
  verb->add_flag("--json", o->json, "Print JSON");
  verb->add_flag("--quiet", o->quiet, "No progress");
  verb->footer(
      "Without --primate the model's scores over time are reported, and no solution times.\n"
      "Examples:\n  chiasm ost --features rgc.h5 --layers conv9,conv10 --steps 7..25 --primate monkey.npz --out "
      "runs/ost\n"
      "  chiasm ost --features vgg.npz --time graded --labels labels.txt --primate monkey.npz");
  verb->callback([o, &action] { action = [o] { return ost(*o); }; });
}

}  // namespace chiasm
