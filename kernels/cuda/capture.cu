// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>

#include "kernels/cuda/capture.h"
#include "kernels/cuda/check.cuh"

namespace chiasm {

CudaEvent::CudaEvent(const CudaStream& stream) {
  stream.make_current();
  CHIASM_CUDA(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming));
}

CudaEvent::CudaEvent(CudaEvent&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}

CudaEvent::~CudaEvent() {
  if (event_ != nullptr) cudaEventDestroy(event_);
}

void CudaEvent::record(const CudaStream& stream) { CHIASM_CUDA(cudaEventRecord(event_, stream.native())); }

void CudaEvent::hold_back(const CudaStream& stream) const {
  CHIASM_CUDA(cudaStreamWaitEvent(stream.native(), event_, 0));
}

CapturedWork::CapturedWork(const CudaStream& stream, const std::function<void()>& enqueue) {
  stream.make_current();
  cudaGraph_t graph = nullptr;
  // Other threads, such as a loader's, go on making their own calls.
  CHIASM_CUDA(cudaStreamBeginCapture(stream.native(), cudaStreamCaptureModeThreadLocal));
  try {
    enqueue();
  } catch (...) {
    cudaStreamEndCapture(stream.native(), &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    cudaGetLastError();  // the exception tells what went wrong first
    throw;
  }
  CHIASM_CUDA(cudaStreamEndCapture(stream.native(), &graph));
  const std::unique_ptr<CUgraph_st, decltype(&cudaGraphDestroy)> owner(graph, &cudaGraphDestroy);
  CHIASM_CUDA(cudaGraphGetNodes(graph, nullptr, &nodes_));
  CHIASM_CUDA(cudaGraphInstantiate(&work_, graph, 0));
}

CapturedWork::CapturedWork(CapturedWork&& other) noexcept
    : work_(std::exchange(other.work_, nullptr)), nodes_(other.nodes_) {}

CapturedWork& CapturedWork::operator=(CapturedWork&& other) noexcept {
  std::swap(work_, other.work_);
  std::swap(nodes_, other.nodes_);
  return *this;
}

CapturedWork::~CapturedWork() {
  if (work_ != nullptr) cudaGraphExecDestroy(work_);
}

void CapturedWork::replay(const CudaStream& stream) const { CHIASM_CUDA(cudaGraphLaunch(work_, stream.native())); }

}  // namespace chiasm
