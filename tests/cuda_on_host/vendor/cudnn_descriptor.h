// SPDX-License-Identifier: Apache-2.0
// The descriptors of the emulated cuDNN: a type, attributes by name, and what finalising made of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/cuda_on_host/include/cudnn.h"
#include "tests/cuda_on_host/vendor/library_record.h"

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace cuda_on_host {

struct CudnnObject;
using CudnnObjectPtr = std::shared_ptr<CudnnObject>;

struct CudnnAttribute {
  cudnnBackendAttributeType_t type;
  std::int64_t count;
  std::vector<std::byte> bytes;
};

// A convolution as an operation describes it, without addresses.
struct ConvolutionProblem {
  ConvolutionRun run;
  std::vector<std::weak_ptr<CudnnObject>> parts;  // what it was made of, which must live when it runs
};

struct CudnnObject {
  cudnnBackendDescriptorType_t type;
  bool finalized = false;
  std::map<cudnnBackendAttributeName_t, CudnnAttribute> attributes;
  std::shared_ptr<ConvolutionProblem> problem;  // of operations, graphs, heuristics, configurations and plans
  int engine = -1;                              // of configurations, engines and plans

  // The values of an attribute that was set with this type; empty otherwise.
  template <class T>
  std::vector<T> values(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t as) const {
    const auto found = attributes.find(name);
    if (found == attributes.end() || found->second.type != as) return {};
    std::vector<T> result(static_cast<std::size_t>(found->second.count));
    std::memcpy(result.data(), found->second.bytes.data(), found->second.bytes.size());
    return result;
  }
};

CudnnObjectPtr find_cudnn_object(const void* address);
std::shared_ptr<cudnnContext> find_cudnn_handle(cudnnHandle_t handle);

// Leaves a sentence and returns `status`.
cudnnStatus_t refuse_cudnn(cudnnStatus_t status, const std::string& what);

// The one finalised descriptor of this type that an attribute names; null, with a sentence, where it is none.
CudnnObjectPtr part_of(const CudnnObject& object, cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type,
                       const char* what);
// The one value of an attribute. Nothing, with a sentence, where it is not set so.
template <class T>
std::optional<T> value_of(const CudnnObject& object, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                          const char* what) {
  const std::vector<T> values = object.values<T>(name, type);
  if (values.size() == 1) return values[0];
  refuse_cudnn(CUDNN_STATUS_BAD_PARAM, std::string(what) + " is not set, or not with one value of its type");
  return std::nullopt;
}

// Finalising, by type. `self` is the address of the descriptor.
cudnnStatus_t finalize_tensor(const CudnnObject& object);
cudnnStatus_t finalize_convolution(const CudnnObject& object);
cudnnStatus_t finalize_operation(CudnnObject& object, void* self);
cudnnStatus_t finalize_graph(CudnnObject& object, void* self);
cudnnStatus_t finalize_heuristic(CudnnObject& object);
cudnnStatus_t finalize_plan(CudnnObject& object, void* self);
cudnnStatus_t finalize_pack(const CudnnObject& object);

// What a heuristic or an engine answers.
std::vector<int> engines_named_by(const CudnnObject& heuristic);
std::vector<cudnnBackendNumericalNote_t> notes_of_engine(int engine, const ConvolutionProblem& problem);
std::int64_t workspace_of_engine(int engine);

}  // namespace cuda_on_host
