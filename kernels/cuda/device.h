// SPDX-License-Identifier: Apache-2.0
// Which CUDA devices this process can use. The one CUDA question that every build can answer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chiasm {

struct CudaDevice {
  int index = 0;
  std::string name;
  int compute_major = 0;  // compute capability "major.minor"
  int compute_minor = 0;
  std::int64_t memory_bytes = 0;
  int multiprocessors = 0;
};

struct CudaDevices {
  bool compiled_in = false;     // whether this build has CUDA code
  std::string driver_version;   // the CUDA version the driver supports, "13.0"; empty without a driver
  std::string runtime_version;  // the CUDA version chiasm was built with; empty without CUDA code
  std::vector<CudaDevice> devices;
  std::string why_none;  // a sentence when `devices` is empty, else empty
};

// Does not start work on any device. A missing driver or device is an answer, not an error. Throws DeviceError when a
// device that the driver lists cannot be asked about itself.
CudaDevices cuda_devices();

}  // namespace chiasm
