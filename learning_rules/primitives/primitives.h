// SPDX-License-Identifier: Apache-2.0
// One primitive a file; this is their list.
#pragma once

#include "learning_rules/primitives/primitive.h"

namespace chiasm {

extern const Primitive kDecayPrimitive, kAmpPrimitive, kNullPrimitive, kSparsePrimitive, kSelfPrimitive,
    kAnglePrimitive;

}  // namespace chiasm
