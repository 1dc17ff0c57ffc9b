// SPDX-License-Identifier: Apache-2.0
// What all maps do with targets that cannot be fitted: a method made usable() sees only units that vary and are finite.
#pragma once

#include <memory>

#include "analysis/maps/map.h"

namespace chiasm {

// Checks splits and shapes, predicts units without variance by their mean and units with values that are not finite as
// NaN, counts both in the report, and hands all others, in order, to `method`.
template <class T>
std::unique_ptr<MapMethod<T>> usable(std::unique_ptr<MapMethod<T>> method);

}  // namespace chiasm
