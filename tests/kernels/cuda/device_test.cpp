// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/device.h"

#include <gtest/gtest.h>

namespace chiasm::test {
namespace {

// Must hold on a machine without a device or a driver, and on one with several.
TEST(CudaDevices, AnswerIsConsistent) {
  const CudaDevices found = cuda_devices();
  EXPECT_EQ(found.devices.empty(), !found.why_none.empty()) << found.why_none;
  EXPECT_EQ(found.compiled_in, !found.runtime_version.empty());
  EXPECT_TRUE(found.compiled_in || found.devices.empty());
  EXPECT_TRUE(found.devices.empty() || !found.driver_version.empty());
  for (std::size_t i = 0; i < found.devices.size(); ++i) {
    const CudaDevice& device = found.devices[i];
    EXPECT_EQ(device.index, static_cast<int>(i));
    EXPECT_NE(device.name, "");
    EXPECT_GE(device.compute_major, 5);
    EXPECT_GT(device.memory_bytes, 1 << 28);
    EXPECT_GT(device.multiprocessors, 0);
  }
}

}  // namespace
}  // namespace chiasm::test
