// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/object_solution_times.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "analysis/behaviour/class_splits.h"
#include "analysis/behaviour/image_margins.h"
#include "analysis/behaviour/image_score.h"
#include "analysis/behaviour/linear_svm.h"
#include "analysis/behaviour/platt.h"
#include "analysis/statistics/summary.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kFirstTime = 70.0, kBinWidth = 10.0;  // ms
constexpr double kBrainScoreTrainFraction = 0.9;
constexpr std::int64_t kSplitsPerRound = 20;  // between two calls of progress

using Labels = std::span<const std::int32_t>;

std::vector<std::int32_t> taken(Labels labels, std::span<const std::int64_t> images) {
  std::vector<std::int32_t> some;
  for (const std::int64_t i : images) some.push_back(labels[static_cast<std::size_t>(i)]);
  return some;
}

// Means of what is not NaN.
class Means {
 public:
  explicit Means(std::int64_t rows, std::int64_t columns = 1) : sums_(rows, columns), counts_(rows, columns) {}

  void add(std::int64_t i, std::int64_t k, double value) {
    if (std::isnan(value)) return;
    sums_(i, k) += value;
    counts_(i, k) += 1.0;
  }
  double value(std::int64_t i, std::int64_t k = 0) const {
    return counts_(i, k) > 0.0 ? sums_(i, k) / counts_(i, k) : kNaN;
  }
  Matrix<double> values() const {
    Matrix<double> means(sums_.rows(), sums_.columns());
    for (std::int64_t i = 0; i < means.rows(); ++i) {
      for (std::int64_t k = 0; k < means.columns(); ++k) means(i, k) = value(i, k);
    }
    return means;
  }

 private:
  Matrix<double> sums_, counts_;
};

// Probabilities of the test images of a split [test, classes].
struct Probabilities {
  Matrix<double> values;
  int not_converged = 0;
};

Probabilities svm_probabilities(const MarginModel& model, const Split& split, Labels labels, int classes,
                                const ObjectSolutionConfig& config, std::int64_t number, const Matrix<double>& near) {
  const ImageMargins all = model.fit(split.train, labels, classes, config.components, config.c, &near);
  Probabilities result{{}, all.not_converged};
  const std::vector<std::int32_t> trained = taken(labels, split.train);
  Matrix<double> margins = take_rows(all.margins.view(), std::span<const std::int64_t>(split.train));
  if (config.platt_folds > 0) {
    for (const Split& fold :
         shuffled_stratified_folds(trained, config.platt_folds, config.seed, static_cast<std::uint32_t>(number))) {
      std::vector<std::int64_t> train;
      for (const std::int64_t i : fold.train) train.push_back(split.train[static_cast<std::size_t>(i)]);
      const ImageMargins others = model.fit(train, labels, classes, config.components, config.c, &all.margins);
      result.not_converged += others.not_converged;
      for (const std::int64_t i : fold.test) {
        std::ranges::copy(others.margins.row(split.train[static_cast<std::size_t>(i)]), margins.row(i).begin());
      }
    }
  }
  result.values = class_probabilities(take_rows(all.margins.view(), std::span<const std::int64_t>(split.test)),
                                      fit_sigmoids(margins, trained));
  return result;
}

// I1 of a bin: of each trial over all images, or of each split over its test images.
class BinScores {
 public:
  BinScores(Labels labels, int classes, std::int64_t groups) : labels_(labels), classes_(classes) {
    for (std::int64_t g = 0; g < groups; ++g) groups_.emplace_back(std::ssize(labels), classes);
  }

  void add(std::int64_t group, const Split& split, const Matrix<double>& probabilities) {
    const std::vector<std::int32_t> guesses = largest_column(probabilities);
    for (std::size_t i = 0; i < split.test.size(); ++i) {
      const std::int64_t image = split.test[i];
      right_ += guesses[i] == labels_[static_cast<std::size_t>(image)];
      ++tested_;
      for (std::int64_t k = 0; k < classes_; ++k) {
        groups_[static_cast<std::size_t>(group)].add(image, k, probabilities(static_cast<std::int64_t>(i), k));
      }
    }
  }
  double accuracy() const { return static_cast<double>(right_) / static_cast<double>(tested_); }
  // [groups][images], NaN for images that the group did not test.
  std::vector<std::vector<double>> i1(std::int64_t& distractors_left_out) const {
    std::vector<std::vector<double>> scores;
    for (const Means& group : groups_) {
      ImageScores group_scores = image_scores(group.values(), labels_);
      distractors_left_out += group_scores.distractors_left_out;
      scores.push_back(std::move(group_scores.i1));
    }
    return scores;
  }

 private:
  Labels labels_;
  int classes_;
  std::vector<Means> groups_;
  std::int64_t right_ = 0, tested_ = 0;
};

std::vector<double> times_of(const ObjectSolutionConfig& config, int bins) {
  std::vector<double> times = config.times;
  for (int bin = 0; config.times.empty() && bin < bins; ++bin) times.push_back(kFirstTime + kBinWidth * bin);
  return times;
}

int count_classes(Labels labels) {
  const int classes = labels.empty() ? 0 : *std::ranges::max_element(labels) + 1;
  require_classes(labels, classes, "the images of object solution times");
  return classes;
}

void require_config(int bins, std::int64_t images, const PrimateSolutions& primate,
                    const ObjectSolutionConfig& config) {
  const auto require = [](bool good, const std::string& what) {
    if (!good) throw InputError("object solution times: " + what);
  };
  require(bins >= 1, std::to_string(bins) + " time bins: allowed are 1 or more");
  require(config.times.empty() || std::ssize(config.times) == bins,
          std::to_string(config.times.size()) + " times of " + std::to_string(bins) + " bins");
  require(std::ranges::adjacent_find(config.times, std::greater_equal<>()) == config.times.end(),
          "the times of the bins must ascend");
  require(config.trials >= 1 && config.splits >= 1 && config.components >= 1,
          "trials, splits and components must be 1 or more, found " + std::to_string(config.trials) + ", " +
              std::to_string(config.splits) + " and " + std::to_string(config.components));
  require(config.platt_folds == 0 || config.platt_folds >= 2,
          std::to_string(config.platt_folds) + " folds for the sigmoids: allowed are 0, and 2 or more");
  require(config.readout != ObjectReadout::kSvm || config.platt_folds <= config.train_per_class,
          std::to_string(config.platt_folds) + " folds for the sigmoids of " + std::to_string(config.train_per_class) +
              " training images of each class: each fold needs one of each");
  const auto fits = [&](const std::vector<double>& values) { return values.empty() || std::ssize(values) == images; };
  require(fits(primate.i1) && fits(primate.times),
          std::to_string(primate.i1.size()) + " scores and " + std::to_string(primate.times.size()) +
              " times of the primate for " + std::to_string(images) + " images");
}

// What is known of a group of splits when all bins are done: [groups][images, bins].
class Scores {
 public:
  Scores(std::int64_t groups, std::int64_t images, int bins) {
    for (std::int64_t g = 0; g < groups; ++g) groups_.emplace_back(images, bins);
  }
  void set(int bin, const std::vector<std::vector<double>>& i1) {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      for (std::size_t i = 0; i < i1[g].size(); ++i) groups_[g](static_cast<std::int64_t>(i), bin) = i1[g][i];
    }
  }
  const std::vector<Matrix<double>>& groups() const { return groups_; }
  Matrix<double> mean() const {
    Means means(groups_[0].rows(), groups_[0].columns());
    for (const Matrix<double>& group : groups_) {
      for (std::int64_t i = 0; i < group.rows(); ++i) {
        for (std::int64_t k = 0; k < group.columns(); ++k) means.add(i, k, group(i, k));
      }
    }
    return means.values();
  }

 private:
  std::vector<Matrix<double>> groups_;
};

bool any_score(std::span<const double> row) {
  return std::ranges::any_of(row, [](double score) { return !std::isnan(score); });
}

// Times and consistency of each repetition, then their means.
void compare_with_primate(const Scores& scores, const std::vector<double>& times, const PrimateSolutions& primate,
                          const ObjectSolutionConfig& config, ObjectSolutionTimes& result) {
  const bool svm = config.readout == ObjectReadout::kSvm;
  std::vector<std::vector<double>> image_times(static_cast<std::size_t>(result.i1.rows()));
  std::vector<double> rho;
  for (const Matrix<double>& group : scores.groups()) {
    const std::vector<double> solved =
        solution_times(group, times, primate.i1, svm ? config.earlier : EarlierBin::kLargestBelow);
    for (std::size_t i = 0; i < solved.size(); ++i) image_times[i].push_back(solved[i]);
    if (primate.times.empty()) continue;
    result.consistencies.push_back(solution_time_consistency(solved, primate.times));
    rho.push_back(result.consistencies.back().rho);
    result.consistency.images += result.consistencies.back().images;
  }
  for (const std::vector<double>& of_image : image_times) {
    const Summary summary = summarise(of_image);
    result.times.push_back(summary.mean);
    result.times_sem.push_back(summary.sem);
    result.times_count.push_back(summary.count);
  }
  const Summary summary = summarise(rho);
  result.consistency.rho = summary.mean;
  result.consistency_sem = summary.sem;
  if (svm && !primate.times.empty())
    result.consistency.images = solution_time_consistency(result.times, primate.times).images;
  for (std::int64_t i = 0; i < result.i1.rows(); ++i) {
    if (!any_score(result.i1.row(i))) continue;
    const auto at = static_cast<std::size_t>(i);
    if (std::isnan(primate.i1[at])) {
      ++result.without_threshold;
    } else if (std::isnan(result.times[at])) {
      ++result.not_solved;
    }
  }
}

}  // namespace

std::optional<ObjectReadout> object_readout(const std::string& name) {
  if (name == "svm") return ObjectReadout::kSvm;
  if (name == "brain-score") return ObjectReadout::kBrainScore;
  return std::nullopt;
}

template <class T>
ObjectSolutionTimes object_solution_times(const CpuStream& stream, int bins,
                                          const std::function<Source<T>(int bin)>& features, Labels labels,
                                          const PrimateSolutions& primate, const ObjectSolutionConfig& config) {
  const std::int64_t images = std::ssize(labels);
  const int classes = count_classes(labels);
  require_config(bins, images, primate, config);
  const bool svm = config.readout == ObjectReadout::kSvm;
  std::vector<Split> splits;
  if (svm) {
    splits = covering_splits(labels, config.train_per_class, config.trials * config.splits, config.seed);
  } else {
    for (int s = 0; s < config.splits; ++s) {
      splits.push_back(stratified_split(static_cast<std::uint32_t>(config.seed) + static_cast<std::uint32_t>(s), labels,
                                        kBrainScoreTrainFraction));
    }
  }
  const std::int64_t count = std::ssize(splits), groups = svm ? config.trials : count;

  std::vector<std::int64_t> everything(labels.size());
  std::iota(everything.begin(), everything.end(), 0);
  ObjectSolutionTimes result;
  Scores scores(groups, images, bins);
  std::vector<Probabilities> round(static_cast<std::size_t>(std::min(count, kSplitsPerRound)));
  for (int bin = 0; bin < bins; ++bin) {
    const Source<T> source = features(bin);
    if (source.stimuli() != images) {
      throw InputError("object solution times: the features of bin " + std::to_string(bin) + " are of " +
                       std::to_string(source.stimuli()) + " images, the labels of " + std::to_string(images));
    }
    const std::unique_ptr<const MarginModel> model = svm ? make_margin_model(stream, source) : nullptr;
    // Of machines trained on all images and all components: where those of each split start.
    Matrix<double> near;
    if (svm) near = model->fit(everything, labels, classes, images, config.c).margins;
    const Matrix<T>* const values = svm ? nullptr : &source.values(stream);
    BinScores bin_scores(labels, classes, groups);
    for (std::int64_t first = 0; first < count; first += kSplitsPerRound) {
      const std::int64_t here = std::min(kSplitsPerRound, count - first);
      stream.parallel_tasks(here, [&](std::int64_t k) {
        const Split& split = splits[static_cast<std::size_t>(first + k)];
        Probabilities& out = round[static_cast<std::size_t>(k)];
        if (svm) {
          out = svm_probabilities(*model, split, labels, classes, config, first + k, near);
        } else {
          SoftmaxOptions options = config.softmax;
          options.seed = config.seed + static_cast<std::uint64_t>(first + k);
          const Matrix<double> all = softmax_probabilities<T>(*values, split.train, labels, classes, options);
          out.values = take_rows(all.view(), std::span<const std::int64_t>(split.test));
        }
      });
      for (std::int64_t k = 0; k < here; ++k) {
        const Probabilities& done = round[static_cast<std::size_t>(k)];
        bin_scores.add(svm ? (first + k) / config.splits : first + k, splits[static_cast<std::size_t>(first + k)],
                       done.values);
        result.not_converged += done.not_converged;
      }
      if (config.progress && !config.progress(bin * count + first + here, bins * count)) {
        result = {};
        result.complete = false;
        return result;
      }
    }
    result.accuracy.push_back(bin_scores.accuracy());
    scores.set(bin, bin_scores.i1(result.distractors_left_out));
  }
  result.i1 = scores.mean();
  for (std::int64_t i = 0; i < images; ++i) result.never_tested += !any_score(result.i1.row(i));
  if (!primate.i1.empty()) compare_with_primate(scores, times_of(config, bins), primate, config, result);
  return result;
}

template ObjectSolutionTimes object_solution_times(const CpuStream&, int, const std::function<Source<float>(int)>&,
                                                   Labels, const PrimateSolutions&, const ObjectSolutionConfig&);
template ObjectSolutionTimes object_solution_times(const CpuStream&, int, const std::function<Source<double>(int)>&,
                                                   Labels, const PrimateSolutions&, const ObjectSolutionConfig&);

}  // namespace chiasm
