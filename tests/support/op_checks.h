// SPDX-License-Identifier: Apache-2.0
// The fixture behind CHIASM_OP_CASES, and the means to run an op outside a graph.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tests/support/op_case.h"

namespace chiasm::test {

class OpChecks : public testing::TestWithParam<OpCase> {};

// Test memory of one tensor: filled with 0xff (NaN for floating types) and fenced by guard bands. With `strided`,
// elements lie apart, with 0xff between them.
class Buffer {
 public:
  explicit Buffer(const Spec& spec, bool strided = false);
  MutableView view() { return MutableView(data(), spec_, strides_); }
  View view() const { return View(const_cast<Buffer*>(this)->data(), spec_, strides_); }
  // True while nothing outside the tensor's elements was written.
  bool fences_hold() const;

 private:
  void* data() { return bytes_.data() + offset_; }
  Spec spec_;
  Strides strides_;
  std::vector<std::byte> bytes_;
  std::size_t offset_;
};

// Writes `value` as element i in row-major order.
void set_value(const MutableView& view, std::int64_t index, double value);

// The inputs of a case with floating ones in `type`; the values are the same for both types (they fit float32).
std::vector<Buffer> make_inputs(const OpCase& op_case, DType type, bool strided = false);

// Runs an op on views, with fresh fenced outputs and exactly the declared workspace, and checks the fences.
std::vector<Buffer> run_op(const AnyOp& op, std::span<const View> in, CpuStream stream, bool strided = false);
std::vector<View> views_of(const std::vector<Buffer>& buffers);

// A float weight that differs from element to element, in the spec of `y`: what a loss would send back.
Buffer weights_like(const View& y, bool strided = false);

// Runs an op on host views and returns its outputs, on whatever device it likes.
using RunOp = std::function<std::vector<Buffer>(const AnyOp& op, std::span<const View> in)>;

// The gradient of <dy, output 0> for one input: the pass-through or the gradient op, summed to the shape of the input.
// Nothing when no gradient flows there.
std::optional<Buffer> gradient_of(const AnyOp& op, int input, std::span<const View> in, std::span<const View> out,
                                  const View& dy, const RunOp& run);
std::optional<Buffer> gradient_of(const AnyOp& op, int input, std::span<const View> in, std::span<const View> out,
                                  const View& dy, CpuStream stream, bool strided = false);

}  // namespace chiasm::test
