// SPDX-License-Identifier: Apache-2.0
#include "engine/any_op.h"

#include "kernels/error.h"

namespace chiasm {

void AnyOp::run_many(CudaStream&, std::span<const OpCall>) const {
  throw InternalError(name() + ": calls of this op are run one by one");
}

void detail::throw_without_cuda(const std::string& op) { throw InternalError(op + ": no CUDA side in this build"); }

GradientOpBase::GradientOpBase(std::string_view op, bool broadcasts, int input, GradientRule rule, BatchRule forward,
                               std::span<const Spec> in, std::span<const Spec> out)
    : op_(op),
      broadcasts_(broadcasts),
      input_(input),
      rule_(std::move(rule)),
      forward_(std::move(forward)),
      in_(in.begin(), in.end()),
      out_(out.begin(), out.end()) {}

std::string GradientOpBase::name() const { return std::string(op_) + ".gradient[" + std::to_string(input_) + "]"; }

std::vector<Spec> GradientOpBase::infer(std::span<const Spec> in) const {
  if (in.size() != 1 + rule_.inputs.size() + rule_.outputs.size()) {
    throw InternalError(name() + ": wrong number of inputs");
  }
  if (!(in[0] == out_[0])) {
    throw InternalError(name() + ": the gradient " + to_string(in[0]) + " does not match the output " +
                        to_string(out_[0]));
  }
  if (broadcasts_) return {Spec{in_[input_].dtype, out_[0].shape}};
  return {in_[input_]};
}

BatchRule GradientOpBase::batch_rule(std::span<const Spec>) const {
  if (forward_.kind != BatchRule::Kind::kEach) return BatchRule::none();
  std::vector<bool> carries{true};
  for (int i : rule_.inputs) carries.push_back(forward_.carries[i]);
  carries.insert(carries.end(), rule_.outputs.size(), true);
  const bool each = forward_.carries[input_] || broadcasts_;
  return each ? BatchRule::each(std::move(carries)) : BatchRule::sum(std::move(carries));
}

OpPtr GradientOpBase::at_batch(std::span<const Spec>, std::int64_t batch) const {
  if (forward_.kind != BatchRule::Kind::kEach) return nullptr;
  std::vector<Spec> in = in_, out = out_;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (forward_.carries[i]) in[i].shape = in[i].shape.with(0, batch);
  }
  for (Spec& spec : out) spec.shape = spec.shape.with(0, batch);
  return with_operands(batch, in, out);
}

OpPtr GradientOpBase::gradient_op(int, std::span<const Spec>, std::span<const Spec>) const {
  throw InternalError(name() + ": second derivatives are not available");
}

GradientOpBase::Operands GradientOpBase::operands(Inputs in) const {
  Operands all{std::vector<View>(in_.size()), std::vector<View>(out_.size())};
  for (std::size_t i = 0; i < in_.size(); ++i) all.in[i] = View(nullptr, in_[i]);
  for (std::size_t i = 0; i < out_.size(); ++i) all.out[i] = View(nullptr, out_[i]);
  std::size_t next = 1;
  for (int i : rule_.inputs) all.in[i] = in[next++];
  for (int i : rule_.outputs) all.out[i] = in[next++];
  return all;
}

}  // namespace chiasm
