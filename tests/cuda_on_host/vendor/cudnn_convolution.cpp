// SPDX-License-Identifier: Apache-2.0
// The emulated cuDNN: what a convolution's descriptors must say, and which engines take it.
#include <algorithm>
#include <array>

#include "tests/cuda_on_host/vendor/cudnn_descriptor.h"

namespace cuda_on_host {
namespace {

bool no_engines = false;
int heuristics = 0;

constexpr auto kBad = CUDNN_STATUS_BAD_PARAM;

bool read_list(const CudnnObject& object, cudnnBackendAttributeName_t name, auto& to) {
  const std::vector<std::int64_t> values = object.values<std::int64_t>(name, CUDNN_TYPE_INT64);
  if (values.size() != to.size()) return false;
  std::copy(values.begin(), values.end(), to.begin());
  return true;
}

LibraryTensor tensor_of(const CudnnObject& object) {
  LibraryTensor t;
  read_list(object, CUDNN_ATTR_TENSOR_DIMENSIONS, t.dims);
  read_list(object, CUDNN_ATTR_TENSOR_STRIDES, t.strides);
  t.uid = object.values<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64).at(0);
  t.alignment = object.values<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64).at(0);
  t.bfloat16 =
      object.values<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE).at(0) == CUDNN_DATA_BFLOAT16;
  return t;
}

// Which attributes the operations keep their parts in.
struct Names {
  LibraryPass pass;
  cudnnBackendAttributeName_t x, w, y, convolution, alpha, beta;
};
Names names_of(cudnnBackendDescriptorType_t type) {
  if (type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR) {
    return {LibraryPass::kForward,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
  }
  if (type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR) {
    return {LibraryPass::kInputGradient,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
  }
  return {LibraryPass::kWeightGradient,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
}

bool result_is_bfloat16(const ConvolutionRun& r) {
  return r.pass == LibraryPass::kForward         ? r.y.bfloat16
         : r.pass == LibraryPass::kInputGradient ? r.x.bfloat16
                                                 : r.w.bfloat16;
}
bool operands_are_bfloat16(const ConvolutionRun& r) {
  return r.pass == LibraryPass::kForward ? r.x.bfloat16 : r.y.bfloat16;
}

bool channels_innermost(const LibraryTensor& t) {
  const auto [n, c, h, w] = t.dims;
  return t.strides == std::array<std::int64_t, 4>{h * w * c, 1, w * c, c};
}

bool uses_tensor_cores(int engine) { return engine == 0 || engine == 3; }

// Why an engine does not take a problem; null where it does.
const char* why_not(int engine, const ConvolutionRun& r) {
  const std::int64_t groups = r.x.dims[1] / r.w.dims[1];
  for (const LibraryTensor* t : {&r.x, &r.w, &r.y}) {
    if (!channels_innermost(*t)) return "channels are not innermost";
  }
  if (r.pass == LibraryPass::kInputGradient && r.y.bfloat16 && !r.x.bfloat16) return "a float32 gradient of bfloat16";
  if (engine == 6) return operands_are_bfloat16(r) ? "bfloat16" : nullptr;
  if (operands_are_bfloat16(r) != uses_tensor_cores(engine) && operands_are_bfloat16(r)) return "bfloat16";
  bool even = true;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t extent = (r.w.dims[2 + i] - 1) * r.dilation[i] + 1;
    if (r.pre[i] >= extent || r.post[i] >= extent) return "padding beyond the kernel";
    even = even && r.pre[i] == r.post[i];
  }
  const bool unit_stride = r.stride[0] == 1 && r.stride[1] == 1;
  if (!even && !(engine == 4 && unit_stride)) return "padding that differs on two sides";
  if (uses_tensor_cores(engine)) {
    const std::int64_t unit = operands_are_bfloat16(r) ? 8 : 4;
    if (r.w.dims[1] % unit != 0 || r.w.dims[0] / groups % unit != 0) return "channels that are no whole vectors";
    for (const LibraryTensor* t : {&r.x, &r.w, &r.y}) {
      if (t->alignment < 16) return "addresses that are not multiples of 16 bytes";
    }
  }
  if (engine == 2 && !(groups == 1 && unit_stride && r.dilation[0] == 1 && r.dilation[1] == 1 && r.w.dims[2] == 3 &&
                       r.w.dims[3] == 3)) {
    return "not 3 x 3 at stride 1";
  }
  return nullptr;
}

}  // namespace

void set_no_engines(bool on) { no_engines = on; }
int convolution_heuristics() { return heuristics; }
void clear_convolution_heuristics() { heuristics = 0; }

cudnnStatus_t finalize_tensor(const CudnnObject& object) {
  std::array<std::int64_t, 4> dims{}, strides{};
  if (!read_list(object, CUDNN_ATTR_TENSOR_DIMENSIONS, dims) ||
      !read_list(object, CUDNN_ATTR_TENSOR_STRIDES, strides)) {
    return refuse_cudnn(kBad, "a tensor without four dimensions and four strides");
  }
  if (std::any_of(dims.begin(), dims.end(), [](std::int64_t size) { return size < 1; }) ||
      std::any_of(strides.begin(), strides.end(), [](std::int64_t stride) { return stride < 1; })) {
    return refuse_cudnn(kBad, "a tensor with a dimension or stride below one");
  }
  // Elements may not share memory.
  std::array<int, 4> order{0, 1, 2, 3};
  std::sort(order.begin(), order.end(), [&](int a, int b) { return strides[a] < strides[b]; });
  std::int64_t extent = 1;
  for (const int axis : order) {
    if (dims[axis] == 1) continue;
    if (strides[axis] < extent) return refuse_cudnn(kBad, "a tensor whose strides let elements share memory");
    extent = strides[axis] * dims[axis];
  }
  if (!value_of<cudnnDataType_t>(object, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, "a tensor's type") ||
      !value_of<std::int64_t>(object, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, "a tensor's id")) {
    return kBad;
  }
  const auto alignment =
      value_of<std::int64_t>(object, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, "a tensor's alignment");
  if (!alignment) return kBad;
  if (*alignment < 1 || (*alignment & (*alignment - 1)) != 0) {
    return refuse_cudnn(kBad, "an alignment that is no power of two");
  }
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t finalize_convolution(const CudnnObject& object) {
  const auto type =
      value_of<cudnnDataType_t>(object, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, "the compute type");
  const auto mode = value_of<cudnnConvolutionMode_t>(object, CUDNN_ATTR_CONVOLUTION_CONV_MODE,
                                                     CUDNN_TYPE_CONVOLUTION_MODE, "the mode of a convolution");
  const auto axes = value_of<std::int64_t>(object, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64,
                                           "the number of spatial axes");
  if (!type || !mode || !axes) return kBad;
  if (*type != CUDNN_DATA_FLOAT) return refuse_cudnn(kBad, "sums that are not float32");
  if (*mode != CUDNN_CROSS_CORRELATION) return refuse_cudnn(kBad, "a convolution with a turned kernel");
  for (const auto& [name, least] :
       {std::pair{CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 0}, std::pair{CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 0},
        std::pair{CUDNN_ATTR_CONVOLUTION_DILATIONS, 1}, std::pair{CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 1}}) {
    std::array<std::int64_t, 2> values{};
    if (*axes != 2 || !read_list(object, name, values) || values[0] < least || values[1] < least) {
      return refuse_cudnn(kBad, "a convolution whose padding, stride or dilation is missing or out of range");
    }
  }
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t finalize_operation(CudnnObject& object, void* self) {
  const Names names = names_of(object.type);
  const CudnnObjectPtr x = part_of(object, names.x, CUDNN_BACKEND_TENSOR_DESCRIPTOR, "x of a convolution"),
                       w = part_of(object, names.w, CUDNN_BACKEND_TENSOR_DESCRIPTOR, "the weight of a convolution"),
                       y = part_of(object, names.y, CUDNN_BACKEND_TENSOR_DESCRIPTOR, "y of a convolution"),
                       c = part_of(object, names.convolution, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR,
                                   "the convolution of an operation");
  if (!x || !w || !y || !c) return kBad;
  const auto alpha = value_of<float>(object, names.alpha, CUDNN_TYPE_FLOAT, "alpha");
  const auto beta = value_of<float>(object, names.beta, CUDNN_TYPE_FLOAT, "beta");
  if (!alpha || !beta) return kBad;
  if (*alpha != 1.0f || *beta != 0.0f) return refuse_cudnn(kBad, "alpha and beta other than 1 and 0 are not emulated");
  auto problem = std::make_shared<ConvolutionProblem>();
  ConvolutionRun& r = problem->run;
  r.pass = names.pass;
  r.x = tensor_of(*x);
  r.w = tensor_of(*w);
  r.y = tensor_of(*y);
  read_list(*c, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, r.pre);
  read_list(*c, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, r.post);
  read_list(*c, CUDNN_ATTR_CONVOLUTION_DILATIONS, r.dilation);
  read_list(*c, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, r.stride);
  if (r.x.uid == r.w.uid || r.x.uid == r.y.uid || r.w.uid == r.y.uid) {
    return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES, "two tensors of one id");
  }
  bool shapes = r.x.dims[0] == r.y.dims[0] && r.w.dims[0] == r.y.dims[1] && r.x.dims[1] % r.w.dims[1] == 0 &&
                r.w.dims[0] % (r.x.dims[1] / r.w.dims[1]) == 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t room = r.x.dims[2 + i] + r.pre[i] + r.post[i] - (r.w.dims[2 + i] - 1) * r.dilation[i] - 1;
    shapes = shapes && room >= 0 && room / r.stride[i] + 1 == r.y.dims[2 + i];
  }
  if (!shapes) return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "shapes that are no convolution");
  if (r.pass == LibraryPass::kForward         ? r.x.bfloat16 != r.w.bfloat16
      : r.pass == LibraryPass::kInputGradient ? r.y.bfloat16 != r.w.bfloat16
                                              : r.x.bfloat16 != r.y.bfloat16) {
    return refuse_cudnn(kBad, "operands of different types");
  }
  if (result_is_bfloat16(r) && !operands_are_bfloat16(r)) {
    return refuse_cudnn(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "a bfloat16 result of float32");
  }
  problem->parts = {x, w, y, c, find_cudnn_object(self)};
  object.problem = std::move(problem);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t finalize_graph(CudnnObject& object, void* self) {
  const auto handle =
      value_of<cudnnHandle_t>(object, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, "the handle of a graph");
  if (!handle || !find_cudnn_handle(*handle)) return refuse_cudnn(kBad, "a graph without a handle that lives");
  const std::optional<void*> address = value_of<void*>(object, CUDNN_ATTR_OPERATIONGRAPH_OPS,
                                                       CUDNN_TYPE_BACKEND_DESCRIPTOR, "the one operation of a graph");
  if (!address) return kBad;
  const CudnnObjectPtr operation = find_cudnn_object(*address);
  if (!operation || !operation->finalized || !operation->problem) {
    return refuse_cudnn(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a graph of an operation that is not finalised");
  }
  object.problem = std::make_shared<ConvolutionProblem>(*operation->problem);
  object.problem->parts.push_back(find_cudnn_object(self));
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t finalize_heuristic(CudnnObject& object) {
  const CudnnObjectPtr graph = part_of(object, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH,
                                       CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, "the graph of a heuristic");
  const auto mode = value_of<cudnnBackendHeurMode_t>(object, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE,
                                                     "the mode of a heuristic");
  if (!graph || !mode) return kBad;
  ++heuristics;
  object.problem = graph->problem;
  return CUDNN_STATUS_SUCCESS;
}

std::vector<int> engines_named_by(const CudnnObject& heuristic) {
  if (no_engines) return {};
  const std::vector<cudnnBackendHeurMode_t> mode =
      heuristic.values<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE);
  switch (mode.at(0)) {
    case CUDNN_HEUR_MODE_B:
      return {6, 0, 1, 2, 3};
    case CUDNN_HEUR_MODE_FALLBACK:
      return {5};
    default:
      return {3, 4};
  }
}

std::vector<cudnnBackendNumericalNote_t> notes_of_engine(int engine, const ConvolutionProblem&) {
  switch (engine) {
    case 0:
      return {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC};
    case 1:
      return {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC};
    case 2:
      return {CUDNN_NUMERICAL_NOTE_WINOGRAD, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4};
    case 3:
      return {CUDNN_NUMERICAL_NOTE_TENSOR_CORE};
    default:
      return {};
  }
}

std::int64_t workspace_of_engine(int engine) {
  constexpr std::int64_t kBytes[] = {4096, 1024, 65536, 2048, 0, 0, std::int64_t{512} << 20};
  return kBytes[engine];
}

cudnnStatus_t finalize_plan(CudnnObject& object, void* self) {
  const auto handle =
      value_of<cudnnHandle_t>(object, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, "the handle of a plan");
  if (!handle || !find_cudnn_handle(*handle)) return refuse_cudnn(kBad, "a plan without a handle that lives");
  const CudnnObjectPtr config = part_of(object, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
                                        CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, "the engine of a plan");
  if (!config) return kBad;
  if (const char* why = why_not(config->engine, config->problem->run); why != nullptr) {
    return refuse_cudnn(CUDNN_STATUS_NOT_SUPPORTED_SHAPE, why);
  }
  object.problem = std::make_shared<ConvolutionProblem>(*config->problem);
  object.problem->parts.push_back(config);
  object.problem->parts.push_back(find_cudnn_object(self));
  object.engine = config->engine;
  ConvolutionRun& r = object.problem->run;
  r.engine = object.engine;
  r.deterministic = object.engine > 1;
  r.workspace_bytes = workspace_of_engine(object.engine);
  r.math = operands_are_bfloat16(r)      ? LibraryMath::kBfloat16
           : uses_tensor_cores(r.engine) ? LibraryMath::kTf32
                                         : LibraryMath::kFloat32;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t finalize_pack(const CudnnObject& object) {
  const auto ids = object.values<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64);
  const auto addresses = object.values<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR);
  if (ids.empty() || ids.size() != addresses.size()) return refuse_cudnn(kBad, "as many ids as addresses are needed");
  if (object.values<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR).size() != 1) {
    return refuse_cudnn(kBad, "a pack without a workspace");
  }
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace cuda_on_host
