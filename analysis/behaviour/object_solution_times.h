// SPDX-License-Identifier: Apache-2.0
// Object solution times of a model and their consistency with the primate's, from its features in each time bin
// (spec/neural_analysis.md section 10).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "analysis/behaviour/softmax_readout.h"
#include "analysis/behaviour/solution_time.h"
#include "analysis/maps/source.h"
#include "analysis/matrix.h"
#include "kernels/stream.h"

namespace chiasm {

// How class probabilities come from features.
enum class ObjectReadout {
  // Linear support vector machines on principal components, a Platt sigmoid per class, `trials` x `splits` splits of
  // equal numbers of training images per class. The probabilities of an image are averaged over the splits of a trial
  // that tested it and give one I1 per trial over all images; solution times and consistency follow in each trial.
  kSvm,
  // Brain-Score's variant ("brain-score"): softmax_readout.h on all features, `splits` random splits with a tenth of
  // each class to test, I1 and solution times within the test images of each split (the line starts from the largest
  // earlier score), and a consistency per split, averaged.
  kBrainScore,
};
// "svm" and "brain-score"; nothing for other names.
std::optional<ObjectReadout> object_readout(const std::string& name);

struct ObjectSolutionConfig {
  std::vector<double> times;  // where each bin starts, in ms; empty: 70, 80, 90, ... for the bins there are
  ObjectReadout readout = ObjectReadout::kSvm;
  int trials = 20;
  int splits = 10;  // of each trial
  int train_per_class = 100;
  std::int64_t components = 1000;
  double c = 5e4;
  // Sigmoids are fitted to held-out margins: the training images in so many stratified folds, each with machines
  // trained on the others. 0: to the machines' own training margins, which lie at +-1 and beyond where the classes can
  // be separated (as 1000 components of 1000 images at C = 5e4 can), so that probabilities and I1 are too large.
  int platt_folds = 3;
  EarlierBin earlier = EarlierBin::kJustBefore;  // of kSvm
  SoftmaxOptions softmax;                        // of kBrainScore
  std::uint64_t seed = 0;
  // Told after some of the work how many of `total` readouts (splits of bins) are done; returning false stops.
  std::function<bool(std::int64_t done, std::int64_t total)> progress = {};
};

// What the primate did: I1 of each image, the threshold of a solution, and solution times in ms. NaN where there is
// none. `i1` empty: nothing is compared.
struct PrimateSolutions {
  std::vector<double> i1;
  std::vector<double> times;  // empty: no consistency
};

// A repetition is a trial of kSvm, and a split of kBrainScore.
struct ObjectSolutionTimes {
  Matrix<double> i1;             // [images, bins], the mean over repetitions, NaN for images that were never tested
  std::vector<double> accuracy;  // of each bin: share of the test images whose class had the largest probability
  // Of each image in ms: over the repetitions in which it was solved, their mean (NaN: not solved, not tested, or no
  // threshold), its standard error (NaN for fewer than two) and their number.
  std::vector<double> times;
  std::vector<double> times_sem;
  std::vector<std::int64_t> times_count;
  std::vector<Consistency> consistencies;  // of each repetition
  // Their mean over what is not NaN; its images are those with a mean time on both sides (kBrainScore: the sum).
  Consistency consistency;
  double consistency_sem = std::numeric_limits<double>::quiet_NaN();
  std::int64_t never_tested = 0;          // images
  std::int64_t without_threshold = 0;     // images that were tested, but whose primate I1 is NaN
  std::int64_t not_solved = 0;            // images that were tested, have a threshold, and never reached it
  std::int64_t distractors_left_out = 0;  // d' that are not defined, over bins and trials or splits
  std::int64_t not_converged = 0;         // machines that stopped at their limit of steps
  bool complete = true;                   // false: progress stopped it, and there are no results
};

// `features(bin)` gives the features of all images in a bin, 0 to bins - 1, asked for once each and in order (memory:
// one bin at a time). labels 0 to classes - 1, one per image. The same bits for any number of threads. Throws
// InputError for numbers that do not fit together, a class without enough images (named) and options outside their
// range; NumericalError naming the first feature that is not finite.
template <class T>
ObjectSolutionTimes object_solution_times(const CpuStream& stream, int bins,
                                          const std::function<Source<T>(int bin)>& features,
                                          std::span<const std::int32_t> labels, const PrimateSolutions& primate,
                                          const ObjectSolutionConfig& config = {});

}  // namespace chiasm
