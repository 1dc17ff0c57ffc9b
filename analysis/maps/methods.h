// SPDX-License-Identifier: Apache-2.0
// The makers that the table in method.cpp names. Each throws InputError for options it cannot take, and may expect that
// its maps only see valid splits and units that vary (usable_units.h).
#pragma once

#include <memory>

#include "analysis/maps/map.h"

namespace chiasm {

template <class T>
std::unique_ptr<MapMethod<T>> one_to_one_map(const MapOptions& options);
template <class T>
std::unique_ptr<MapMethod<T>> pls_map(const MapOptions& options);
template <class T>
std::unique_ptr<MapMethod<T>> ridge_map(const MapOptions& options);
template <class T>
std::unique_ptr<MapMethod<T>> lasso_map(const MapOptions& options);
template <class T>
std::unique_ptr<MapMethod<T>> elastic_net_map(const MapOptions& options);
template <class T>
std::unique_ptr<MapMethod<T>> nnls_map(const MapOptions& options);
template <class T>
std::unique_ptr<MapMethod<T>> factored_map(const MapOptions& options);

}  // namespace chiasm
