// SPDX-License-Identifier: Apache-2.0
// The adding problem (Hochreiter and Schmidhuber 1997; as in Le, Jaitly and Hinton 2015): at each step a number uniform
// in [0, 1) and a marker, which is 1 at two steps, one in each half of the sequence, and 0 at the others. The answer at
// the last step is the sum of the two marked numbers; who answers 1 always errs by 1/6 in mean square.
//   {"format": "adding_problem", "samples": 10000, "length": 50}   or "length": [40, 50], padded with zeros to the
//   longest
// Fields: input [longest, 2], target [longest, 1], mask [longest], which is 1 at the last step of the sequence.
#include <algorithm>

#include "engine/data/generators/generator.h"

namespace chiasm {
namespace {

class AddingProblem final : public Source {
 public:
  AddingProblem(std::int64_t samples, LengthRange length, std::uint32_t stream)
      : samples_(samples), length_(length), stream_(stream) {}

  std::int64_t size() const override { return samples_; }

  Fields fields() const override {
    return {{"input", {{DType::kFloat32, {length_.longest, 2}}}},
            {"target", {{DType::kFloat32, {length_.longest, 1}}}},
            {"mask", {{DType::kFloat32, {length_.longest}}}}};
  }

  void read(const SampleAddress& address, Sample& sample) const override {
    const RandomStream random = generator_numbers(address, stream_);
    const std::span<float> input = cleared(sample, "input", {length_.longest, 2});
    const std::span<float> target = cleared(sample, "target", {length_.longest, 1});
    const std::span<float> mask = cleared(sample, "mask", {length_.longest});
    const auto length = static_cast<std::size_t>(length_.draw(random, 0));
    const std::size_t half = length / 2;
    const std::size_t first = random.below(half, 1), second = half + random.below(length - half, 2);
    for (std::size_t t = 0; t < length; ++t) {
      input[2 * t] = static_cast<float>(random.uniform_double(3 + t));
      input[2 * t + 1] = t == first || t == second ? 1.0F : 0.0F;
    }
    target[length - 1] = input[2 * first] + input[2 * second];
    mask[length - 1] = 1.0F;
  }

 private:
  static std::span<float> cleared(Sample& sample, const char* field, const Shape& shape) {
    const std::span<float> values = sample.tensor(field, {DType::kFloat32, shape}).values<float>();
    std::ranges::fill(values, 0.0F);
    return values;
  }

  std::int64_t samples_;
  LengthRange length_;
  std::uint32_t stream_;
};

}  // namespace

std::shared_ptr<const Source> make_adding_problem(const GeneratorConfig& config) {
  return std::make_shared<AddingProblem>(config.samples(), read_length(config, 2), config.stream());
}

}  // namespace chiasm
