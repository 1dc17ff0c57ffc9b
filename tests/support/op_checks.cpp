// SPDX-License-Identifier: Apache-2.0
#include "tests/support/op_checks.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "tests/support/compare.h"

namespace chiasm::test {
namespace {

constexpr std::size_t kFence = 64;
constexpr std::byte kFill{0xff};
constexpr std::byte kFenceByte{0xa5};

Strides spread(const Shape& shape) {
  Strides strides{};
  std::int64_t step = 2;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[axis] = step;
    step *= shape[axis] + 1;
  }
  return strides;
}

std::int64_t extent(const Shape& shape, const Strides& strides) {
  if (shape.elements() == 0) return 0;
  std::int64_t last = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) last += (shape[axis] - 1) * strides[axis];
  return last + 1;
}

}  // namespace

Buffer::Buffer(const Spec& spec, bool strided)
    : spec_(spec), strides_(strided ? spread(spec.shape) : spec.shape.row_major()) {
  const std::size_t size = static_cast<std::size_t>(extent(spec.shape, strides_)) * size_of(spec.dtype);
  bytes_.assign(size + 3 * kFence, kFenceByte);
  const auto address = reinterpret_cast<std::uintptr_t>(bytes_.data()) + kFence;
  offset_ = kFence + (kFence - address % kFence) % kFence;
  std::fill_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset_), size, kFill);
}

bool Buffer::fences_hold() const {
  const std::size_t item = size_of(spec_.dtype);
  const std::size_t end = offset_ + static_cast<std::size_t>(extent(spec_.shape, strides_)) * item;
  const auto all_are = [&](std::size_t begin, std::size_t stop, std::byte byte) {
    return std::all_of(bytes_.data() + begin, bytes_.data() + stop, [&](std::byte found) { return found == byte; });
  };
  if (!all_are(0, offset_, kFenceByte) || !all_are(end, bytes_.size(), kFenceByte)) return false;
  if (view().dense()) return true;
  std::vector<bool> element(end, false);
  for_each_offset(
      spec_.shape,
      [&](std::int64_t i) {
        std::fill_n(element.begin() + static_cast<std::ptrdiff_t>(offset_ + i * item), item, true);
      },
      strides_);
  for (std::size_t i = offset_; i < end; ++i) {
    if (!element[i] && bytes_[i] != kFill) return false;
  }
  return true;
}

void set_value(const MutableView& view, std::int64_t index, double value) {
  const std::int64_t offset = offset_at(view.shape(), view.strides(), index);
  visit_any(view.dtype(), [&]<class T>() { view.as<T>()[offset] = static_cast<T>(value); });
}

std::vector<Buffer> make_inputs(const OpCase& op_case, DType type, bool strided) {
  std::vector<Buffer> buffers;
  std::vector<std::vector<double>> all_values;
  std::mt19937 random(20240917);
  for (const OpInput& input : op_case.inputs) {
    const Fill& fill = input.fill;
    DType dtype = type;
    if (fill.kind == Fill::Kind::kIndices) dtype = DType::kInt32;
    if (fill.kind == Fill::Kind::kBytes) dtype = DType::kUInt8;
    const std::int64_t count = input.shape.elements();
    std::vector<double> values(static_cast<std::size_t>(count));
    std::uniform_real_distribution<double> real(fill.low, fill.high);
    for (std::int64_t i = 0; i < count; ++i) {
      double& value = values[static_cast<std::size_t>(i)];
      switch (fill.kind) {
        case Fill::Kind::kConstant:
          value = fill.low;
          break;
        case Fill::Kind::kUniform:
          value = real(random);
          break;
        case Fill::Kind::kSeparated:
          value = fill.low + (fill.high - fill.low) * (static_cast<double>(i) + 0.4) / static_cast<double>(count);
          break;
        case Fill::Kind::kIndices:
          value = static_cast<double>(random() % static_cast<unsigned>(fill.high));
          break;
        case Fill::Kind::kMask:
          value = static_cast<double>(random() % 2);
          break;
        case Fill::Kind::kBytes:
          value = static_cast<double>(random() % 256);
          break;
      }
    }
    if (fill.kind == Fill::Kind::kSeparated) std::shuffle(values.begin(), values.end(), random);
    if (input.same_as >= 0) values = all_values[static_cast<std::size_t>(input.same_as)];
    Buffer buffer(Spec{dtype, input.shape}, strided);
    for (std::int64_t i = 0; i < count; ++i) {
      set_value(buffer.view(), i, static_cast<float>(values[static_cast<std::size_t>(i)]));
    }
    buffers.push_back(std::move(buffer));
    all_values.push_back(std::move(values));
  }
  return buffers;
}

std::vector<View> views_of(const std::vector<Buffer>& buffers) {
  std::vector<View> views;
  for (const Buffer& buffer : buffers) views.push_back(buffer.view());
  return views;
}

std::vector<Buffer> run_op(const AnyOp& op, std::span<const View> in, CpuStream stream, bool strided) {
  std::vector<Spec> specs;
  for (const View& view : in) specs.push_back(view.spec());
  std::vector<Buffer> outputs;
  std::vector<MutableView> views;
  for (const Spec& spec : op.infer(specs)) outputs.emplace_back(spec, strided);
  for (Buffer& buffer : outputs) views.push_back(buffer.view());
  const std::int64_t workspace_bytes = op.workspace_bytes(stream, specs);
  Buffer workspace(Spec{DType::kUInt8, {workspace_bytes}});
  stream.lend_workspace({static_cast<std::byte*>(workspace.view().data()), static_cast<std::size_t>(workspace_bytes)});
  op.run(stream, in, views);
  EXPECT_TRUE(workspace.fences_hold()) << op.name() << " wrote outside its workspace";
  for (const Buffer& buffer : outputs) EXPECT_TRUE(buffer.fences_hold()) << op.name() << " wrote outside an output";
  return outputs;
}

Buffer weights_like(const View& y, bool strided) {
  Buffer dy(y.spec(), strided);
  for (std::int64_t i = 0; i < y.elements(); ++i) {
    set_value(dy.view(), i, static_cast<float>(0.3 + 0.7 * static_cast<double>((i * 7919) % 101) / 101.0));
  }
  return dy;
}

std::optional<Buffer> gradient_of(const AnyOp& op, int input, std::span<const View> in, std::span<const View> out,
                                  const View& dy, CpuStream stream, bool strided) {
  return gradient_of(op, input, in, out, dy, [&](const AnyOp& gradient, std::span<const View> reads) {
    return run_op(gradient, reads, stream, strided);
  });
}

std::optional<Buffer> gradient_of(const AnyOp& op, int input, std::span<const View> in, std::span<const View> out,
                                  const View& dy, const RunOp& run) {
  const GradientRule rule = op.gradient(input);
  if (rule.kind == GradientRule::Kind::kNone || !is_floating(in[input].dtype())) return std::nullopt;
  std::vector<Buffer> computed;
  View full = dy;
  if (rule.kind == GradientRule::Kind::kKernel) {
    std::vector<Spec> in_specs, out_specs;
    for (const View& view : in) in_specs.push_back(view.spec());
    for (const View& view : out) out_specs.push_back(view.spec());
    std::vector<View> reads{dy};
    for (int i : rule.inputs) reads.push_back(in[i]);
    for (int i : rule.outputs) reads.push_back(out[i]);
    computed = run(*op.gradient_op(input, in_specs, out_specs), reads);
    full = computed[0].view();
  }
  const Shape& shape = in[input].shape();
  if (full.shape() == shape && !computed.empty()) return std::move(computed[0]);
  Buffer summed(Spec{full.dtype(), shape});
  const MutableView target = summed.view();
  std::vector<double> sums(static_cast<std::size_t>(shape.elements()), 0.0);
  if (broadcasts_to(shape, full.shape())) {
    const View index(nullptr, Spec{full.dtype(), shape});
    visit_any(full.dtype(), [&]<class T>() {
      for_each_offset(
          full.shape(),
          [&](std::int64_t i, std::int64_t j) {
            sums[static_cast<std::size_t>(j)] += static_cast<double>(full.as<T>()[i]);
          },
          full.strides(), broadcast_view(index, full.shape()).strides());
    });
  } else {
    for (std::int64_t i = 0; i < shape.elements(); ++i) sums[static_cast<std::size_t>(i)] = value_at(full, i);
  }
  for (std::int64_t i = 0; i < shape.elements(); ++i) set_value(target, i, sums[static_cast<std::size_t>(i)]);
  return summed;
}

std::vector<OpCase>& registry() {
  static std::vector<OpCase> cases;
  return cases;
}

std::vector<OpCase> op_cases(std::vector<OpCase> cases) {
  registry().insert(registry().end(), cases.begin(), cases.end());
  return cases;
}

const std::vector<OpCase>& all_op_cases() { return registry(); }

}  // namespace chiasm::test
