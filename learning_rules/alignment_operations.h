// SPDX-License-Identifier: Apache-2.0
// Which layer operations an alignment term uses, by the names of the literature: BI acts on the layer's input, FO on
// what its forward weight gives, BO on what its backward weight gives. They are applied in the fixed order of
// spec/learning_rules.md section 5, whatever the order of their names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chiasm {

struct AlignmentOperations {
  // BI BWMC acts on the input of the backward path alone, the other two on that of both.
  bool bi_bwmc = false, bi_fwmc = false, bi_fwl2n = false;
  bool fo_bias = false;
  bool fo_relu = false;        // where the network has a ReLU after this layer
  bool fo_activation = false;  // whatever element-wise function the network has after this layer
  bool fo_fwmc = false, fo_fwl2n = false, fo_bwmc = false;
  bool bo_bias = false, bo_relu = false, bo_activation = false, bo_fwmc = false, bo_fwl2n = false;

  bool operator==(const AlignmentOperations&) const = default;
};

// "bi_bwmc", "fo_relu" and so on, in the order of the members.
std::vector<std::string> alignment_operation_names();
AlignmentOperations alignment_operations_of(const std::vector<std::string>& names);  // InputError with the known names
std::vector<std::string> names_of(const AlignmentOperations& operations);

}  // namespace chiasm
