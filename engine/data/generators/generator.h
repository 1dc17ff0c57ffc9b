// SPDX-License-Identifier: Apache-2.0
// Generators: sources whose samples are drawn for (seed, epoch, index) instead of read. A new one is a file that
// defines make_NAME and one line in generators.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/config.h"
#include "engine/data/source.h"
#include "kernels/random/random_stream.h"

namespace chiasm {

// What a generator reads: the keys of a part ("train" or "test") of "data", or where it lacks them those of "data".
class GeneratorConfig {
 public:
  GeneratorConfig(ConfigNode part, ConfigNode data, std::uint32_t stream)
      : part_(std::move(part)), data_(std::move(data)), stream_(stream) {}

  std::optional<ConfigNode> find(std::string_view key) const;
  std::int64_t integer_or(std::string_view key, std::int64_t absent, IntegerRange range) const;
  // Samples of an epoch: "samples", required.
  std::int64_t samples() const;
  [[noreturn]] void fail_because(const std::string& message) const { part_.fail_because(message); }
  // Tells training from test: the two parts never share a sample.
  std::uint32_t stream() const { return stream_; }

 private:
  ConfigNode part_, data_;
  std::uint32_t stream_;
};

// The numbers of one sample.
RandomStream generator_numbers(const SampleAddress& address, std::uint32_t stream);

// Sequence lengths: "length", a number, or [shortest, longest].
struct LengthRange {
  std::int64_t shortest = 1, longest = 1;
  std::int64_t draw(const RandomStream& random, std::uint64_t index) const;
};
LengthRange read_length(const GeneratorConfig& config, std::int64_t least);

std::vector<std::string> generator_names();
bool is_generator(const std::string& name);
// REQUIRES: is_generator(name). Throws FileError naming the field.
std::shared_ptr<const Source> make_generator(const std::string& name, const GeneratorConfig& config);

}  // namespace chiasm
