// SPDX-License-Identifier: Apache-2.0
// cuDNN names the axes of images N, C, H, W and those of weights K, C, R, S, and takes where they lie from strides:
// with C innermost, images are ours as they are, and weights are Cout x kh x kw x Cin.
#include <algorithm>
#include <array>

#include "kernels/vendor/cudnn_convolution.cuh"

namespace chiasm {
namespace {

enum Uid : std::int64_t { kX = 1, kWeight = 2, kY = 3 };

using Notes = std::vector<cudnnBackendNumericalNote_t>;

bool has(const Notes& notes, std::initializer_list<cudnnBackendNumericalNote_t> any) {
  return std::find_first_of(notes.begin(), notes.end(), any.begin(), any.end()) != notes.end();
}

// Tensor cores round float32 factors to TF32. Winograd and FFT engines multiply transformed values, which rounds more
// than a sum of products does: kFloat32 means the latter.
bool computes_as_asked(const Notes& notes, const CudnnProblem& problem) {
  if (problem.deterministic && has(notes, {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC})) return false;
  if (has(notes, {CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION})) {
    return false;
  }
  if (problem.math != CudaMath::kFloat32) return true;
  return !has(notes, {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_FFT, CUDNN_NUMERICAL_NOTE_WINOGRAD,
                      CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6,
                      CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13});
}

cudnnDataType_t data_type(LibraryType type) {
  return type == LibraryType::kFloat32 ? CUDNN_DATA_FLOAT : CUDNN_DATA_BFLOAT16;
}

// Sizes outermost axis first as they lie: N, H, W, C or K, R, S, C.
CudnnDescriptor make_tensor(Uid uid, std::array<std::int64_t, 4> size, LibraryType type, int alignment) {
  const auto [n, h, w, c] = size;
  CudnnDescriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, static_cast<std::int64_t>(uid))
      .set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, data_type(type))
      .set_list<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, {n, c, h, w})
      .set_list<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, {h * w * c, 1, w * c, c})
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, static_cast<std::int64_t>(alignment))
      .finalize();
  return tensor;
}

// Padding behind the image: as much as before it where that makes no further window, for engines that know no other;
// else what the last window reaches.
std::int64_t padding_after(std::int64_t before, std::int64_t reach, std::int64_t in, std::int64_t kernel,
                           std::int64_t dilation, std::int64_t stride, std::int64_t out) {
  const std::int64_t span = (kernel - 1) * dilation + 1;
  return (in + 2 * before - span) / stride + 1 == out && in + 2 * before >= span ? before
                                                                                 : std::max<std::int64_t>(reach, 0);
}

CudnnDescriptor make_convolution(const Window2d& w) {
  const std::int64_t bottom = padding_after(w.top, w.bottom, w.in.h, w.kernel.h, w.dilation.h, w.stride.h, w.out.h);
  const std::int64_t right = padding_after(w.left, w.right, w.in.w, w.kernel.w, w.dilation.w, w.stride.w, w.out.w);
  CudnnDescriptor convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, std::int64_t{2})
      .set_list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, {w.top, w.left})
      .set_list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, {bottom, right})
      .set_list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, {w.dilation.h, w.dilation.w})
      .set_list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, {w.stride.h, w.stride.w})
      .finalize();
  return convolution;
}

// What the three operations call their parts.
struct OperationNames {
  cudnnBackendDescriptorType_t type;
  cudnnBackendAttributeName_t x, weight, y, convolution, alpha, beta;
};
OperationNames names_of(ConvPass pass) {
  switch (pass) {
    case ConvPass::kForward:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
    case ConvPass::kInputGradient:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    case ConvPass::kWeightGradient:
      break;
  }
  return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
}

// The descriptors of the graph, the graph itself last; empty where cuDNN does not take the problem.
std::vector<CudnnDescriptor> make_graph(cudnnHandle_t handle, const CudnnProblem& p) {
  const ConvGeometry& g = p.geometry;
  const Window2d& w = g.window;
  const auto type = [&](ConvPass result_of) { return p.pass == result_of ? p.result : p.operands; };
  std::vector<CudnnDescriptor> made;
  made.push_back(
      make_tensor(kX, {g.batch, w.in.h, w.in.w, g.in_channels}, type(ConvPass::kInputGradient), p.x_alignment));
  made.push_back(make_tensor(kWeight, {g.out_channels, w.kernel.h, w.kernel.w, g.group_in()},
                             type(ConvPass::kWeightGradient), CudnnPlan::kWeightAlignment));
  made.push_back(make_tensor(kY, {g.batch, w.out.h, w.out.w, g.out_channels}, type(ConvPass::kForward), p.y_alignment));
  made.push_back(make_convolution(w));
  const OperationNames names = names_of(p.pass);
  CudnnDescriptor operation(names.type);
  operation.set(names.x, made[0])
      .set(names.weight, made[1])
      .set(names.y, made[2])
      .set(names.convolution, made[3])
      .set(names.alpha, CUDNN_TYPE_FLOAT, 1.0f)
      .set(names.beta, CUDNN_TYPE_FLOAT, 0.0f);
  if (!operation.finalize_if_supported()) return {};
  CudnnDescriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, handle).set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
  if (!graph.finalize_if_supported()) return {};
  made.push_back(std::move(operation));
  made.push_back(std::move(graph));
  return made;
}

std::vector<CudnnDescriptor> configs_for(const CudnnDescriptor& graph, cudnnBackendHeurMode_t mode) {
  CudnnDescriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
      .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
  if (!heuristic.finalize_if_supported()) return {};
  return heuristic.get_descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
}

Notes notes_of(const CudnnDescriptor& config) {
  CudnnDescriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = engine.get();
  std::int64_t count = 0;
  CHIASM_CUDNN(cudnnBackendGetAttribute(config.get(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                        &count, &raw));
  return engine.get<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                                 CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
}

}  // namespace

std::unique_ptr<CudnnPlan> CudnnPlan::find(const CudaStream& stream, const CudnnProblem& problem) {
  const cudnnHandle_t handle = stream.cudnn();
  std::vector<CudnnDescriptor> graph = make_graph(handle, problem);
  if (graph.empty()) return nullptr;
  // B estimates more carefully than A and is asked once for each shape; the fallback engines are slow and take nearly
  // anything.
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_B, CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (CudnnDescriptor& config : configs_for(graph.back(), mode)) {
      if (!computes_as_asked(notes_of(config), problem)) continue;
      CudnnDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, handle)
          .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
      if (!plan.finalize_or_give_up()) continue;
      const std::vector<std::int64_t> bytes =
          plan.get<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1);
      if (bytes.at(0) > kMaxWorkspace) continue;
      return std::unique_ptr<CudnnPlan>(
          new CudnnPlan(std::move(graph), std::move(config), std::move(plan), bytes.at(0)));
    }
  }
  return nullptr;
}

void CudnnPlan::run(const CudaStream& stream, const void* x, const void* weight, const void* y,
                    std::byte* workspace) const {
  CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set_list<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, {kX, kWeight, kY})
      .set_list<const void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, {x, weight, y})
      .set<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace)
      .finalize();
  CHIASM_CUDNN(cudnnBackendExecute(stream.cudnn(), plan_.get(), pack.get()));
}

}  // namespace chiasm
