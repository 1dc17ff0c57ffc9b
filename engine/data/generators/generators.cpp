// SPDX-License-Identifier: Apache-2.0
// Generators by name: one line for each.
#include <algorithm>

#include "engine/data/generators/generator.h"
#include "kernels/error.h"

#define CHIASM_GENERATORS(GENERATOR) \
  GENERATOR(adding_problem)          \
  GENERATOR(copy_memory)

namespace chiasm {

#define DECLARE(name) std::shared_ptr<const Source> make_##name(const GeneratorConfig& config);
CHIASM_GENERATORS(DECLARE)
#undef DECLARE

namespace {

struct Entry {
  std::string name;
  std::shared_ptr<const Source> (*make)(const GeneratorConfig&);
};

const std::vector<Entry>& table() {
#define ENTRY(name) {#name, make_##name},
  static const std::vector<Entry> entries{CHIASM_GENERATORS(ENTRY)};
#undef ENTRY
  return entries;
}

constexpr std::int64_t kMostSamples = (std::int64_t{1} << 31) - 1;
constexpr std::int64_t kLongest = 1 << 20;

}  // namespace

std::optional<ConfigNode> GeneratorConfig::find(std::string_view key) const {
  const std::optional<ConfigNode> shared = data_.find(key), own = part_.find(key);  // both count as asked for
  return own ? own : shared;
}

std::int64_t GeneratorConfig::integer_or(std::string_view key, std::int64_t absent, IntegerRange range) const {
  const std::optional<ConfigNode> node = find(key);
  return node ? node->as_integer(range) : absent;
}

std::int64_t GeneratorConfig::samples() const {
  const std::optional<ConfigNode> node = find("samples");
  if (!node) part_.fail_because("\"samples\" is missing, here or in \"data\": how many an epoch has");
  return node->as_integer({1, kMostSamples});
}

RandomStream generator_numbers(const SampleAddress& address, std::uint32_t stream) {
  return RandomStream({.seed = address.seed,
                       .purpose = RandomPurpose::kGenerate,
                       .epoch = address.epoch,
                       .sample = static_cast<std::uint32_t>(address.index),
                       .op = stream});
}

std::int64_t LengthRange::draw(const RandomStream& random, std::uint64_t index) const {
  return shortest + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(longest - shortest) + 1, index));
}

LengthRange read_length(const GeneratorConfig& config, std::int64_t least) {
  const std::optional<ConfigNode> node = config.find("length");
  if (!node)
    config.fail_because("\"length\" is missing, here or in \"data\": a number of steps, or [shortest, longest]");
  if (!node->is_list()) {
    const std::int64_t length = node->as_integer({least, kLongest});
    return {length, length};
  }
  const std::vector<ConfigNode> ends = node->as_list({2, 2});
  const std::int64_t shortest = ends[0].as_integer({least, kLongest});
  return {shortest, ends[1].as_integer({shortest, kLongest})};
}

std::vector<std::string> generator_names() {
  std::vector<std::string> names;
  for (const Entry& entry : table()) names.push_back(entry.name);
  return names;
}

bool is_generator(const std::string& name) { return std::ranges::count(table(), name, &Entry::name) > 0; }

std::shared_ptr<const Source> make_generator(const std::string& name, const GeneratorConfig& config) {
  return std::ranges::find(table(), name, &Entry::name)->make(config);
}

}  // namespace chiasm
