// SPDX-License-Identifier: Apache-2.0
// A descriptor of cuDNN's graph interface: made, given attributes, finalised, destroyed with its owner.
#pragma once

#include <cudnn.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "kernels/cuda/check_vendor.cuh"

namespace chiasm {

class CudnnDescriptor {
 public:
  explicit CudnnDescriptor(cudnnBackendDescriptorType_t type) {
    CHIASM_CUDNN(cudnnBackendCreateDescriptor(type, &descriptor_));
  }
  CudnnDescriptor(CudnnDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, nullptr)) {}
  CudnnDescriptor& operator=(CudnnDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~CudnnDescriptor() {
    if (descriptor_ != nullptr) cudnnBackendDestroyDescriptor(descriptor_);
  }

  cudnnBackendDescriptor_t get() const { return descriptor_; }

  // REQUIRES: T is what `type` stands for.
  template <class T>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T& value) {
    CHIASM_CUDNN(cudnnBackendSetAttribute(descriptor_, name, type, 1, &value));
    return *this;
  }
  template <class T>
  CudnnDescriptor& set_list(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                            std::initializer_list<T> values) {
    CHIASM_CUDNN(
        cudnnBackendSetAttribute(descriptor_, name, type, static_cast<std::int64_t>(values.size()), values.begin()));
    return *this;
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const CudnnDescriptor& value) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, value.descriptor_);
  }

  void finalize() { CHIASM_CUDNN(cudnnBackendFinalize(descriptor_)); }
  // False where cuDNN cannot do what is asked for, which is an answer; anything else that is wrong throws.
  bool finalize_if_supported() {
    const cudnnStatus_t status = cudnnBackendFinalize(descriptor_);
    if (CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED) return false;
    CHIASM_CUDNN(status);
    return true;
  }

  // Whatever is wrong. For plans: an engine that cannot be built, for a reason of its own, is one engine less.
  bool finalize_or_give_up() { return cudnnBackendFinalize(descriptor_) == CUDNN_STATUS_SUCCESS; }

  // At most `limit` values.
  template <class T>
  std::vector<T> get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t limit) const {
    std::vector<T> values(static_cast<std::size_t>(limit));
    std::int64_t count = 0;
    CHIASM_CUDNN(cudnnBackendGetAttribute(descriptor_, name, type, limit, &count, values.data()));
    values.resize(static_cast<std::size_t>(count < limit ? count : limit));
    return values;
  }
  // Descriptors are filled in by the library, into ones made before.
  std::vector<CudnnDescriptor> get_descriptors(cudnnBackendAttributeName_t name,
                                               cudnnBackendDescriptorType_t type) const {
    std::int64_t count = 0;
    CHIASM_CUDNN(cudnnBackendGetAttribute(descriptor_, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count, nullptr));
    std::vector<CudnnDescriptor> values;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (std::int64_t i = 0; i < count; ++i) raw.push_back(values.emplace_back(type).get());
    if (count > 0) {
      CHIASM_CUDNN(
          cudnnBackendGetAttribute(descriptor_, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, &count, raw.data()));
    }
    values.erase(values.begin() + count, values.end());
    return values;
  }

 private:
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

}  // namespace chiasm
