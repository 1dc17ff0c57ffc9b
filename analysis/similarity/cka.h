// SPDX-License-Identifier: Apache-2.0
// Linear centred kernel alignment of two sets of responses to the same stimuli (Kornblith et al. 2019, ICML): 1 where
// one is a rotation and a scaling of the other.
#pragma once

#include "analysis/maps/source.h"
#include "analysis/matrix.h"
#include "kernels/stream.h"

namespace chiasm {

struct Cka {
  double value;     // |X'Y|^2 / (|X'X| |Y'Y|) of centred X and Y; grows with the number of units
  double unbiased;  // with the unbiased estimates of Song et al. 2012 (J. Mach. Learn. Res. 13:1393, equation 5) in
                    // place of the three norms; NaN for fewer than 4 stimuli, and where a denominator is not positive
};

// Either is NaN where a side has no variance over stimuli. Throws InputError for different numbers of stimuli, and
// NumericalError for values that are not finite.
template <class T>
Cka cka(const CpuStream& stream, const Source<T>& a, const Source<T>& b);
// From matrices of inner products of the stimuli, which are centred here (in a copy).
Cka cka_of_products(MatrixView<double> a, MatrixView<double> b);

}  // namespace chiasm
