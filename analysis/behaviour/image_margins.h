// SPDX-License-Identifier: Apache-2.0
// The margins of linear support vector machines on the principal components of one set of images, for many choices of
// the training images: what a time bin of object solution times needs (spec/neural_analysis.md section 10).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "analysis/maps/source.h"
#include "analysis/matrix.h"
#include "kernels/stream.h"

namespace chiasm {

struct ImageMargins {
  Matrix<double> margins;  // [images, classes], of the training images as well
  int not_converged = 0;   // classes
};

// Immutable and thread-safe.
class MarginModel {
 public:
  virtual ~MarginModel() = default;

  // Features, centred by the mean of the training images `train`, on at most `components` principal components of them,
  // then a machine per class against the rest (linear_svm.h). On the calling thread. Throws InputError when a class has
  // no training image. REQUIRES: indices exist and differ, labels 0 to classes - 1 for all images.
  //
  // The machine depends on the features through their inner products alone, and so does not change under a rotation:
  // where the components span all that the training images vary in (1000 of 1000 images, which have 999), they are not
  // computed. `near` is null or the margins of a similar fit to the same images, from which the machines start: it
  // changes the time taken and the last bits.
  virtual ImageMargins fit(std::span<const std::int64_t> train, std::span<const std::int32_t> labels, int classes,
                           std::int64_t components, double c, const Matrix<double>* near = nullptr) const = 0;
};

// With as many units as images or more, from the inner products of the images, which are computed once. Throws
// NumericalError naming the first value that is not finite.
template <class T>
std::unique_ptr<const MarginModel> make_margin_model(const CpuStream& stream, const Source<T>& features);

}  // namespace chiasm
