// SPDX-License-Identifier: Apache-2.0
// The luma in all channels.
//   {"op": "grayscale", "probability": 0.2}
#include "engine/data/transforms/colour.h"
#include "engine/data/transforms/transform.h"

namespace chiasm {
namespace {

class Grayscale final : public Transform {
 public:
  void apply(Pixels& image, const RandomStream&) const override { make_grey(image); }
};

}  // namespace

std::shared_ptr<const Transform> make_grayscale(const ConfigNode&) { return std::make_shared<Grayscale>(); }

}  // namespace chiasm
