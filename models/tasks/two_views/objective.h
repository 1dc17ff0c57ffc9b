// SPDX-License-Identifier: Apache-2.0
// What two views of the same images should have in common. A new objective is a file in objectives/ and one line in
// two_views.cpp.
#pragma once

#include <memory>

#include "engine/scope.h"

namespace chiasm {

class ConfigNode;

class ViewObjective {
 public:
  virtual ~ViewObjective() = default;
  // z1 and z2 [N, features]: the embeddings of both views, sample by sample. Returns the loss []. Parameters that the
  // objective brings are made in `scope`.
  virtual Value loss(const Scope& scope, Value z1, Value z2) const = 0;
};

}  // namespace chiasm
