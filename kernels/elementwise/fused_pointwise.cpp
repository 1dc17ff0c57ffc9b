// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise/fused_pointwise.h"

#include <algorithm>
#include <string>

namespace chiasm {
namespace {

// Elements of a tile. Shorter ones stay in the first-level cache, but a dozen tensors read in pieces that short come
// from memory one after the other: with 1024 the gradients of a gate took 1.1 times as long, with 256 1.6 times.
constexpr std::int64_t kTile = 2048;
// Pieces smaller than this cost more to hand to a thread than to compute.
constexpr std::int64_t kGrain = 4096;

Shape full_shape(std::span<const Spec> in) {
  Shape shape = in[0].shape;
  for (const Spec& spec : in) shape = broadcast_shape(FusedPointwise::kName.data(), shape, spec.shape);
  return shape;
}

// Where results live while a tile is worked on, and the scratch memory of one thread: tiles for results that stay
// inside; a tile for each output that might share memory with an input that is read later; and inputs of a short period
// repeated to the length of a tile and a period, so that a tile may begin anywhere in them.
class Plan {
 public:
  Plan(const FusedPointwise& op, std::span<const Spec> in, const CpuStream& stream)
      : elements_(full_shape(in).elements()),
        tile_(std::min(kTile, aligned(elements_))),
        slots_(std::clamp<std::int64_t>((elements_ + kGrain - 1) / kGrain, 1, stream.threads())) {
    const std::size_t operands = in.size() + op.instructions.size();
    last_read_.assign(operands, -1);
    for (std::size_t k = 0; k < op.instructions.size(); ++k) {
      for (int v : op.instructions[k].operands) last_read_[v] = static_cast<int>(k);
    }
    output_of_.assign(operands, -1);
    for (std::size_t o = 0; o < op.outputs.size(); ++o) output_of_[in.size() + op.outputs[o]] = static_cast<int>(o);
    place_.assign(operands, 0);
    const Spec result{in[0].dtype, full_shape(in)};
    int last_whole_read = -1;
    for (std::size_t v = 0; v < in.size(); ++v) {
      period_.push_back(elements_ == 0 ? 0 : broadcast_period(in[v].shape, result.shape));
      if (in[v] == result) last_whole_read = std::max(last_whole_read, last_read_[v]);
    }
    for (int k : op.outputs) {
      if (k < last_whole_read) place_[in.size() + k] = take(tile_);
    }
    for (std::size_t v = 0; v < in.size(); ++v) {
      if (repeated(v)) place_[v] = take(tile_ + period_[v]);
    }
    place_inner_results(op);
  }

  std::int64_t elements() const { return elements_; }
  std::int64_t tile() const { return tile_; }
  // The number of pieces of work, each with scratch memory of its own.
  std::int64_t slots() const { return slots_; }
  std::int64_t slot_elements() const { return slot_elements_; }
  std::int64_t period(std::size_t input) const { return period_[input]; }
  bool repeated(std::size_t input) const { return period_[input] < elements_ && period_[input] <= tile_; }
  // Element of the slot where an input is repeated or a result is kept.
  std::int64_t place(std::size_t operand) const { return place_[operand]; }
  // The last instruction that reads an operand, or -1.
  int last_read(std::size_t operand) const { return last_read_[operand]; }
  // Which output of the op an operand is, or -1.
  int output_of(std::size_t operand) const { return output_of_[operand]; }

 private:
  void place_inner_results(const FusedPointwise& op) {
    const std::size_t inputs = period_.size();
    std::vector<std::int64_t> unused;
    for (std::size_t k = 0; k < op.instructions.size(); ++k) {
      // A function may write over its own arguments.
      std::vector<int> read = op.instructions[k].operands;
      std::sort(read.begin(), read.end());
      read.erase(std::unique(read.begin(), read.end()), read.end());
      for (int v : read) {
        const bool inner = v >= static_cast<int>(inputs) && output_of_[v] < 0;
        if (inner && last_read_[v] == static_cast<int>(k)) unused.push_back(place_[v]);
      }
      if (output_of_[inputs + k] >= 0) continue;
      if (unused.empty()) unused.push_back(take(tile_));
      place_[inputs + k] = unused.back();
      unused.pop_back();
    }
  }

  static std::int64_t aligned(std::int64_t elements) { return (elements + 15) / 16 * 16; }
  std::int64_t take(std::int64_t elements) {
    const std::int64_t place = slot_elements_;
    slot_elements_ += aligned(elements);
    return place;
  }

  std::int64_t elements_, tile_, slots_;
  std::int64_t slot_elements_ = 0;
  std::vector<std::int64_t> period_;  // per input
  std::vector<std::int64_t> place_;   // per operand
  std::vector<int> last_read_, output_of_;
};

// Where an operand is: at `base` in every tile, or at element `start % period` of it.
template <class T>
struct Location {
  T* base = nullptr;
  std::int64_t period = 0;  // 0: the same place in every tile

  T* at(std::int64_t start) const { return base + (start < period ? start : start % period); }
};

template <class T>
class DenseRun {
 public:
  DenseRun(const FusedPointwise& op, const Plan& plan, Inputs in, Outputs out, T* slot)
      : op_(op), plan_(plan), in_(in), out_(out), slot_(slot), where_(in.size() + op.instructions.size()) {
    for (std::size_t v = 0; v < in.size(); ++v) locate_input(v);
    for (std::size_t k = 0; k < op.instructions.size(); ++k) locate_result(k);
  }

  void run(std::int64_t begin, std::int64_t end) const {
    std::vector<T*> at(where_.size());
    for (std::size_t v = 0; v < at.size(); ++v) at[v] = where_[v].base;
    for (std::int64_t start = begin, count = 0; start < end; start += count) {
      count = std::min(plan_.tile(), end - start);
      // An input of a long period is read in place, so a tile ends where the period does.
      for (std::int64_t period : long_periods_) count = std::min(count, period - start % period);
      for (std::size_t v = 0; v < at.size(); ++v) {
        if (where_[v].period > 0) at[v] = where_[v].at(start);
      }
      for (std::size_t k = 0; k < op_.instructions.size(); ++k) {
        const FusedPointwise::Instruction& instruction = op_.instructions[k];
        std::array<const T*, PointwiseFunction::kMaxArguments> x;
        for (std::size_t j = 0; j < instruction.operands.size(); ++j) x[j] = at[instruction.operands[j]];
        instruction.function.run(x.data(), at[in_.size() + k], count);
      }
      for (const auto& [from, to] : copies_) std::copy_n(from, count, to + start);
    }
  }

 private:
  void locate_input(std::size_t v) {
    // Kernels only read through these.
    T* data = const_cast<T*>(in_[v].template as<T>());
    where_[v] = {data, plan_.period(v)};
    const std::int64_t period = plan_.period(v), length = plan_.tile() + period;
    if (!plan_.repeated(v)) {
      if (period < plan_.elements()) long_periods_.push_back(period);
      return;
    }
    where_[v].base = slot_ + plan_.place(v);
    for (std::int64_t i = 0; i < length; i += period) {
      std::copy_n(data, std::min(period, length - i), where_[v].base + i);
    }
  }

  void locate_result(std::size_t k) {
    const std::size_t operand = in_.size() + k;
    T* tile = slot_ + plan_.place(operand);
    where_[operand] = {tile, 0};
    const int o = plan_.output_of(operand);
    if (o < 0) return;
    T* data = out_[o].template as<T>();
    // Written straight to the output unless that would overwrite what a later instruction reads.
    bool read_later = false;
    for (std::size_t v = 0; v < in_.size(); ++v) {
      read_later = read_later || (in_[v].data() == data && plan_.last_read(v) > static_cast<int>(k));
    }
    if (read_later) {
      copies_.emplace_back(tile, data);
    } else {
      where_[operand] = {data, plan_.elements()};
    }
  }

  const FusedPointwise& op_;
  const Plan& plan_;
  Inputs in_;
  Outputs out_;
  T* slot_;
  std::vector<Location<T>> where_;  // per operand
  std::vector<std::int64_t> long_periods_;
  std::vector<std::pair<const T*, T*>> copies_;  // tiles that go to an output when all else is done
};

// Element by element, for any strides.
template <class T>
void run_strided(const FusedPointwise& op, Inputs in, Outputs out) {
  const Shape& shape = out[0].shape();
  std::vector<Strides> strides;
  for (const View& view : in) strides.push_back(broadcast_view(view, shape).strides());
  std::vector<T> value(in.size() + op.instructions.size());
  std::array<std::int64_t, kMaxRank> index{};
  const auto offset = [&](const Strides& s) {
    std::int64_t sum = 0;
    for (int axis = 0; axis < shape.rank(); ++axis) sum += index[axis] * s[axis];
    return sum;
  };
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    for (std::size_t v = 0; v < in.size(); ++v) value[v] = in[v].template as<T>()[offset(strides[v])];
    for (std::size_t k = 0; k < op.instructions.size(); ++k) {
      std::array<const T*, PointwiseFunction::kMaxArguments> x;
      const std::vector<int>& operands = op.instructions[k].operands;
      for (std::size_t j = 0; j < operands.size(); ++j) x[j] = &value[operands[j]];
      op.instructions[k].function.run(x.data(), &value[in.size() + k], 1);
    }
    for (std::size_t o = 0; o < out.size(); ++o) {
      out[o].template as<T>()[offset(out[o].strides())] = value[in.size() + op.outputs[o]];
    }
    for (int axis = shape.rank() - 1; axis >= 0 && ++index[axis] == shape[axis]; --axis) index[axis] = 0;
  }
}

}  // namespace

std::int64_t broadcast_period(const Shape& operand, const Shape& result) {
  if (operand.rank() > result.rank() || result.elements() == 0) return 0;
  const int shift = result.rank() - operand.rank();
  int axis = operand.rank() - 1;
  std::int64_t period = 1;
  for (; axis >= 0 && operand[axis] == result[axis + shift]; --axis) period *= operand[axis];
  for (; axis >= 0; --axis) {
    if (operand[axis] != 1) return 0;
  }
  return period;
}

std::vector<Spec> FusedPointwise::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, static_cast<std::size_t>(inputs));
  if (in.empty()) throw_shape(kName, "takes at least one input, found none");
  for (const Spec& spec : in) {
    require_floating(kName, "each input", spec);
    require_dtype(kName, "each input", spec, in[0].dtype);
  }
  const Shape shape = full_shape(in);
  for (const Spec& spec : in) {
    if (shape.elements() > 0 && broadcast_period(spec.shape, shape) == 0) {
      throw_shape(kName, to_string(spec) + " does not repeat along the innermost axes of " + to_string(shape));
    }
  }
  for (std::size_t k = 0; k < instructions.size(); ++k) {
    const Instruction& instruction = instructions[k];
    const auto known = [&](int v) { return v >= 0 && v < inputs + static_cast<int>(k); };
    if (static_cast<int>(instruction.operands.size()) != instruction.function.arguments ||
        !std::all_of(instruction.operands.begin(), instruction.operands.end(), known)) {
      throw InternalError("[fused_pointwise] instruction " + std::to_string(k) + " (" +
                          std::string(instruction.function.name) + ") reads what is not there");
    }
  }
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    const auto earlier = outputs.begin() + static_cast<std::ptrdiff_t>(o);
    if (outputs[o] < 0 || outputs[o] >= static_cast<int>(instructions.size()) ||
        std::find(outputs.begin(), earlier, outputs[o]) != earlier) {
      throw InternalError("[fused_pointwise] output " + std::to_string(o) + " is no instruction, or is listed twice");
    }
  }
  return std::vector<Spec>(outputs.size(), Spec{in[0].dtype, shape});
}

std::int64_t FusedPointwise::workspace_bytes(const CpuStream& stream, std::span<const Spec> in) const {
  const Plan plan(*this, in, stream);
  return plan.slots() * plan.slot_elements() * static_cast<std::int64_t>(size_of(in[0].dtype));
}

std::int64_t FusedPointwise::flops(std::span<const Spec> in) const {
  return full_shape(in).elements() * static_cast<std::int64_t>(instructions.size());
}

void FusedPointwise::forward(CpuStream& stream, Inputs in, Outputs out) const {
  visit_floating(in[0].dtype(), [&]<class T>() {
    if (!all_dense(in) || !all_dense(out)) return run_strided<T>(*this, in, out);
    std::vector<Spec> specs;
    for (const View& view : in) specs.push_back(view.spec());
    const Plan plan(*this, specs, stream);
    const std::int64_t n = plan.elements(), slots = plan.slots();
    std::byte* scratch = stream.workspace(slots * plan.slot_elements() * static_cast<std::int64_t>(sizeof(T)));
    stream.parallel_for(slots, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t slot = first; slot < last; ++slot) {
        const DenseRun<T> run(*this, plan, in, out, reinterpret_cast<T*>(scratch) + slot * plan.slot_elements());
        run.run(n * slot / slots, n * (slot + 1) / slots);
      }
    });
  });
}

}  // namespace chiasm
