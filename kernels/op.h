// SPDX-License-Identifier: Apache-2.0
// What an op is: a plain struct of parameters that infers, computes forward, and computes the gradient of each input.
//
//   struct Example {
//     static constexpr std::string_view kName = "example";
//     int parameter = 0;
//     bool operator==(const Example&) const = default;
//
//     std::vector<Spec> infer(std::span<const Spec> in) const;   // throws ShapeError naming the op and both sides
//     GradientRule gradient(int input) const;                    // what the gradient of that input reads
//     void forward(CpuStream&, Inputs in, Outputs out) const;
//     void backward(CpuStream&, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
//     void forward(CudaStream&, Inputs in, Outputs out) const;
//     void backward(CudaStream&, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
//   };
//
// - Outputs and dx are overwritten, never added to, and never read. They do not overlap inputs, unless kInPlace.
// - Only output 0 is differentiable; further outputs are statistics, masks or updated state. No gradient flows to an input
//   that is not floating, whatever gradient() says.
// - backward() is called for one input at a time, so the gradients of an input and of a weight are separate pieces of work
//   that graph passes can drop, merge or share. Views of what gradient(input) did not ask for have no data.
// - Views may have any strides. Every op has a naive loop, templated on the element type and written with strides; it is the
//   float64 path (the reference) and serves float32 when a view is not dense. The float32 path on dense views is fast.
// - Kernels do not allocate on the heap in proportion to data. Scratch is declared:
//     std::int64_t workspace_bytes(const CpuStream&, std::span<const Spec> in) const;
//     std::int64_t backward_workspace_bytes(const CpuStream&, int input, std::span<const Spec> in) const;
//   (both optional, zero when absent) and taken from CpuStream::workspace.
// - On CUDA views are dense, may begin at any element, and point to memory of the stream's device; floating ones are
//   float32. Work is enqueued on the stream and may be captured: kernels neither wait nor allocate, and what depends on
//   the content of an input, such as a learning rate, is read on the device. Workspaces are declared as for CpuStream.
//   Two runs give the same bits. An op without gradient needs no backward(). Optional:
//     void forward_many(CudaStream&, std::span<const OpCall> calls) const;
//                                                                  forward() of each call, in as few launches as it can
// - Optional traits, false when absent:
//     kInPlace     element i of a result depends on element i of each input of that shape only, and is written after they
//                  were read: a result may share the memory of such an input
//     kIsView      the output is input 0 with another shape: the planner lets them share memory and skips the copy
//     kBroadcasts  inputs broadcast by NumPy's rule; backward() writes dx in the shape of dy and the engine sums it to
//                  the shape of the input
// - Where memory may be shared, both optional, in bytes and for dense tensors:
//     std::optional<std::int64_t> view_offset(std::span<const Spec> in) const;
//                                                                  the output is the part of input 0 that begins there
//     std::optional<std::int64_t> part_offset(std::span<const Spec> in, int input) const;
//                                                                  the input becomes the part of output 0 that begins
//                                                                  there, and forward() leaves alone one that lies there
// - What graph passes may know about an op, all optional:
//     bool is_gradient() const;                                    it computes gradients (as the gradient of an op does)
//     static constexpr std::uint32_t kBatchInputs;                 see BatchRule: bit i is set where input i carries the
//                                                                  batch, as every output then does
//     BatchRule batch_rule(std::span<const Spec> in) const;        the same where it depends on the shapes
//     Op at_batch(std::span<const Spec> in, std::int64_t batch) const;
//                                                                  the op for another batch than that of the inputs `in`,
//                                                                  where parameters contain it
//     std::int64_t flops(std::span<const Spec> in) const;          of forward(), and of backward() for one input; absent:
//                                                                  one for each element of the output
//     PointwiseFunction pointwise() const;                         forward() element by element, where broadcast inputs
//                                                                  are the only reason for element i to read another
//     PointwiseFunction pointwise_gradient(int input) const;       backward() likewise, as a function of dy and what
//                                                                  gradient(input) lists
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/stream.h"
#include "kernels/view.h"

namespace chiasm {

using Inputs = std::span<const View>;
using Outputs = std::span<const MutableView>;

// What forward() is called with.
struct OpCall {
  std::vector<View> in;
  std::vector<MutableView> out;
};

struct GradientRule {
  enum class Kind : std::uint8_t {
    kNone,         // no gradient flows to this input
    kPassThrough,  // the gradient is dy itself (summed or reshaped to the input's shape)
    kKernel,       // the gradient is computed by backward()
  };
  Kind kind = Kind::kNone;
  std::vector<int> inputs;   // forward inputs that backward() reads
  std::vector<int> outputs;  // forward outputs that backward() reads

  static GradientRule none() { return {}; }
  static GradientRule pass_through() { return {Kind::kPassThrough, {}, {}}; }
  static GradientRule kernel(std::vector<int> inputs, std::vector<int> outputs = {}) {
    return {Kind::kKernel, std::move(inputs), std::move(outputs)};
  }
};

// How an op treats samples: whether applying it to two batches laid one after the other along the leading axis gives what
// applying it to each gives. Inputs that do not carry the batch are read as a whole for every sample.
struct BatchRule {
  enum class Kind : std::uint8_t {
    kNone,  // samples interact, or nothing is promised
    kEach,  // sample n of every output depends on sample n of the carrying inputs only
    kSum,   // the output is a sum over the samples of the carrying inputs
  };
  Kind kind = Kind::kNone;
  std::vector<bool> carries;  // per input

  static BatchRule none() { return {}; }
  static BatchRule each(std::vector<bool> carries) { return {Kind::kEach, std::move(carries)}; }
  // All inputs carry the batch, when `independent`.
  static BatchRule each_if(bool independent, std::size_t inputs = 1) {
    return independent ? each(std::vector<bool>(inputs, true)) : none();
  }
  static BatchRule sum(std::vector<bool> carries) { return {Kind::kSum, std::move(carries)}; }
};

// REQUIRES-style checks for infer(). Each throws ShapeError "[op] ..." with what was found.
void require_inputs(std::string_view op, std::span<const Spec> in, std::size_t count);
void require_rank(std::string_view op, std::string_view input, const Spec& spec, int rank);
void require_floating(std::string_view op, std::string_view input, const Spec& spec);
void require_dtype(std::string_view op, std::string_view input, const Spec& spec, DType dtype);
void require_shape(std::string_view op, std::string_view input, const Spec& spec, const Shape& shape);
[[noreturn]] void throw_shape(std::string_view op, const std::string& what);

// Whether every view that has data is dense.
template <class... Views>
bool all_dense(const Views&... views) {
  return ((views.data() == nullptr || views.dense()) && ...);
}
bool all_dense(Inputs views);
bool all_dense(Outputs views);
// What the CUDA side of ops takes: dense views of any type but float64. Throws ShapeError naming the op.
void require_cuda_views(std::string_view op, Inputs in, Outputs out);

}  // namespace chiasm
