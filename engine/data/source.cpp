// SPDX-License-Identifier: Apache-2.0
#include "engine/data/source.h"

#include "kernels/error.h"

namespace chiasm {
namespace {

template <class Map>
auto& at(Map& values, std::string_view field) {
  const auto found = values.find(field);
  if (found == values.end()) throw InternalError("the source has not written " + std::string(field));
  return found->second;
}

}  // namespace

std::string field_names(const Fields& fields) {
  std::string names;
  for (const auto& [name, field] : fields) names += (names.empty() ? "" : ", ") + name;
  return names;
}

Pixels& Sample::image(std::string_view field) {
  const auto found = images_.find(field);
  return found != images_.end() ? found->second : images_.emplace(field, Pixels{}).first->second;
}

Tensor& Sample::tensor(std::string_view field, const Spec& spec) {
  auto found = tensors_.find(field);
  if (found == tensors_.end()) found = tensors_.emplace(field, Tensor{}).first;
  if (!found->second || found->second.spec() != spec) found->second = Tensor(spec);
  return found->second;
}

const Pixels& Sample::image(std::string_view field) const { return at(images_, field); }
const Tensor& Sample::tensor(std::string_view field) const { return at(tensors_, field); }

const std::vector<std::string>& Source::class_names() const {
  static const std::vector<std::string> none;
  return none;
}

}  // namespace chiasm
