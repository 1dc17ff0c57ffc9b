// SPDX-License-Identifier: Apache-2.0
// The emulated cuDNN: handles, descriptors and their attributes.
#include "tests/cuda_on_host/vendor/cudnn_descriptor.h"

#include <algorithm>
#include <cstdio>

#include "tests/cuda_on_host/vendor/registry.h"

namespace cuda_on_host {
namespace {

thread_local std::string last_error;

Registry<cudnnContext>& handles() {
  static Registry<cudnnContext> all;
  return all;
}
Registry<CudnnObject>& objects() {
  static Registry<CudnnObject> all;
  return all;
}

std::size_t element_bytes(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR:
      return 8;
    default:
      return 4;
  }
}

// Answers with `values`, as many as were asked for; asked for none, says how many there are.
template <class T>
cudnnStatus_t answer(const std::vector<T>& values, std::int64_t requested, std::int64_t* count, void* to) {
  if (count == nullptr) return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "nowhere to write a count to");
  *count = static_cast<std::int64_t>(values.size());
  if (requested == 0 || values.empty()) return CUDNN_STATUS_SUCCESS;
  if (to == nullptr) return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "nowhere to write an attribute to");
  std::memcpy(to, values.data(), sizeof(T) * static_cast<std::size_t>(std::min(requested, *count)));
  return CUDNN_STATUS_SUCCESS;
}

// Fills in descriptors that the caller made.
cudnnStatus_t fill(const CudnnObject& from, const std::vector<int>& engines, cudnnBackendDescriptorType_t type,
                   std::int64_t requested, std::int64_t* count, void* to) {
  if (count == nullptr) return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "nowhere to write a count to");
  *count = static_cast<std::int64_t>(engines.size());
  for (std::int64_t i = 0; i < std::min(requested, *count); ++i) {
    const CudnnObjectPtr made = find_cudnn_object(static_cast<void**>(to)[i]);
    if (!made || made->type != type) {
      return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, "an answer into a descriptor of another type");
    }
    made->problem = from.problem;
    made->engine = engines[static_cast<std::size_t>(i)];
    made->finalized = true;
  }
  if (requested > 0) *count = std::min(requested, *count);
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

CudnnObjectPtr find_cudnn_object(const void* address) { return objects().find(address); }
std::shared_ptr<cudnnContext> find_cudnn_handle(cudnnHandle_t handle) { return handles().find(handle); }

cudnnStatus_t refuse_cudnn(cudnnStatus_t status, const std::string& what) {
  last_error = what;
  // That an engine does not take a shape is an answer; everything else is a mistake.
  if (CUDNN_STATUS_CATEGORY(status) != CUDNN_STATUS_NOT_SUPPORTED) note_misuse("cuDNN: " + what);
  return status;
}

CudnnObjectPtr part_of(const CudnnObject& object, cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type,
                       const char* what) {
  const std::optional<void*> address = value_of<void*>(object, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, what);
  if (!address) return nullptr;
  CudnnObjectPtr part = find_cudnn_object(*address);
  if (!part) {
    refuse_cudnn(CUDNN_STATUS_BAD_PARAM, std::string(what) + " does not live");
    return nullptr;
  }
  if (part->type != type || !part->finalized) {
    refuse_cudnn(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, std::string(what) + " is not finalised, or of another type");
    return nullptr;
  }
  return part;
}

}  // namespace cuda_on_host

using namespace cuda_on_host;

const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
    case CUDNN_STATUS_SUCCESS:
      return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_NOT_INITIALIZED:
      return "CUDNN_STATUS_NOT_INITIALIZED";
    case CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED:
      return "CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED";
    case CUDNN_STATUS_EXECUTION_FAILED:
      return "CUDNN_STATUS_EXECUTION_FAILED";
    default:
      break;
  }
  return CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED ? "CUDNN_STATUS_NOT_SUPPORTED"
                                                                     : "CUDNN_STATUS_BAD_PARAM";
}

void cudnnGetLastErrorString(char* message, std::size_t max_size) {
  std::snprintf(message, max_size, "%s", last_error.c_str());
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  const std::scoped_lock lock(library_mutex());
  *handle = handles().add(std::make_shared<cudnnContext>());
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  const std::scoped_lock lock(library_mutex());
  if (handles().remove(handle)) return CUDNN_STATUS_SUCCESS;
  return refuse_cudnn(CUDNN_STATUS_NOT_INITIALIZED, "a handle is destroyed that does not live");
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  const std::scoped_lock lock(library_mutex());
  const auto found = find_cudnn_handle(handle);
  if (!found) return refuse_cudnn(CUDNN_STATUS_NOT_INITIALIZED, "the stream of a handle that does not live");
  found->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* descriptor) {
  const std::scoped_lock lock(library_mutex());
  if (descriptor == nullptr) return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "nowhere to put a descriptor");
  auto object = std::make_shared<CudnnObject>();
  object->type = type;
  *descriptor = objects().add(std::move(object));
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  const std::scoped_lock lock(library_mutex());
  if (objects().remove(descriptor)) return CUDNN_STATUS_SUCCESS;
  return refuse_cudnn(CUDNN_STATUS_BAD_PARAM, "a descriptor is destroyed that does not live");
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t count, const void* values) {
  const std::scoped_lock lock(library_mutex());
  const CudnnObjectPtr object = find_cudnn_object(descriptor);
  if (!object) return refuse_cudnn(CUDNN_STATUS_BAD_PARAM, "an attribute of a descriptor that does not live");
  if (object->finalized) return refuse_cudnn(CUDNN_STATUS_BAD_PARAM, "an attribute is set after finalising");
  if (values == nullptr || count < 1) return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "an empty attribute");
  CudnnAttribute attribute{type, count, {}};
  attribute.bytes.resize(element_bytes(type) * static_cast<std::size_t>(count));
  std::memcpy(attribute.bytes.data(), values, attribute.bytes.size());
  object->attributes[name] = std::move(attribute);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t requested, std::int64_t* count,
                                       void* values) {
  const std::scoped_lock lock(library_mutex());
  const CudnnObjectPtr object = find_cudnn_object(descriptor);
  if (!object) return refuse_cudnn(CUDNN_STATUS_BAD_PARAM, "an attribute of a descriptor that does not live");
  if (!object->finalized) {
    return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "an attribute of a descriptor that is not finalised");
  }
  if (name == CUDNN_ATTR_ENGINEHEUR_RESULTS && type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    return fill(*object, engines_named_by(*object), CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, requested, count, values);
  }
  if (name == CUDNN_ATTR_ENGINECFG_ENGINE && type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    return fill(*object, {object->engine}, CUDNN_BACKEND_ENGINE_DESCRIPTOR, requested, count, values);
  }
  if (name == CUDNN_ATTR_ENGINE_NUMERICAL_NOTE && type == CUDNN_TYPE_NUMERICAL_NOTE) {
    return answer(notes_of_engine(object->engine, *object->problem), requested, count, values);
  }
  if (name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE && type == CUDNN_TYPE_INT64) {
    return answer(std::vector<std::int64_t>{workspace_of_engine(object->engine)}, requested, count, values);
  }
  return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, "an attribute that is not answered");
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  const std::scoped_lock lock(library_mutex());
  const CudnnObjectPtr object = find_cudnn_object(descriptor);
  if (!object) return refuse_cudnn(CUDNN_STATUS_BAD_PARAM, "a descriptor is finalised that does not live");
  if (object->finalized) return refuse_cudnn(CUDNN_STATUS_BAD_PARAM, "a descriptor is finalised twice");
  const auto finalize = [&]() -> cudnnStatus_t {
    switch (object->type) {
      case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
        return finalize_tensor(*object);
      case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
        return finalize_convolution(*object);
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
        return finalize_operation(*object, descriptor);
      case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
        return finalize_graph(*object, descriptor);
      case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
        return finalize_heuristic(*object);
      case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
        return finalize_plan(*object, descriptor);
      case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
        return finalize_pack(*object);
      default:
        return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, "a descriptor that only the library fills in");
    }
  };
  const cudnnStatus_t status = finalize();
  object->finalized = status == CUDNN_STATUS_SUCCESS;
  return status;
}
