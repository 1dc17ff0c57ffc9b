// SPDX-License-Identifier: Apache-2.0
// update_many: one optimizer step on any number of tensors in as few launches as their pointers fit the parameters of.
//
// A block works on a piece of 2048 neighbouring elements of one tensor, which it finds by bisection in a table of first
// blocks; a thread on two packs of four elements, all of which it reads before it waits for the coefficients. Those are
// made by one thread of each block from the learning rate and the step, which lie in device memory. Each tensor moves
// once. Forward of one tensor is the same kernel with a table of one, so many at once have the bits of one by one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector_access.cuh"
#include "kernels/op.h"

namespace chiasm::optimizer {

inline constexpr int kThreads = 256;
inline constexpr int kPacks = 2;
inline constexpr int kPackElements = 4;
inline constexpr int kPieceElements = kThreads * kPacks * kPackElements;

// A scalar in device memory: the learning rate or the step.
struct Scalar {
  const void* data = nullptr;
  DType dtype = DType::kFloat32;
  bool operator==(const Scalar&) const = default;

  __device__ double read() const {
    switch (dtype) {
      case DType::kFloat32:
        return *static_cast<const float*>(data);
      case DType::kFloat64:
        return *static_cast<const double*>(data);
      case DType::kInt32:
        return *static_cast<const std::int32_t*>(data);
      default:
        return *static_cast<const std::uint8_t*>(data);
    }
  }
};

// `Rule` says what is computed: Rule::Update, and Rule::update(learning rate, step) on the device, which makes one.
template <class Rule, int kTensors>
struct Table {
  using RuleType = Rule;
  static constexpr int kInputs = Rule::Update::kInputs, kOutputs = Rule::Update::kOutputs;
  struct Tensor {
    const float* in[kInputs];
    float* out[kOutputs];
    std::int64_t elements;
  };
  Tensor tensors[kTensors];
  std::uint32_t first_block[kTensors];
  bool aligned[kTensors];
  int count;
  Scalar learning_rate, step;
  Rule rule;
};

template <class Table>
__global__ void __launch_bounds__(kThreads) update_tensors(const __grid_constant__ Table table) {
  using Update = typename Table::RuleType::Update;
  __shared__ Update shared;
  int low = 0, high = table.count;  // the tensor whose first block is the last one not after this
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (table.first_block[middle] <= blockIdx.x) {
      low = middle;
    } else {
      high = middle;
    }
  }
  const auto& tensor = table.tensors[low];
  const bool aligned = table.aligned[low];
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x - table.first_block[low]) * kPieceElements;

  Float4 x[kPacks][Table::kInputs];
  for (int p = 0; p < kPacks; ++p) {
    const std::int64_t at = begin + (p * kThreads + static_cast<int>(threadIdx.x)) * kPackElements;
    for (int k = 0; k < Table::kInputs; ++k) {
      x[p][k] = load_pack<kPackElements>(tensor.in[k] + at, tensor.elements - at, aligned);
    }
  }
  if (threadIdx.x == 0) shared = table.rule.update(table.learning_rate, table.step);
  __syncthreads();
  const Update update = shared;

  for (int p = 0; p < kPacks; ++p) {
    const std::int64_t at = begin + (p * kThreads + static_cast<int>(threadIdx.x)) * kPackElements;
    Float4 y[Table::kOutputs];
    for (int e = 0; e < kPackElements; ++e) {
      const auto result = [&] {
        if constexpr (Table::kInputs == 4) {
          return update(x[p][0].value[e], x[p][1].value[e], x[p][2].value[e], x[p][3].value[e]);
        } else {
          return update(x[p][0].value[e], x[p][1].value[e], x[p][2].value[e]);
        }
      }();
      for (int k = 0; k < Table::kOutputs; ++k) y[k].value[e] = result[k];
    }
    for (int k = 0; k < Table::kOutputs; ++k) {
      store_pack(tensor.out[k] + at, y[k], tensor.elements - at, aligned);
    }
  }
}

// One call: its tensors, and the scalars it reads.
struct Call {
  std::span<const View> in;          // Update::kInputs tensors of one shape
  std::span<const MutableView> out;  // Update::kOutputs of them
  Scalar learning_rate, step;
};

template <int kTensors, class Rule>
void launch(const CudaStream& stream, const Rule& rule, std::span<const Call> calls) {
  using Tensors = Table<Rule, kTensors>;
  Tensors table{};
  table.rule = rule;
  table.learning_rate = calls[0].learning_rate;
  table.step = calls[0].step;
  std::int64_t blocks = 0;
  for (const Call& call : calls) {
    const int t = table.count++;
    table.first_block[t] = static_cast<std::uint32_t>(blocks);
    table.aligned[t] = true;
    table.tensors[t].elements = call.out[0].elements();
    for (int k = 0; k < Tensors::kInputs; ++k) {
      table.tensors[t].in[k] = call.in[k].template as<float>();
      table.aligned[t] = table.aligned[t] && is_aligned16(table.tensors[t].in[k]);
    }
    for (int k = 0; k < Tensors::kOutputs; ++k) {
      table.tensors[t].out[k] = call.out[k].template as<float>();
      table.aligned[t] = table.aligned[t] && is_aligned16(table.tensors[t].out[k]);
    }
    blocks += blocks_for(call.out[0].elements(), kPieceElements);
  }
  CHIASM_LAUNCH(stream, update_tensors<Tensors>, blocks_for(blocks, 1), kThreads, 0, table);
}

// Tensors of a launch whose parameters every device takes quickly, and of one that fills the 32 KB that compute
// capability 7.0 and later take.
inline constexpr int kSome = 50;
inline constexpr int kMost = 400;

template <class Rule>
void update_many(const CudaStream& stream, const Rule& rule, std::vector<Call> calls) {
  static_assert(sizeof(Table<Rule, kSome>) <= 4096 && sizeof(Table<Rule, kMost>) <= 32764);
  std::erase_if(calls, [](const Call& call) { return call.out[0].elements() == 0; });
  std::span<const Call> rest(calls);
  while (!rest.empty()) {
    // A launch has one learning rate and one step.
    std::size_t same = 1;
    while (same < rest.size() && same < kMost && rest[same].learning_rate == rest[0].learning_rate &&
           rest[same].step == rest[0].step) {
      ++same;
    }
    const std::span<const Call> now = rest.first(same);
    if (same == 1) {
      launch<1>(stream, rule, now);
    } else {
      same <= kSome ? launch<kSome>(stream, rule, now) : launch<kMost>(stream, rule, now);
    }
    rest = rest.subspan(same);
  }
}

}  // namespace chiasm::optimizer
