// SPDX-License-Identifier: Apache-2.0
// Running ops on a CUDA device from tests: a real one, or the emulation of a build with CHIASM_CUDA_ON_HOST.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kernels/cuda/stream.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {

// Why no CUDA device can be used; empty where one can.
std::string why_no_cuda();

// A test that needs a device is skipped, and counted as skipped, without one.
#define CHIASM_NEEDS_CUDA() \
  if (const std::string why = ::chiasm::test::why_no_cuda(); !why.empty()) GTEST_SKIP() << why

// Runs an op on copies of host views in device memory and returns copies of its outputs. Buffers are fenced like those
// of run_op, the workspace is exactly what was declared, and with `misaligned` every tensor begins one element after a
// 16-byte boundary.
std::vector<Buffer> run_op_on_cuda(const AnyOp& op, std::span<const View> in, CudaStream& stream,
                                   bool misaligned = false);

}  // namespace chiasm::test
