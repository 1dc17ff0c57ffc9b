// SPDX-License-Identifier: Apache-2.0
// Transforms by name. A new transform is a file that defines make_NAME, and one line here. Each is applied with
// "probability" 1, or what the recipe says.
#include <string>
#include <utility>
#include <vector>

#include "engine/config/config.h"
#include "engine/data/transforms/transform.h"
#include "kernels/error.h"

#define CHIASM_TRANSFORMS(TRANSFORM) \
  TRANSFORM(color_jitter)            \
  TRANSFORM(grayscale)               \
  TRANSFORM(gaussian_blur)

namespace chiasm {

#define DECLARE(name) std::shared_ptr<const Transform> make_##name(const ConfigNode& config);
CHIASM_TRANSFORMS(DECLARE)
#undef DECLARE

namespace {

class Sometimes final : public Transform {
 public:
  Sometimes(double probability, std::shared_ptr<const Transform> transform)
      : probability_(probability), transform_(std::move(transform)) {}
  void check(std::int64_t channels) const override { transform_->check(channels); }
  void apply(Pixels& image, const RandomStream& random) const override {
    // Far from what the transform itself draws.
    if (random.uniform_double(std::uint64_t{1} << 40) < probability_) transform_->apply(image, random);
  }

 private:
  double probability_;
  std::shared_ptr<const Transform> transform_;
};

}  // namespace

std::shared_ptr<const Transform> read_transform(const ConfigNode& config) {
  struct Entry {
    std::string name;
    std::shared_ptr<const Transform> (*make)(const ConfigNode&);
  };
#define ENTRY(name) {#name, make_##name},
  static const std::vector<Entry> entries{CHIASM_TRANSFORMS(ENTRY)};
#undef ENTRY
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.push_back(entry.name);
  const std::string op = config.choice("op", names);
  const double probability = config.real_or("probability", 1.0, RealRange::between(0.0, 1.0));
  for (const Entry& entry : entries) {
    if (entry.name == op) return std::make_shared<Sometimes>(probability, entry.make(config));
  }
  throw InternalError("transform " + op + " is listed and not made");
}

}  // namespace chiasm
