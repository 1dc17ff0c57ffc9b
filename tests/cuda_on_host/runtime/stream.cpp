// SPDX-License-Identifier: Apache-2.0
// Streams and events.
#include <algorithm>
#include <chrono>

#include "tests/cuda_on_host/runtime/api.h"
#include "tests/cuda_on_host/runtime/state.h"

using namespace cuda_on_host;

namespace cuda_on_host {
namespace {

template <class T>
T* find(const std::vector<std::unique_ptr<T>>& all, const T* handle) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.get() == handle; });
  return found == all.end() ? nullptr : found->get();
}

cudaError_t no_stream(const char* function) {
  return fail(cudaErrorInvalidResourceHandle, std::string(function) + ": no such stream");
}
cudaError_t no_event(const char* function) {
  return fail(cudaErrorInvalidResourceHandle, std::string(function) + ": no such event");
}

cudaError_t create_stream(cudaStream_t* stream, unsigned flags) {
  if (stream == nullptr || flags > cudaStreamNonBlocking) return cudaErrorInvalidValue;
  auto made = std::make_unique<CUstream_st>();
  made->queue = std::make_shared<Queue>();
  made->blocking = flags == cudaStreamDefault;
  *stream = made.get();
  state().streams.push_back(std::move(made));
  return cudaSuccess;
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

bool is_done(const CUstream_st& stream) {
  const auto done = [](const ItemPtr& item) { return !item || item->done; };
  return done(stream.queue->last) && std::all_of(stream.waits.begin(), stream.waits.end(), done);
}

cudaError_t create_event(cudaEvent_t* event, unsigned flags) {
  if (event == nullptr || (flags & ~7u) != 0) return cudaErrorInvalidValue;
  auto made = std::make_unique<CUevent_st>();
  made->timing = (flags & cudaEventDisableTiming) == 0;
  *event = made.get();
  state().events.push_back(std::move(made));
  return cudaSuccess;
}

}  // namespace

CUstream_st* find_stream(cudaStream_t stream) {
  if (stream == nullptr || stream == cudaStreamLegacy) return state().streams[0].get();
  return find(state().streams, stream);
}

CUevent_st* find_event(cudaEvent_t event) { return event == nullptr ? nullptr : find(state().events, event); }

cudaError_t synchronize_stream(CUstream_st& stream) {
  // A copy: run_until may drop what it waits for when something fails.
  const std::vector<ItemPtr> waits = stream.waits;
  for (const ItemPtr& item : waits) {
    if (const cudaError_t error = run_until(item); error != cudaSuccess) return error;
  }
  return run_until(stream.queue->last);
}

}  // namespace cuda_on_host

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return api("cudaStreamCreate", [&] { return create_stream(stream, cudaStreamDefault); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return api("cudaStreamCreateWithFlags", [&] { return create_stream(stream, flags); });
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  return api("cudaStreamCreateWithPriority", [&] { return create_stream(stream, flags); });
}

// What was enqueued still runs.
cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  return api("cudaStreamDestroy", [&] {
    CUstream_st* stream = find_stream(handle);
    if (stream == nullptr || stream == state().streams[0].get()) return no_stream("cudaStreamDestroy");
    if (stream->capture) {
      std::erase(stream->capture->members, stream);
      invalidate(*stream->capture, cudaErrorStreamCaptureInvalidated, "a capturing stream was destroyed");
    }
    std::erase_if(state().streams, [&](const auto& one) { return one.get() == stream; });
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return api("cudaStreamSynchronize", [&] {
    CUstream_st* stream = find_stream(handle);
    if (stream == nullptr) return no_stream("cudaStreamSynchronize");
    if (stream->capture) {
      return invalidate(*stream->capture, cudaErrorStreamCaptureUnsupported,
                        "cudaStreamSynchronize of a capturing stream");
    }
    if (stream != state().streams[0].get()) return synchronize_stream(*stream);
    // The default stream waits for every blocking stream.
    ItemPtr item;
    const cudaError_t error = enqueue_task(nullptr, {.name = "cudaStreamSynchronize", .run = nullptr}, &item);
    return error != cudaSuccess ? error : run_until(item);
  });
}

// Each question lets one piece of work run, so that a program that only asks comes to an end.
cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return api("cudaStreamQuery", [&] {
    CUstream_st* stream = find_stream(handle);
    if (stream == nullptr) return no_stream("cudaStreamQuery");
    if (stream->capture) {
      return invalidate(*stream->capture, cudaErrorStreamCaptureUnsupported, "cudaStreamQuery of a capturing stream");
    }
    if (is_done(*stream)) return cudaSuccess;
    run_one();
    return state().failure != cudaSuccess ? state().failure : cudaErrorNotReady;
  });
}

cudaError_t cudaStreamGetDevice(cudaStream_t handle, int* device) {
  return api("cudaStreamGetDevice", [&] {
    if (find_stream(handle) == nullptr) return no_stream("cudaStreamGetDevice");
    if (device == nullptr) return cudaErrorInvalidValue;
    *device = 0;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream_handle, cudaEvent_t event_handle, unsigned flags) {
  return api("cudaStreamWaitEvent", [&] {
    CUstream_st* stream = find_stream(stream_handle);
    CUevent_st* event = find_event(event_handle);
    if (stream == nullptr) return no_stream("cudaStreamWaitEvent");
    if (event == nullptr) return no_event("cudaStreamWaitEvent");
    if (flags != cudaEventWaitDefault) return cudaErrorInvalidValue;
    if (event->capture || stream->capture) return wait_for_captured_event(*stream, *event);
    if (event->item && !event->item->done) stream->waits.push_back(event->item);
    return cudaSuccess;
  });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* argument) {
  return api("cudaLaunchHostFunc", [&] {
    if (function == nullptr) return cudaErrorInvalidValue;
    const auto run = [=] {
      function(argument);
      return std::string();
    };
    return enqueue_task(stream, {.type = cudaGraphNodeTypeHost, .name = "a host function", .run = run});
  });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return api("cudaEventCreate", [&] { return create_event(event, cudaEventDefault); });
}

cudaError_t cudaEventCreate(cudaEvent_t* event, unsigned flags) { return cudaEventCreateWithFlags(event, flags); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return api("cudaEventCreateWithFlags", [&] { return create_event(event, flags); });
}

cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  return api("cudaEventDestroy", [&] {
    CUevent_st* event = find_event(handle);
    if (event == nullptr) return no_event("cudaEventDestroy");
    std::erase_if(state().events, [&](const auto& one) { return one.get() == event; });
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event_handle, cudaStream_t stream_handle) {
  return api("cudaEventRecord", [&] {
    CUstream_st* stream = find_stream(stream_handle);
    CUevent_st* event = find_event(event_handle);
    if (stream == nullptr) return no_stream("cudaEventRecord");
    if (event == nullptr) return no_event("cudaEventRecord");
    if (stream->capture) {
      if (stream->capture->invalidated) return cudaErrorStreamCaptureInvalidated;
      event->capture = stream->capture;
      event->tail = stream->tail;
      event->item = nullptr;
      return cudaSuccess;
    }
    auto seconds = std::make_shared<double>(0);
    const auto run = [seconds] {
      *seconds = now();
      return std::string();
    };
    ItemPtr item;
    const cudaError_t error = enqueue_task(stream_handle, {.name = "cudaEventRecord", .run = run}, &item);
    if (error != cudaSuccess) return error;
    event->item = item;
    event->seconds = seconds;
    event->capture = nullptr;
    event->tail.clear();
    return cudaSuccess;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return api("cudaEventSynchronize", [&] {
    CUevent_st* event = find_event(handle);
    if (event == nullptr) return no_event("cudaEventSynchronize");
    if (event->capture) {
      return invalidate(*event->capture, cudaErrorCapturedEvent, "cudaEventSynchronize of a captured event");
    }
    return run_until(event->item);
  });
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return api("cudaEventQuery", [&] {
    CUevent_st* event = find_event(handle);
    if (event == nullptr) return no_event("cudaEventQuery");
    if (event->capture) {
      return invalidate(*event->capture, cudaErrorCapturedEvent, "cudaEventQuery of a captured event");
    }
    if (!event->item || event->item->done) return cudaSuccess;
    run_one();
    return state().failure != cudaSuccess ? state().failure : cudaErrorNotReady;
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start_handle, cudaEvent_t end_handle) {
  return api("cudaEventElapsedTime", [&] {
    const CUevent_st* start = find_event(start_handle);
    const CUevent_st* end = find_event(end_handle);
    if (start == nullptr || end == nullptr) return no_event("cudaEventElapsedTime");
    if (milliseconds == nullptr) return cudaErrorInvalidValue;
    if (!start->timing || !end->timing || !start->item || !end->item) {
      return fail(cudaErrorInvalidResourceHandle, "cudaEventElapsedTime: an event without timing, or never recorded");
    }
    if (!start->item->done || !end->item->done) return cudaErrorNotReady;
    *milliseconds = static_cast<float>((*end->seconds - *start->seconds) * 1e3);
    return cudaSuccess;
  });
}
