// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/platt.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace chiasm {
namespace {

constexpr int kMostSteps = 100;
constexpr double kGradient = 1e-13;   // per image: rounding of the sums
constexpr double kLoss = 1e-14;       // of the loss: its rounding, which hides the last steps
constexpr double kLeastStep = 1e-10;  // below which halving finds no decrease
constexpr double kCurvature = 1e-12;  // added, so that a step exists when all margins are equal

// Cross entropy of the targets and its derivatives in slope and offset, at one sigmoid.
struct Likelihood {
  double loss = 0.0;
  double d_slope = 0.0, d_offset = 0.0;
  double slope_slope = 0.0, slope_offset = 0.0, offset_offset = 0.0;
};

struct Targets {
  std::span<const double> margins;
  const std::vector<bool>& positive;
  double high, low;

  double at(std::size_t i) const { return positive[i] ? high : low; }

  Likelihood likelihood(const Sigmoid& sigmoid) const {
    Likelihood sum;
    for (std::size_t i = 0; i < margins.size(); ++i) {
      const double f = margins[i], z = sigmoid.slope * f + sigmoid.offset, target = at(i);
      // exp of what is not positive, so that nothing overflows: p = 1 / (1 + e^z), q = 1 - p.
      const double e = std::exp(-std::fabs(z)), large = 1.0 / (1.0 + e), small = e / (1.0 + e);
      const double p = z >= 0.0 ? small : large, q = z >= 0.0 ? large : small;
      sum.loss += std::log1p(e) + (z >= 0.0 ? target * z : (target - 1.0) * z);
      const double error = target - p, weight = p * q;
      sum.d_slope += f * error;
      sum.d_offset += error;
      sum.slope_slope += f * f * weight;
      sum.slope_offset += f * weight;
      sum.offset_offset += weight;
    }
    return sum;
  }
};

}  // namespace

double Sigmoid::operator()(double margin) const {
  const double z = slope * margin + offset, e = std::exp(-std::fabs(z));
  return (z >= 0.0 ? e : 1.0) / (1.0 + e);
}

Sigmoid fit_sigmoid(std::span<const double> margins, const std::vector<bool>& positive) {
  assert(margins.size() == positive.size());
  const auto n_positive = static_cast<double>(std::ranges::count(positive, true));
  const double n_negative = static_cast<double>(positive.size()) - n_positive;
  const Targets targets{margins, positive, (n_positive + 1.0) / (n_positive + 2.0), 1.0 / (n_negative + 2.0)};
  // Starts at the prior: every image has the share of the positives.
  Sigmoid at{0.0, std::log((n_negative + 1.0) / (n_positive + 1.0))};
  Likelihood here = targets.likelihood(at);
  double largest = 1.0;
  for (const double f : margins) largest = std::max(largest, std::fabs(f));
  const double enough = kGradient * static_cast<double>(margins.size());
  for (int step = 0; step < kMostSteps; ++step) {
    if (std::fabs(here.d_slope) < enough * largest && std::fabs(here.d_offset) < enough) break;
    const double a = here.slope_slope + kCurvature, b = here.offset_offset + kCurvature, c = here.slope_offset;
    const double determinant = a * b - c * c;
    const Sigmoid direction{-(b * here.d_slope - c * here.d_offset) / determinant,
                            -(a * here.d_offset - c * here.d_slope) / determinant};
    const double descent = here.d_slope * direction.slope + here.d_offset * direction.offset;
    double length = 1.0;
    for (; length >= kLeastStep; length *= 0.5) {
      const Sigmoid next{at.slope + length * direction.slope, at.offset + length * direction.offset};
      const Likelihood there = targets.likelihood(next);
      if (there.loss <= here.loss + 1e-4 * length * descent + kLoss * here.loss) {
        at = next;
        here = there;
        break;
      }
    }
    if (length < kLeastStep) break;  // no decrease is left but rounding
  }
  return at;
}

std::vector<Sigmoid> fit_sigmoids(MatrixView<double> margins, std::span<const std::int32_t> labels) {
  assert(std::ssize(labels) == margins.rows);
  std::vector<Sigmoid> sigmoids;
  std::vector<double> column(labels.size());
  std::vector<bool> positive(labels.size());
  for (std::int64_t k = 0; k < margins.columns; ++k) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      column[i] = margins(static_cast<std::int64_t>(i), k);
      positive[i] = labels[i] == k;
    }
    sigmoids.push_back(fit_sigmoid(column, positive));
  }
  return sigmoids;
}

Matrix<double> class_probabilities(MatrixView<double> margins, std::span<const Sigmoid> sigmoids) {
  assert(std::ssize(sigmoids) == margins.columns);
  Matrix<double> probabilities(margins.rows, margins.columns);
  for (std::int64_t i = 0; i < margins.rows; ++i) {
    const auto row = probabilities.row(i);
    for (std::size_t k = 0; k < row.size(); ++k) row[k] = sigmoids[k](margins.row(i)[k]);
    const double sum = std::accumulate(row.begin(), row.end(), 0.0);
    for (double& p : row) p = sum > 0.0 ? p / sum : 1.0 / static_cast<double>(row.size());
  }
  return probabilities;
}

}  // namespace chiasm
