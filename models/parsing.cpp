// SPDX-License-Identifier: Apache-2.0
#include "models/parsing.h"

namespace chiasm {

InitSpec read_init(const ConfigNode& config, std::string_view key, InitSpec absent) {
  if (!config.has(key)) return absent;
  const ConfigNode node = config.at(key);
  using Kind = InitSpec::Kind;
  if (node.is_text()) {
    node.as_choice({"glorot_uniform"});
    return {Kind::kGlorotUniform};
  }
  const ConfigNode object = node.as_object();
  const std::string type =
      object.choice("type", {"glorot_uniform", "variance_scaling", "normal", "truncated_normal", "constant"});
  if (type == "variance_scaling") return {Kind::kVarianceScaling, object.real_or("scale", 1.0, RealRange::positive())};
  if (type == "normal") return {Kind::kNormal, object.real("std", RealRange::at_least(0.0))};
  if (type == "truncated_normal") return {Kind::kTruncatedNormal, object.real("std", RealRange::at_least(0.0))};
  if (type == "constant") return {Kind::kConstant, object.real("value")};
  return {Kind::kGlorotUniform};
}

InitSpec read_bias_init(const ConfigNode& config, std::string_view key) {
  if (config.has(key) && config.at(key).is_number()) return InitSpec::constant(config.real(key));
  return read_init(config, key, InitSpec::constant(0.0));
}

Activation read_activation(const ConfigNode& config, std::string_view key, Activation absent) {
  if (!config.has(key)) return absent;
  return activation_of(config.choice(key, activation_names()));
}

Padding2d read_padding(const ConfigNode& config, std::string_view key, Padding2d absent) {
  if (!config.has(key)) return absent;
  const ConfigNode node = config.at(key);
  constexpr IntegerRange kPixels{0, 1024};
  if (node.is_text()) return node.as_choice({"same", "valid"}) == "same" ? Padding2d::same() : Padding2d::valid();
  if (node.is_list()) {
    const std::vector<std::int64_t> sides = config.integers(key, kPixels, {4, 4});
    return Padding2d::sides(sides[0], sides[1], sides[2], sides[3]);
  }
  if (!node.is_integer()) node.fail("\"same\", \"valid\", an integer, or [top, bottom, left, right]");
  return Padding2d::all(node.as_integer(kPixels));
}

}  // namespace chiasm
