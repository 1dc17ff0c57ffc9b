// SPDX-License-Identifier: Apache-2.0
// A float32 tensor in device memory, for tests that call ops on it themselves.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/cuda/memory.h"
#include "kernels/view.h"

namespace chiasm::test {

class DeviceTensor {
 public:
  DeviceTensor(const CudaStream& stream, const Shape& shape)
      : stream_(&stream), spec_{DType::kFloat32, shape}, memory_(stream, spec_.bytes()) {}
  DeviceTensor(const CudaStream& stream, const Shape& shape, const std::vector<float>& values)
      : DeviceTensor(stream, shape) {
    copy_to_device(stream, memory_.data(), values.data(), spec_.bytes());
    stream.synchronize();
  }
  MutableView view() const { return MutableView(memory_.data(), spec_); }
  std::vector<float> values() const {
    std::vector<float> result(static_cast<std::size_t>(spec_.shape.elements()));
    copy_to_host(*stream_, result.data(), memory_.data(), spec_.bytes());
    stream_->synchronize();
    return result;
  }

 private:
  const CudaStream* stream_;
  Spec spec_;
  DeviceMemory memory_;
};

// Uniform in [-1, 1).
inline std::vector<float> random_values(const Shape& shape, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  for (float& value : values) value = uniform(random);
  return values;
}

}  // namespace chiasm::test
