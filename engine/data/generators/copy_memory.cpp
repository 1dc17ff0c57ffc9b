// SPDX-License-Identifier: Apache-2.0
// The copy memory task (Arjovsky, Shah and Bengio 2016): `items` symbols, then blanks, then a sign at which the symbols
// are to be said again; at all steps before, blank is the right answer. Who guesses the symbols errs by items
// log(symbols) / T nats a step.
//   {"format": "copy_memory", "samples": 10000, "length": 30, "items": 10, "symbols": 8}
// `length` counts the blanks and the sign, so that T = length + 2 items. Fields: input [T, symbols + 2], one of each
// row: a symbol, blank, the sign; target int32 [T], the class blank being `symbols`; mask [T], 0 where a shorter
// sequence is padded.
#include <algorithm>

#include "engine/data/generators/generator.h"

namespace chiasm {
namespace {

class CopyMemory final : public Source {
 public:
  CopyMemory(std::int64_t samples, LengthRange length, std::int64_t items, std::int64_t symbols, std::uint32_t stream)
      : samples_(samples), length_(length), items_(items), symbols_(symbols), stream_(stream) {}

  std::int64_t size() const override { return samples_; }

  Fields fields() const override {
    return {{"input", {{DType::kFloat32, {steps(), symbols_ + 2}}}},
            {"target", {{DType::kInt32, {steps()}}}},
            {"mask", {{DType::kFloat32, {steps()}}}}};
  }

  void read(const SampleAddress& address, Sample& sample) const override {
    const RandomStream random = generator_numbers(address, stream_);
    const auto fields = this->fields();
    const std::span<float> input = sample.tensor("input", fields.at("input").spec).values<float>();
    const std::span<std::int32_t> target = sample.tensor("target", fields.at("target").spec).values<std::int32_t>();
    const std::span<float> mask = sample.tensor("mask", fields.at("mask").spec).values<float>();
    std::ranges::fill(input, 0.0F);
    std::ranges::fill(target, static_cast<std::int32_t>(symbols_));
    std::ranges::fill(mask, 0.0F);
    const std::int64_t wait = length_.draw(random, 0), all = wait + 2 * items_;
    for (std::int64_t t = 0; t < all; ++t) {
      std::int64_t shown = symbols_;  // blank
      if (t < items_) {
        shown = static_cast<std::int64_t>(
            random.below(static_cast<std::uint64_t>(symbols_), static_cast<std::uint64_t>(1 + t)));
        target[static_cast<std::size_t>(wait + items_ + t)] = static_cast<std::int32_t>(shown);
      } else if (t == items_ + wait - 1) {
        shown = symbols_ + 1;
      }
      input[static_cast<std::size_t>(t * (symbols_ + 2) + shown)] = 1.0F;
      mask[static_cast<std::size_t>(t)] = 1.0F;
    }
  }

 private:
  std::int64_t steps() const { return length_.longest + 2 * items_; }

  std::int64_t samples_;
  LengthRange length_;
  std::int64_t items_, symbols_;
  std::uint32_t stream_;
};

}  // namespace

std::shared_ptr<const Source> make_copy_memory(const GeneratorConfig& config) {
  const std::int64_t items = config.integer_or("items", 10, {1, 1 << 16});
  const std::int64_t symbols = config.integer_or("symbols", 8, {1, 1 << 16});
  return std::make_shared<CopyMemory>(config.samples(), read_length(config, 1), items, symbols, config.stream());
}

}  // namespace chiasm
