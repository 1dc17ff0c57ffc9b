// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/centred_gram.h"

#include <span>
#include <vector>

namespace chiasm {
namespace {

// Rows `rows` against the training rows. <x_i - m, x_k - m> = g_ik - a_i - a_k + b, where a are the means of g over the
// training rows and b is their mean.
Matrix<double> centred_rows(const Matrix<double>& gram, std::span<const std::int64_t> rows,
                            const std::vector<std::int64_t>& train, const std::vector<double>& train_means,
                            double mean) {
  Matrix<double> result(std::ssize(rows), std::ssize(train));
  for (std::int64_t i = 0; i < result.rows(); ++i) {
    const auto from = gram.row(rows[static_cast<std::size_t>(i)]);
    double own = 0.0;
    for (const std::int64_t k : train) own += from[static_cast<std::size_t>(k)];
    own /= static_cast<double>(train.size());
    const auto to = result.row(i);
    for (std::size_t k = 0; k < train.size(); ++k) {
      to[k] = (from[static_cast<std::size_t>(train[k])] - own) - (train_means[k] - mean);
    }
  }
  return result;
}

}  // namespace

CentredGram centred_gram(const Matrix<double>& gram, const Split& split) {
  std::vector<double> means;
  double mean = 0.0;
  for (const std::int64_t i : split.train) {
    double sum = 0.0;
    for (const std::int64_t k : split.train) sum += gram(i, k);
    means.push_back(sum / static_cast<double>(split.train.size()));
    mean += means.back() / static_cast<double>(split.train.size());
  }
  return {centred_rows(gram, split.train, split.train, means, mean),
          centred_rows(gram, split.test, split.train, means, mean)};
}

}  // namespace chiasm
