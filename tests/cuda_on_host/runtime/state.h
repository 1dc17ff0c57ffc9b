// SPDX-License-Identifier: Apache-2.0
// What the functions of the runtime share: the mutex, errors, and the work that has not run.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/cuda_on_host/execution/symbols.h"
#include "tests/cuda_on_host/runtime/types.h"

namespace cuda_on_host {

// Something to run on the device: a kernel, a copy, a fill, a whole graph.
struct Task {
  cudaGraphNodeType type = cudaGraphNodeTypeEmpty;
  std::string name;
  std::function<std::string()> run;              // returns what went wrong
  cudaError_t failure = cudaErrorLaunchFailure;  // the error when something did
  const void* kernel = nullptr;                  // looked up for messages only, in place of a name

  std::string title() const { return kernel == nullptr ? name : symbol_name(kernel); }
};

struct Queue;

// A task in a stream. It runs after everything before it in its queue and after every item of `after`.
struct Item {
  Task task;
  std::weak_ptr<Queue> queue;
  std::vector<std::shared_ptr<Item>> after;
  bool done = false;
};
using ItemPtr = std::shared_ptr<Item>;

// The pending items of one stream, which outlive the stream.
struct Queue {
  std::deque<ItemPtr> items;
  ItemPtr last;  // the youngest, also when it is done
};

}  // namespace cuda_on_host

// A node of a captured graph.
struct CUgraphNode_st {
  cuda_on_host::Task task;
  std::vector<int> after;  // indices in the graph, each lower than this node's
};

struct CUgraph_st {
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes;
};

struct CUgraphExec_st {
  std::shared_ptr<const CUgraph_st> graph;
};

namespace cuda_on_host {

// A capture in progress: the nodes so far, and the streams that take part.
struct Capture {
  CUgraph_st graph;
  cudaStream_t origin = nullptr;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::thread::id thread;
  bool invalidated = false;
  bool ended = false;
  std::vector<cudaStream_t> members;
};
using CapturePtr = std::shared_ptr<Capture>;

}  // namespace cuda_on_host

struct CUstream_st {
  std::shared_ptr<cuda_on_host::Queue> queue;
  bool blocking = true;                      // waits for the legacy default stream, and it for this one
  std::vector<cuda_on_host::ItemPtr> waits;  // of the next item, for events of other streams
  cuda_on_host::CapturePtr capture;
  std::vector<int> tail;  // in a capture: the nodes that the next one follows
};

struct CUevent_st {
  bool timing = true;
  cuda_on_host::ItemPtr item;  // the last record
  std::shared_ptr<double> seconds;
  cuda_on_host::CapturePtr capture;  // or the capture it was recorded in
  std::vector<int> tail;
};

namespace cuda_on_host {

struct State {
  std::recursive_mutex mutex;
  cudaError_t failure = cudaSuccess;  // of a kernel; every call returns it from then on
  bool running = false;               // device work runs, on this thread
  int devices = 1;
  std::vector<std::unique_ptr<CUstream_st>> streams;  // the first is the legacy default stream
  std::vector<std::unique_ptr<CUevent_st>> events;
  std::vector<std::unique_ptr<CUgraph_st>> graphs;
  std::vector<std::unique_ptr<CUgraphExec_st>> executables;
  std::vector<std::shared_ptr<Queue>> queues;  // with pending items
  std::size_t pending = 0;
  std::uint64_t waits = 0;  // how often somebody waited
  std::vector<CapturePtr> captures;
};
State& state();

// Errors. `fail` remembers a sentence that cudaGetErrorString adds, for this thread.
cudaError_t fail(cudaError_t error, std::string detail);
cudaError_t record(cudaError_t error);

// The body of a function of the runtime: under the mutex, not from device code, not after a failure.
cudaError_t enter(const char* function);
template <class Body>
cudaError_t api(const char* function, Body body) {
  const std::scoped_lock lock(state().mutex);
  const cudaError_t error = enter(function);
  return record(error != cudaSuccess ? error : body());
}

// Streams. find_stream: null for a handle that is none.
CUstream_st* find_stream(cudaStream_t stream);
CUevent_st* find_event(cudaEvent_t event);

// Appends to the stream, or to the graph that it captures. Where not captured and `item` is given, *item is the new
// one.
cudaError_t enqueue_task(cudaStream_t stream, Task task, ItemPtr* item = nullptr);

// Runs what `item` needs, and in some orders more.
cudaError_t run_until(const ItemPtr& item);
cudaError_t run_everything();
// Runs one piece of work, if there is any.
void run_one();
cudaError_t synchronize_stream(CUstream_st& stream);

// Of calls that are refused while a stream captures. May invalidate captures.
cudaError_t refuse_unsafe_call(const char* function);
cudaError_t refuse_device_wait(const char* function);
cudaError_t add_node(CUstream_st& stream, Task task);
cudaError_t invalidate(Capture& capture, cudaError_t error, std::string detail);
cudaError_t wait_for_captured_event(CUstream_st& stream, CUevent_st& event);

// Host code must not touch device memory: it is poisoned under AddressSanitizer but for the life of this object.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};

}  // namespace cuda_on_host
