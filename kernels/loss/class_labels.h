// SPDX-License-Identifier: Apache-2.0
// What losses of logits against class labels share.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernels/op.h"

namespace chiasm {

// The output of a loss of floating logits [N, C], C > 0, and int32 labels [N]: [N], of the logits' element type. Throws
// ShapeError naming `op` for anything else.
Spec infer_class_loss(std::string_view op, std::span<const Spec> in);

// The label of a sample. Throws InputError naming `op`, the sample, its label and the classes when it is out of range.
std::int64_t class_label(std::string_view op, const View& labels, std::int64_t sample, std::int64_t classes);

}  // namespace chiasm
