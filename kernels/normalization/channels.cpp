// SPDX-License-Identifier: Apache-2.0
#include "kernels/normalization/channels.h"

namespace chiasm {

void require_channels(std::string_view op, std::span<const Spec> in, int rank,
                      std::span<const std::string_view> names) {
  require_inputs(op, in, names.size() + 1);
  require_floating(op, "x", in[0]);
  if (in[0].shape.rank() < rank) {
    throw_shape(op, "x must have at least " + std::to_string(rank) + " axes, found shape " + to_string(in[0].shape));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    require_dtype(op, names[i], in[i + 1], in[0].dtype);
    require_shape(op, names[i], in[i + 1], Shape{in[0].shape.at(-1)});
  }
}

}  // namespace chiasm
