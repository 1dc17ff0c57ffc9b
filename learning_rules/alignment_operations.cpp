// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/alignment_operations.h"

#include <algorithm>

#include "kernels/error.h"

namespace chiasm {
namespace {

struct Named {
  std::string_view name;
  bool AlignmentOperations::*member;
};

constexpr Named kNamed[] = {
    {"bi_bwmc", &AlignmentOperations::bi_bwmc},   {"bi_fwmc", &AlignmentOperations::bi_fwmc},
    {"bi_fwl2n", &AlignmentOperations::bi_fwl2n}, {"fo_bias", &AlignmentOperations::fo_bias},
    {"fo_relu", &AlignmentOperations::fo_relu},   {"fo_activation", &AlignmentOperations::fo_activation},
    {"fo_fwmc", &AlignmentOperations::fo_fwmc},   {"fo_fwl2n", &AlignmentOperations::fo_fwl2n},
    {"fo_bwmc", &AlignmentOperations::fo_bwmc},   {"bo_bias", &AlignmentOperations::bo_bias},
    {"bo_relu", &AlignmentOperations::bo_relu},   {"bo_activation", &AlignmentOperations::bo_activation},
    {"bo_fwmc", &AlignmentOperations::bo_fwmc},   {"bo_fwl2n", &AlignmentOperations::bo_fwl2n},
};

}  // namespace

std::vector<std::string> alignment_operation_names() {
  std::vector<std::string> names;
  for (const Named& named : kNamed) names.emplace_back(named.name);
  return names;
}

AlignmentOperations alignment_operations_of(const std::vector<std::string>& names) {
  AlignmentOperations operations;
  for (const std::string& name : names) {
    const auto* found = std::ranges::find(kNamed, name, &Named::name);
    if (found == std::end(kNamed)) {
      std::string known;
      for (const Named& named : kNamed) known += (known.empty() ? "" : ", ") + std::string(named.name);
      throw InputError("unknown layer operation \"" + name + "\"; allowed: " + known);
    }
    operations.*found->member = true;
  }
  return operations;
}

std::vector<std::string> names_of(const AlignmentOperations& operations) {
  std::vector<std::string> names;
  for (const Named& named : kNamed) {
    if (operations.*named.member) names.emplace_back(named.name);
  }
  return names;
}

}  // namespace chiasm
