// SPDX-License-Identifier: Apache-2.0
// Capture of streams into graphs, and graphs.
#include <algorithm>

#include "tests/cuda_on_host/execution/order.h"
#include "tests/cuda_on_host/runtime/api.h"
#include "tests/cuda_on_host/runtime/state.h"

using namespace cuda_on_host;

namespace cuda_on_host {
namespace {

thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

void end(Capture& capture) {
  for (cudaStream_t member : capture.members) {
    member->capture = nullptr;
    member->tail.clear();
  }
  capture.members.clear();
  capture.ended = true;
  std::erase_if(state().captures, [&](const CapturePtr& one) { return one.get() == &capture; });
}

void merge(std::vector<int>& tail, const std::vector<int>& more) {
  tail.insert(tail.end(), more.begin(), more.end());
  std::sort(tail.begin(), tail.end());
  tail.erase(std::unique(tail.begin(), tail.end()), tail.end());
}

// Which nodes have to run before or as one of `last`.
std::vector<bool> ancestors(const CUgraph_st& graph, const std::vector<int>& last) {
  std::vector<bool> before(graph.nodes.size(), false);
  for (int index : last) before[static_cast<std::size_t>(index)] = true;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    if (!before[i]) continue;
    for (int index : graph.nodes[i]->after) before[static_cast<std::size_t>(index)] = true;
  }
  return before;
}

// Every node once, each after those it follows, in an order that the edges allow.
std::string replay(const CUgraph_st& graph, std::uint64_t turn, cudaError_t* error) {
  const std::size_t count = graph.nodes.size();
  std::vector<int> missing(count), ready;
  std::vector<std::vector<int>> followers(count);
  for (std::size_t i = 0; i < count; ++i) {
    missing[i] = static_cast<int>(graph.nodes[i]->after.size());
    for (int before : graph.nodes[i]->after) followers[static_cast<std::size_t>(before)].push_back(static_cast<int>(i));
    if (missing[i] == 0) ready.push_back(static_cast<int>(i));
  }
  while (!ready.empty()) {
    std::sort(ready.begin(), ready.end());
    const int at = choose(static_cast<int>(ready.size()), turn);
    const auto index = static_cast<std::size_t>(ready[static_cast<std::size_t>(at)]);
    ready.erase(ready.begin() + at);
    const Task& task = graph.nodes[index]->task;
    if (std::string wrong = task.run ? task.run() : std::string(); !wrong.empty()) {
      *error = task.failure;
      return task.title() + ": " + wrong;
    }
    for (int follower : followers[index]) {
      if (--missing[static_cast<std::size_t>(follower)] == 0) ready.push_back(follower);
    }
  }
  return {};
}

template <class T>
T* find(const std::vector<std::unique_ptr<T>>& all, const T* handle) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.get() == handle; });
  return found == all.end() ? nullptr : found->get();
}

}  // namespace

cudaError_t invalidate(Capture& capture, cudaError_t error, std::string detail) {
  capture.invalidated = true;
  return fail(error, std::move(detail));
}

// Calls that may make other streams wait: malloc, free, pinning. A thread in relaxed mode may make them.
cudaError_t refuse_unsafe_call(const char* function) {
  if (thread_mode == cudaStreamCaptureModeRelaxed) return cudaSuccess;
  for (const CapturePtr& capture : state().captures) {
    const bool here = capture->thread == std::this_thread::get_id();
    const bool applies = capture->mode == cudaStreamCaptureModeGlobal
                             ? here || thread_mode == cudaStreamCaptureModeGlobal
                             : capture->mode == cudaStreamCaptureModeThreadLocal && here;
    if (applies) {
      return invalidate(*capture, cudaErrorStreamCaptureUnsupported,
                        std::string(function) + " while a stream captures");
    }
  }
  return cudaSuccess;
}

// Waiting for the device waits for the capturing streams, whatever the mode.
cudaError_t refuse_device_wait(const char* function) {
  for (const CapturePtr& capture : state().captures) {
    return invalidate(*capture, cudaErrorStreamCaptureUnsupported, std::string(function) + " while a stream captures");
  }
  return cudaSuccess;
}

cudaError_t add_node(CUstream_st& stream, Task task) {
  Capture& capture = *stream.capture;
  if (capture.invalidated) return cudaErrorStreamCaptureInvalidated;
  auto node = std::make_unique<CUgraphNode_st>();
  node->task = std::move(task);
  node->after = stream.tail;
  stream.tail = {static_cast<int>(capture.graph.nodes.size())};
  capture.graph.nodes.push_back(std::move(node));
  return cudaSuccess;
}

cudaError_t wait_for_captured_event(CUstream_st& stream, CUevent_st& event) {
  if (!event.capture) {
    // A wait for an event that was never recorded is no wait.
    if (!event.item) return cudaSuccess;
    return invalidate(*stream.capture, cudaErrorStreamCaptureIsolation,
                      "a capturing stream waits for an event that was recorded outside of the capture");
  }
  if (event.capture->ended) {
    return fail(cudaErrorCapturedEvent, "cudaStreamWaitEvent: the event was last recorded in a capture that has ended");
  }
  if (stream.capture && stream.capture != event.capture) {
    invalidate(*stream.capture, cudaErrorStreamCaptureMerge, "");
    return invalidate(*event.capture, cudaErrorStreamCaptureMerge, "cudaStreamWaitEvent joins two captures");
  }
  if (event.capture->invalidated) return cudaErrorStreamCaptureInvalidated;
  if (!stream.capture) {
    if (&stream == state().streams[0].get()) {
      return invalidate(*event.capture, cudaErrorStreamCaptureImplicit,
                        "the default stream waits for a captured event");
    }
    stream.capture = event.capture;
    event.capture->members.push_back(&stream);
  }
  merge(stream.tail, event.tail);
  return cudaSuccess;
}

}  // namespace cuda_on_host

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  return api("cudaStreamBeginCapture", [&] {
    CUstream_st* stream = find_stream(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream == state().streams[0].get()) {
      return fail(cudaErrorStreamCaptureUnsupported, "the default stream cannot be captured");
    }
    if (stream->capture) return fail(cudaErrorIllegalState, "cudaStreamBeginCapture: the stream captures already");
    if (mode < cudaStreamCaptureModeGlobal || mode > cudaStreamCaptureModeRelaxed) return cudaErrorInvalidValue;
    stream->capture = std::make_shared<Capture>();
    stream->capture->origin = stream;
    stream->capture->mode = mode;
    stream->capture->thread = std::this_thread::get_id();
    stream->capture->members.push_back(stream);
    state().captures.push_back(stream->capture);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  return api("cudaStreamEndCapture", [&] {
    CUstream_st* stream = find_stream(handle);
    if (graph == nullptr) return cudaErrorInvalidValue;
    *graph = nullptr;
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (!stream->capture) return fail(cudaErrorIllegalState, "cudaStreamEndCapture: the stream does not capture");
    const CapturePtr capture = stream->capture;
    if (capture->origin != stream) {
      return invalidate(*capture, cudaErrorStreamCaptureUnmatched, "the capture began in another stream");
    }
    if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id()) {
      return invalidate(*capture, cudaErrorStreamCaptureWrongThread, "the capture began in another thread");
    }
    if (capture->invalidated) {
      end(*capture);
      return cudaErrorStreamCaptureInvalidated;
    }
    const std::vector<bool> joined = ancestors(capture->graph, stream->tail);
    const auto left = std::find(joined.begin(), joined.end(), false);
    end(*capture);
    if (left != joined.end()) {
      return fail(cudaErrorStreamCaptureUnjoined,
                  "the stream that began the capture does not wait for " +
                      capture->graph.nodes[static_cast<std::size_t>(left - joined.begin())]->task.title());
    }
    state().graphs.push_back(std::make_unique<CUgraph_st>(std::move(capture->graph)));
    *graph = state().graphs.back().get();
    return cudaSuccess;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  return api("cudaStreamIsCapturing", [&] {
    CUstream_st* stream = find_stream(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (status == nullptr) return cudaErrorInvalidValue;
    *status = !stream->capture               ? cudaStreamCaptureStatusNone
              : stream->capture->invalidated ? cudaStreamCaptureStatusInvalidated
                                             : cudaStreamCaptureStatusActive;
    return cudaSuccess;
  });
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  return api("cudaThreadExchangeStreamCaptureMode", [&] {
    if (mode == nullptr) return cudaErrorInvalidValue;
    std::swap(*mode, thread_mode);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t handle, cudaGraphNode_t* nodes, std::size_t* count) {
  return api("cudaGraphGetNodes", [&] {
    const CUgraph_st* graph = find(state().graphs, handle);
    if (graph == nullptr || count == nullptr) return cudaErrorInvalidValue;
    if (nodes != nullptr) {
      for (std::size_t i = 0; i < *count; ++i) nodes[i] = i < graph->nodes.size() ? graph->nodes[i].get() : nullptr;
      *count = std::min(*count, graph->nodes.size());
    } else {
      *count = graph->nodes.size();
    }
    return cudaSuccess;
  });
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* type) {
  return api("cudaGraphNodeGetType", [&] {
    if (node == nullptr || type == nullptr) return cudaErrorInvalidValue;
    *type = node->task.type;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t handle, unsigned long long) {
  return api("cudaGraphInstantiate", [&] {
    const CUgraph_st* graph = find(state().graphs, handle);
    if (graph == nullptr || executable == nullptr) return cudaErrorInvalidValue;
    // A copy: the graph may be destroyed.
    auto copy = std::make_shared<CUgraph_st>();
    for (const auto& node : graph->nodes) copy->nodes.push_back(std::make_unique<CUgraphNode_st>(*node));
    auto made = std::make_unique<CUgraphExec_st>();
    made->graph = std::move(copy);
    *executable = made.get();
    state().executables.push_back(std::move(made));
    return cudaSuccess;
  });
}

cudaError_t cudaGraphUpload(cudaGraphExec_t handle, cudaStream_t stream) {
  return api("cudaGraphUpload", [&] {
    if (find(state().executables, handle) == nullptr) return cudaErrorInvalidValue;
    return find_stream(stream) == nullptr ? cudaErrorInvalidResourceHandle : cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t handle, cudaStream_t stream) {
  return api("cudaGraphLaunch", [&] {
    const CUgraphExec_st* executable = find(state().executables, handle);
    if (executable == nullptr) return fail(cudaErrorInvalidValue, "cudaGraphLaunch: no such executable graph");
    const auto run = [graph = executable->graph] {
      static std::uint64_t turn = 0;
      cudaError_t error = cudaErrorLaunchFailure;
      return replay(*graph, turn++, &error);
    };
    return enqueue_task(stream, {.type = cudaGraphNodeTypeGraph, .name = "a graph", .run = run});
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t handle) {
  return api("cudaGraphExecDestroy", [&] {
    if (find(state().executables, handle) == nullptr) return cudaErrorInvalidValue;
    std::erase_if(state().executables, [&](const auto& one) { return one.get() == handle; });
    return cudaSuccess;
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t handle) {
  return api("cudaGraphDestroy", [&] {
    if (find(state().graphs, handle) == nullptr) return cudaErrorInvalidValue;
    std::erase_if(state().graphs, [&](const auto& one) { return one.get() == handle; });
    return cudaSuccess;
  });
}
