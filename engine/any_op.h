// SPDX-License-Identifier: Apache-2.0
// AnyOp: an op as the graph holds it. It is the only virtual boundary between the engine and the kernels; OpNode<Op>
// wraps any op struct of kernels/op.h, and GradientOp<Op> is the gradient of one of its inputs as an op of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/cuda/stream.h"
#include "kernels/cuda/with_cuda.h"
#include "kernels/elementwise/pointwise_function.h"
#include "kernels/op.h"

namespace chiasm {

class AnyOp;
using OpPtr = std::shared_ptr<const AnyOp>;

class AnyOp {
 public:
  virtual ~AnyOp() = default;

  virtual std::string name() const = 0;
  // Same kind of op with the same parameters: on equal inputs, equal outputs.
  virtual bool equals(const AnyOp& other) const = 0;
  virtual std::vector<Spec> infer(std::span<const Spec> in) const = 0;
  virtual void run(CpuStream& stream, Inputs in, Outputs out) const = 0;
  virtual std::int64_t workspace_bytes(const CpuStream& stream, std::span<const Spec> in) const = 0;
  // The same on CUDA. Throws InternalError in a build without it.
  virtual void run(CudaStream& stream, Inputs in, Outputs out) const = 0;
  virtual std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const = 0;
  // Whether calls of this op that do not depend on each other are better run together.
  virtual bool runs_many() const { return false; }
  // REQUIRES: runs_many().
  virtual void run_many(CudaStream& stream, std::span<const OpCall> calls) const;

  // The traits of kernels/op.h.
  virtual bool in_place() const = 0;
  virtual bool is_view() const = 0;
  virtual bool broadcasts() const = 0;
  // Whether it came from differentiation. What depends on such an op is part of the backward computation.
  virtual bool is_gradient() const = 0;

  // Shared memory, see kernels/op.h. An op with is_view() has a view_offset of zero.
  virtual std::optional<std::int64_t> view_offset(std::span<const Spec> in) const = 0;
  virtual std::optional<std::int64_t> part_offset(std::span<const Spec> in, int input) const = 0;

  virtual BatchRule batch_rule(std::span<const Spec> in) const = 0;
  // The op for a batch of another size than that of its inputs `in`; null where it is this one.
  virtual OpPtr at_batch(std::span<const Spec> in, std::int64_t batch) const = 0;
  virtual std::int64_t flops(std::span<const Spec> in, std::span<const Spec> out) const = 0;

  // The op as an element-wise function of its inputs, if it is one.
  virtual std::optional<PointwiseFunction> pointwise() const = 0;

  virtual GradientRule gradient(int input) const = 0;
  // The op that computes the gradient of `input`. Its inputs are dy, then what gradient(input) lists, in that order.
  // REQUIRES: gradient(input).kind is kKernel.
  virtual OpPtr gradient_op(int input, std::span<const Spec> in, std::span<const Spec> out) const = 0;
};

namespace detail {

[[noreturn]] void throw_without_cuda(const std::string& op);

// An op without gradient has no backward().
template <class Op>
constexpr bool has_cuda_backward() {
  return kWithCuda && requires(const Op& op, CudaStream& stream, Inputs in, View dy, MutableView dx) {
    op.backward(stream, 0, in, in, dy, dx);
  };
}

template <class Op>
constexpr bool trait_in_place() {
  if constexpr (requires { Op::kInPlace; }) return Op::kInPlace;
  return false;
}
template <class Op>
constexpr bool trait_is_view() {
  if constexpr (requires { Op::kIsView; }) return Op::kIsView;
  return false;
}
template <class Op>
constexpr bool trait_broadcasts() {
  if constexpr (requires { Op::kBroadcasts; }) return Op::kBroadcasts;
  return false;
}

template <class Op>
std::optional<std::int64_t> view_offset_of(const Op& op, std::span<const Spec> in) {
  if constexpr (requires { op.view_offset(in); }) return op.view_offset(in);
  if constexpr (trait_is_view<Op>()) return 0;
  return std::nullopt;
}
template <class Op>
BatchRule batch_rule_of(const Op& op, std::span<const Spec> in) {
  if constexpr (requires { op.batch_rule(in); }) {
    return op.batch_rule(in);
  } else if constexpr (requires { Op::kBatchInputs; }) {
    std::vector<bool> carries(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) carries[i] = (Op::kBatchInputs >> i & 1U) != 0;
    return BatchRule::each(std::move(carries));
  }
  return BatchRule::none();
}
template <class Op>
Op op_at_batch(const Op& op, std::span<const Spec> in, std::int64_t batch) {
  if constexpr (requires { op.at_batch(in, batch); }) return op.at_batch(in, batch);
  return op;
}
template <class Op>
std::int64_t flops_of(const Op& op, std::span<const Spec> in, std::span<const Spec> out) {
  if constexpr (requires { op.flops(in); }) return op.flops(in);
  return view_offset_of(op, in) ? 0 : out[0].shape.elements();
}

}  // namespace detail

// What gradients of all ops have in common.
class GradientOpBase : public AnyOp {
 public:
  std::string name() const final;
  std::vector<Spec> infer(std::span<const Spec> in) const final;
  bool is_view() const final { return false; }
  bool broadcasts() const final { return false; }
  bool is_gradient() const final { return true; }
  std::optional<std::int64_t> view_offset(std::span<const Spec>) const final { return std::nullopt; }
  std::optional<std::int64_t> part_offset(std::span<const Spec>, int) const final { return std::nullopt; }
  // With respect to an input that carries the batch, sample by sample; to one that does not, a sum over samples.
  BatchRule batch_rule(std::span<const Spec>) const final;
  OpPtr at_batch(std::span<const Spec>, std::int64_t batch) const final;
  GradientRule gradient(int) const final { return GradientRule::none(); }
  OpPtr gradient_op(int, std::span<const Spec>, std::span<const Spec>) const final;

  int input() const { return input_; }

 protected:
  // `op` is the op's kName; `broadcasts` and `forward` are its trait and its batch rule.
  GradientOpBase(std::string_view op, bool broadcasts, int input, GradientRule rule, BatchRule forward,
                 std::span<const Spec> in, std::span<const Spec> out);
  bool same_operands(const GradientOpBase& other) const {
    return other.input_ == input_ && other.in_ == in_ && other.out_ == out_;
  }
  // The gradient of the op for `batch` samples, whose operands are then `in` and `out`.
  virtual OpPtr with_operands(std::int64_t batch, std::span<const Spec> in, std::span<const Spec> out) const = 0;

  // What backward() takes. Operands that the gradient does not read have no data.
  struct Operands {
    std::vector<View> in;
    std::vector<View> out;
  };
  Operands operands(Inputs in) const;
  std::span<const Spec> in() const { return in_; }

 private:
  std::string_view op_;
  bool broadcasts_;
  int input_;
  GradientRule rule_;
  BatchRule forward_;
  std::vector<Spec> in_;
  std::vector<Spec> out_;
};

template <class Op>
class GradientOp final : public GradientOpBase {
 public:
  GradientOp(Op op, int input, std::span<const Spec> in, std::span<const Spec> out)
      : GradientOpBase(Op::kName, detail::trait_broadcasts<Op>(), input, op.gradient(input),
                       detail::batch_rule_of(op, in), in, out),
        op_(std::move(op)) {}

  bool equals(const AnyOp& other) const override {
    const auto* same = dynamic_cast<const GradientOp*>(&other);
    return same != nullptr && same->op_ == op_ && same_operands(*same);
  }
  void run(CpuStream& stream, Inputs in, Outputs out) const override { backward(stream, in, out); }
  std::int64_t workspace_bytes(const CpuStream& stream, std::span<const Spec>) const override {
    return backward_workspace_bytes(stream);
  }
  void run(CudaStream& stream, Inputs in, Outputs out) const override {
    if constexpr (detail::has_cuda_backward<Op>()) {
      backward(stream, in, out);
    } else {
      detail::throw_without_cuda(name());
    }
  }
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec>) const override {
    if constexpr (kWithCuda) return backward_workspace_bytes(stream);
    return 0;
  }
  bool in_place() const override { return detail::trait_in_place<Op>(); }
  std::int64_t flops(std::span<const Spec>, std::span<const Spec> out) const override {
    if constexpr (requires { op_.flops(in()); }) return op_.flops(in());
    return out[0].shape.elements();
  }
  std::optional<PointwiseFunction> pointwise() const override {
    if constexpr (requires { op_.pointwise_gradient(input()); }) {
      PointwiseFunction function = op_.pointwise_gradient(input());
      function.gradient = true;
      return function;
    }
    return std::nullopt;
  }

  const Op& op() const { return op_; }

 private:
  OpPtr with_operands(std::int64_t batch, std::span<const Spec> in, std::span<const Spec> out) const override {
    return std::make_shared<GradientOp>(detail::op_at_batch(op_, this->in(), batch), input(), in, out);
  }
  template <class Stream>
  void backward(Stream& stream, Inputs in, Outputs out) const {
    const Operands all = operands(in);
    op_.backward(stream, input(), all.in, all.out, in[0], out[0]);
  }
  template <class Stream>
  std::int64_t backward_workspace_bytes(const Stream& stream) const {
    if constexpr (requires { op_.backward_workspace_bytes(stream, input(), in()); }) {
      return op_.backward_workspace_bytes(stream, input(), in());
    }
    return 0;
  }

  Op op_;
};

template <class Op>
class OpNode final : public AnyOp {
 public:
  explicit OpNode(Op op) : op_(std::move(op)) {}

  std::string name() const override { return std::string(op_.kName); }
  bool equals(const AnyOp& other) const override {
    const auto* same = dynamic_cast<const OpNode*>(&other);
    return same != nullptr && same->op_ == op_;
  }
  std::vector<Spec> infer(std::span<const Spec> in) const override { return op_.infer(in); }
  void run(CpuStream& stream, Inputs in, Outputs out) const override { op_.forward(stream, in, out); }
  std::int64_t workspace_bytes(const CpuStream& stream, std::span<const Spec> in) const override {
    return forward_workspace_bytes(stream, in);
  }
  void run(CudaStream& stream, Inputs in, Outputs out) const override {
    if constexpr (kWithCuda) {
      op_.forward(stream, in, out);
    } else {
      detail::throw_without_cuda(name());
    }
  }
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const override {
    if constexpr (kWithCuda) return forward_workspace_bytes(stream, in);
    return 0;
  }
  bool runs_many() const override {
    return kWithCuda && requires(CudaStream & stream, std::span<const OpCall> calls) {
      op_.forward_many(stream, calls);
    };
  }
  void run_many(CudaStream& stream, std::span<const OpCall> calls) const override {
    if constexpr (kWithCuda && requires { op_.forward_many(stream, calls); }) {
      op_.forward_many(stream, calls);
    } else {
      AnyOp::run_many(stream, calls);
    }
  }
  bool in_place() const override { return detail::trait_in_place<Op>(); }
  bool is_view() const override { return detail::trait_is_view<Op>(); }
  bool broadcasts() const override { return detail::trait_broadcasts<Op>(); }
  bool is_gradient() const override {
    if constexpr (requires { op_.is_gradient(); }) return op_.is_gradient();
    return false;
  }
  std::optional<std::int64_t> view_offset(std::span<const Spec> in) const override {
    return detail::view_offset_of(op_, in);
  }
  std::optional<std::int64_t> part_offset(std::span<const Spec> in, int input) const override {
    if constexpr (requires { op_.part_offset(in, input); }) return op_.part_offset(in, input);
    return std::nullopt;
  }
  BatchRule batch_rule(std::span<const Spec> in) const override { return detail::batch_rule_of(op_, in); }
  OpPtr at_batch(std::span<const Spec> in, std::int64_t batch) const override {
    if constexpr (requires { op_.at_batch(in, batch); }) return std::make_shared<OpNode>(op_.at_batch(in, batch));
    return nullptr;
  }
  std::int64_t flops(std::span<const Spec> in, std::span<const Spec> out) const override {
    return detail::flops_of(op_, in, out);
  }
  std::optional<PointwiseFunction> pointwise() const override {
    if constexpr (requires { op_.pointwise(); }) return op_.pointwise();
    return std::nullopt;
  }
  GradientRule gradient(int input) const override { return op_.gradient(input); }
  OpPtr gradient_op(int input, std::span<const Spec> in, std::span<const Spec> out) const override {
    return std::make_shared<GradientOp<Op>>(op_, input, in, out);
  }

  const Op& op() const { return op_; }

 private:
  template <class Stream>
  std::int64_t forward_workspace_bytes(const Stream& stream, std::span<const Spec> in) const {
    if constexpr (requires { op_.workspace_bytes(stream, in); }) return op_.workspace_bytes(stream, in);
    return 0;
  }

  Op op_;
};

template <class Op>
OpPtr make_op(Op op) {
  return std::make_shared<OpNode<Op>>(std::move(op));
}

// The op struct inside, or nullptr when `op` is of another kind.
template <class Op>
const Op* op_cast(const AnyOp& op) {
  const auto* node = dynamic_cast<const OpNode<Op>*>(&op);
  return node == nullptr ? nullptr : &node->op();
}

}  // namespace chiasm
