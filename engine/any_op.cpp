// SPDX-License-Identifier: Apache-2.0
#include "engine/any_op.h"

namespace chiasm {

void AnyOp::run_many(CudaStream&, std::span<const OpCall>) const {
  throw InternalError(name() + ": calls of this op are run one by one");
}

void detail::throw_without_cuda(const std::string& op) { throw InternalError(op + ": no CUDA side in this build"); }

}  // namespace chiasm
