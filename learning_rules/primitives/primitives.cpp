// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/primitives/primitives.h"

#include <string>

#include "engine/ops.h"
#include "kernels/elementwise/map.h"
#include "kernels/reduction/sum.h"

namespace chiasm {

const std::vector<const Primitive*>& all_primitives() {
  static const std::vector<const Primitive*> all{&kDecayPrimitive,  &kAmpPrimitive,  &kNullPrimitive,
                                                 &kSparsePrimitive, &kSelfPrimitive, &kAnglePrimitive};
  return all;
}

const Primitive& primitive_of(std::string_view name) {
  std::string known;
  for (const Primitive* primitive : all_primitives()) {
    if (primitive->name == name) return *primitive;
    known += (known.empty() ? "" : ", ") + std::string(primitive->name);
  }
  throw InputError("unknown primitive \"" + std::string(name) + "\"; allowed: " + known);
}

Value inner_product(Value a, Value b) { return a.graph().apply(Sum{}, {a * b}); }
Value squared_norm(Value a) { return a.graph().apply(Sum{}, {a.graph().apply(Map<Square>{}, {a})}); }

}  // namespace chiasm
