// SPDX-License-Identifier: Apache-2.0
// A tensor of numbers drawn uniformly from [-1, 1).
#pragma once

#include <random>

#include "engine/tensor.h"

namespace chiasm::test {

inline Tensor random_tensor(DType dtype, const Shape& shape, unsigned seed) {
  Tensor tensor(Spec{dtype, shape});
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> real(-1.0, 1.0);
  visit_floating(dtype, [&]<class T>() {
    for (T& value : tensor.values<T>()) value = static_cast<T>(real(random));
  });
  return tensor;
}

}  // namespace chiasm::test
