// SPDX-License-Identifier: Apache-2.0
// One pass of a convolution as cuDNN runs it: a graph of one operation, and the first engine for it that computes in
// the arithmetic asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/convolution/geometry.h"
#include "kernels/cuda/stream.h"
#include "kernels/vendor/cudnn_descriptor.cuh"

namespace chiasm {

enum class LibraryType : std::uint8_t { kFloat32, kBfloat16 };

struct CudnnProblem {
  ConvPass pass;
  ConvGeometry geometry;
  LibraryType operands;
  LibraryType result;
  int x_alignment;  // bytes that every x, dx pointer is a multiple of
  int y_alignment;
  CudaMath math;
  bool deterministic;
};

class CudnnPlan {
 public:
  // Null where cuDNN has no engine: none for the shape, none in that arithmetic, or none that makes do with
  // kMaxWorkspace.
  static std::unique_ptr<CudnnPlan> find(const CudaStream& stream, const CudnnProblem& problem);

  static constexpr std::int64_t kMaxWorkspace = std::int64_t{256} << 20;
  static constexpr int kWeightAlignment = 16;

  std::int64_t workspace_bytes() const { return workspace_bytes_; }
  // x and y channels-last, the weight as Cout x kh x kw x Cin/groups; in a gradient, dx, dw and dy in their places.
  void run(const CudaStream& stream, const void* x, const void* weight, const void* y, std::byte* workspace) const;

 private:
  CudnnPlan(std::vector<CudnnDescriptor> graph, CudnnDescriptor config, CudnnDescriptor plan,
            std::int64_t workspace_bytes)
      : graph_(std::move(graph)),
        config_(std::move(config)),
        plan_(std::move(plan)),
        workspace_bytes_(workspace_bytes) {}

  std::vector<CudnnDescriptor> graph_;  // what the plan was made from lives as long as the plan
  CudnnDescriptor config_;
  CudnnDescriptor plan_;
  std::int64_t workspace_bytes_;
};

}  // namespace chiasm
