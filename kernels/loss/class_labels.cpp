// SPDX-License-Identifier: Apache-2.0
#include "kernels/loss/class_labels.h"

#include <string>

namespace chiasm {

Spec infer_class_loss(std::string_view op, std::span<const Spec> in) {
  require_inputs(op, in, 2);
  require_floating(op, "logits", in[0]);
  require_rank(op, "logits", in[0], 2);
  require_dtype(op, "labels", in[1], DType::kInt32);
  require_shape(op, "labels", in[1], Shape{in[0].shape[0]});
  if (in[0].shape[1] == 0) throw_shape(op, "logits " + to_string(in[0].shape) + " have no classes");
  return {in[0].dtype, in[1].shape};
}

std::int64_t class_label(std::string_view op, const View& labels, std::int64_t sample, std::int64_t classes) {
  const std::int64_t label = labels.as<std::int32_t>()[sample * labels.strides()[0]];
  if (label < 0 || label >= classes) {
    throw InputError("[" + std::string(op) + "] sample " + std::to_string(sample) + " has label " +
                     std::to_string(label) + ", and the logits have " + std::to_string(classes) + " classes");
  }
  return label;
}

}  // namespace chiasm
