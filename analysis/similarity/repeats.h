// SPDX-License-Identifier: Apache-2.0
// Responses repeat by repeat, for dissimilarities that need to know the noise: one matrix [items, units] per repeat.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/matrix.h"
#include "analysis/similarity/shrunk_covariance.h"
#include "engine/tensor.h"

namespace chiasm {

// responses: [units, items, repeats], any element type, NaN where there was no trial. Throws ShapeError for another
// rank.
std::vector<Matrix<double>> by_repeat(const Tensor& responses);

// A trial counts where all its units are finite. The mean over the trials of each item that count, those of repeat
// `without` left out; NaN where there are none. Throws InputError where repeats differ in shape, and for none.
Matrix<double> item_means(std::span<const Matrix<double>> repeats, std::int64_t without = -1);

// Of the deviations of the trials from the mean of their item; divided by the number of trials less the number of
// items, counting items with two or more. Throws InputError where there are none, and as ShrunkCovariance does.
ShrunkCovariance noise_covariance(const CpuStream& stream, std::span<const Matrix<double>> repeats);

// Trials that do not count.
std::int64_t incomplete_trials(std::span<const Matrix<double>> repeats);

}  // namespace chiasm
