// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "analysis/maps/map.h"
#include "analysis/maps/methods.h"
#include "analysis/maps/usable_units.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

template <class T>
struct Method {
  const char* name;
  std::unique_ptr<MapMethod<T>> (*make)(const MapOptions&);
};

template <class T>
constexpr Method<T> kMethods[] = {
    {"one-to-one", one_to_one_map<T>},  {"pls", pls_map<T>},   {"ridge", ridge_map<T>},       {"lasso", lasso_map<T>},
    {"elasticnet", elastic_net_map<T>}, {"nnls", nnls_map<T>}, {"factored", factored_map<T>},
};

}  // namespace

template <class T>
std::unique_ptr<MapMethod<T>> make_map(const MapOptions& options) {
  const auto* const found = std::ranges::find_if(kMethods<T>, [&](const auto& m) { return m.name == options.method; });
  if (found != std::end(kMethods<T>)) return usable(found->make(options));
  std::string names;
  for (const Method<T>& method : kMethods<T>) names += (names.empty() ? "" : ", ") + std::string(method.name);
  throw InputError("map method: found \"" + options.method + "\"; there are " + names);
}

std::vector<std::string> map_methods() {
  std::vector<std::string> names;
  for (const auto& method : kMethods<double>) names.emplace_back(method.name);
  return names;
}

template std::unique_ptr<MapMethod<float>> make_map(const MapOptions&);
template std::unique_ptr<MapMethod<double>> make_map(const MapOptions&);

}  // namespace chiasm
