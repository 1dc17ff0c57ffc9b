// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise/fill.h"

#include <cmath>
#include <limits>

#include "kernels/indexing/copy.h"

namespace chiasm {

std::vector<Spec> Fill::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 0);
  visit_any(spec.dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T>) {
      constexpr double kLow = std::numeric_limits<T>::min();
      constexpr double kHigh = std::numeric_limits<T>::max();
      if (!(value >= kLow && value <= kHigh && value == std::trunc(value))) {
        throw InputError("[fill] " + std::string(name_of(spec.dtype)) + " does not hold " + std::to_string(value));
      }
    }
  });
  return {spec};
}

void Fill::forward(CpuStream& stream, Inputs, Outputs out) const { fill_elements(stream, out[0], value); }

}  // namespace chiasm
