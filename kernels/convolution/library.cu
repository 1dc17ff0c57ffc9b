// SPDX-License-Identifier: Apache-2.0
#include <cuda_bf16.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "kernels/convolution/library.cuh"
#include "kernels/convolution/repack.cuh"
#include "kernels/error.h"
#include "kernels/vendor/bfloat16.cuh"
#include "kernels/vendor/cudnn_convolution.cuh"
#include "kernels/vendor/workspace_parts.h"

namespace chiasm {
namespace {

constexpr int kVectorAlignment = 16;

// A form of the problem that an engine takes.
struct Way {
  LibraryType operands = LibraryType::kFloat32;
  LibraryType result = LibraryType::kFloat32;
  bool padded = false;    // x is padded by us
  ConvGeometry geometry;  // as the engine sees it
  int x_alignment = kVectorAlignment;
  int y_alignment = kVectorAlignment;
  std::unique_ptr<CudnnPlan> plan;  // null: no engine takes any form
};

struct Ways {
  std::map<std::vector<std::int64_t>, Way> by_problem;
};

std::vector<std::int64_t> key_of(const CudaStream& stream, ConvPass pass, const ConvGeometry& g) {
  const Window2d& w = g.window;
  return {static_cast<std::int64_t>(pass),
          static_cast<std::int64_t>(stream.math()),
          stream.deterministic(),
          g.batch,
          g.in_channels,
          g.out_channels,
          g.groups,
          w.in.h,
          w.in.w,
          w.out.h,
          w.out.w,
          w.kernel.h,
          w.kernel.w,
          w.stride.h,
          w.stride.w,
          w.dilation.h,
          w.dilation.w,
          w.top,
          w.left};
}

bool same_on_both_sides(const Window2d& w) { return w.top == w.bottom && w.left == w.right; }

// The problem without padding, on images that have theirs.
ConvGeometry padded_geometry(ConvGeometry g) {
  Window2d& w = g.window;
  w.in.h += w.top + std::max<std::int64_t>(w.bottom, 0);
  w.in.w += w.left + std::max<std::int64_t>(w.right, 0);
  w.top = w.left = 0;
  w.bottom = std::min<std::int64_t>(w.bottom, 0);
  w.right = std::min<std::int64_t>(w.right, 0);
  return g;
}

// Images of a length that is a multiple of 16 bytes lie at such multiples, also as parts of a batch; others may begin
// anywhere.
int alignment_of(std::int64_t image_elements) {
  return image_elements % 4 == 0 ? kVectorAlignment : static_cast<int>(sizeof(float));
}

Way find_way(const CudaStream& stream, ConvPass pass, const ConvGeometry& g) {
  using enum LibraryType;
  struct Types {
    LibraryType operands, result;
  };
  // bfloat16 factors are summed in float32, which few engines store; the float32 factors at the end are for shapes that
  // no bfloat16 engine takes.
  std::vector<Types> types;
  if (stream.math() == CudaMath::kBfloat16) types = {{kBfloat16, kFloat32}, {kBfloat16, kBfloat16}};
  types.push_back({kFloat32, kFloat32});
  for (const auto [operands, result] : types) {
    for (const bool padded : {false, true}) {
      if (padded && same_on_both_sides(g.window)) continue;
      Way way{.operands = operands, .result = result, .padded = padded, .geometry = padded ? padded_geometry(g) : g};
      const Window2d& w = g.window;
      const auto lies_in_workspace = [&](ConvPass result_of) {
        return (pass == result_of ? result : operands) == kBfloat16;
      };
      if (!padded && !lies_in_workspace(ConvPass::kInputGradient)) {
        way.x_alignment = alignment_of(w.in.h * w.in.w * g.in_channels);
      }
      if (!lies_in_workspace(ConvPass::kForward)) way.y_alignment = alignment_of(g.out_pixels() * g.out_channels);
      way.plan = CudnnPlan::find(stream, {pass, way.geometry, operands, result, way.x_alignment, way.y_alignment,
                                          stream.math(), stream.deterministic()});
      if (way.plan) return way;
    }
  }
  return {};
}

const Way& way_for(const CudaStream& stream, ConvPass pass, const ConvGeometry& g) {
  std::map<std::vector<std::int64_t>, Way>& ways = stream.cache<Ways>().by_problem;
  const std::vector<std::int64_t> key = key_of(stream, pass, g);
  const auto known = ways.find(key);
  return known != ways.end() ? known->second : ways.emplace(key, find_way(stream, pass, g)).first->second;
}

// Where the engine finds x, the weight and y (or their gradients): in the workspace, or null for the caller's tensor.
struct Scratch {
  std::byte* x;
  std::byte* weight;
  std::byte* y;
  std::byte* library;
};

Scratch cut(const Way& way, ConvPass pass, WorkspaceParts& parts) {
  const auto bfloat16 = [&](ConvPass result_of) {
    return (pass == result_of ? way.result : way.operands) == LibraryType::kBfloat16;
  };
  // Casts write whole groups of eight.
  const auto bytes = [&](std::int64_t elements, bool half) {
    return half ? 2 * bfloat16_pitch(elements) : 4 * elements;
  };
  const ConvGeometry& g = way.geometry;
  const bool half_x = bfloat16(ConvPass::kInputGradient), half_y = bfloat16(ConvPass::kForward);
  std::byte* x = parts.take(half_x || way.padded ? bytes(g.x_elements(), half_x) : 0);
  std::byte* weight = parts.take(bytes(g.w_elements(), bfloat16(ConvPass::kWeightGradient)));
  std::byte* y = parts.take(half_y ? bytes(g.y_elements(), true) : 0);
  return {x, weight, y, parts.take(way.plan->workspace_bytes())};
}

bool aligned_to(const void* address, int alignment) {
  return reinterpret_cast<std::uintptr_t>(address) % static_cast<std::uintptr_t>(alignment) == 0;
}

class LibraryRun {
 public:
  LibraryRun(const CudaStream& stream, const Way& way, const ConvGeometry& g, const Scratch& scratch)
      : stream_(stream), way_(way), g_(g), scratch_(scratch) {}

  const void* x_operand(const float* x) const {
    const ImagePlacement into = padding();
    if (way_.padded) {
      if (way_.operands == LibraryType::kBfloat16) {
        place_images(stream_, into, x, reinterpret_cast<__nv_bfloat16*>(scratch_.x));
      } else {
        place_images(stream_, into, x, reinterpret_cast<float*>(scratch_.x));
      }
      return scratch_.x;
    }
    return cast_operand(x, g_.x_elements(), scratch_.x);
  }
  const void* y_operand(const float* y) const { return cast_operand(y, g_.y_elements(), scratch_.y); }
  const void* weight_operand(const float* weight) const {
    const std::int64_t rows = g_.w_elements() / g_.out_channels;
    if (way_.operands == LibraryType::kBfloat16) {
      transpose_matrix(stream_, weight, rows, g_.out_channels, reinterpret_cast<__nv_bfloat16*>(scratch_.weight));
    } else {
      transpose_matrix(stream_, weight, rows, g_.out_channels, reinterpret_cast<float*>(scratch_.weight));
    }
    return scratch_.weight;
  }

  void store_x(float* dx) const {
    ImagePlacement out = padding();
    std::swap(out.from, out.to);
    out.top = -out.top;
    out.left = -out.left;
    if (way_.padded && way_.result == LibraryType::kBfloat16) {
      place_images(stream_, out, reinterpret_cast<const __nv_bfloat16*>(scratch_.x), dx);
    } else if (way_.padded) {
      place_images(stream_, out, reinterpret_cast<const float*>(scratch_.x), dx);
    } else {
      store_cast(scratch_.x, g_.x_elements(), dx);
    }
  }
  void store_y(float* y) const { store_cast(scratch_.y, g_.y_elements(), y); }
  void store_weight(float* dw) const {
    const std::int64_t columns = g_.w_elements() / g_.out_channels;
    if (way_.result == LibraryType::kBfloat16) {
      transpose_matrix(stream_, reinterpret_cast<const __nv_bfloat16*>(scratch_.weight), g_.out_channels, columns, dw);
    } else {
      transpose_matrix(stream_, reinterpret_cast<const float*>(scratch_.weight), g_.out_channels, columns, dw);
    }
  }

 private:
  ImagePlacement padding() const {
    return {.batch = g_.batch,
            .channels = g_.in_channels,
            .from = g_.window.in,
            .to = way_.geometry.window.in,
            .top = g_.window.top,
            .left = g_.window.left};
  }
  const void* cast_operand(const float* from, std::int64_t count, std::byte* to) const {
    if (to == nullptr) return from;
    cast_to_bfloat16(stream_, from, 1, count, reinterpret_cast<__nv_bfloat16*>(to));
    return to;
  }
  void store_cast(const std::byte* from, std::int64_t count, float* to) const {
    if (from != nullptr) cast_from_bfloat16(stream_, reinterpret_cast<const __nv_bfloat16*>(from), count, to);
  }

  const CudaStream& stream_;
  const Way& way_;
  const ConvGeometry& g_;
  const Scratch& scratch_;
};

}  // namespace

bool library_has(const CudaStream& stream, ConvPass pass, const ConvGeometry& geometry) {
  return way_for(stream, pass, geometry).plan != nullptr;
}

std::int64_t library_workspace_bytes(const CudaStream& stream, ConvPass pass, const ConvGeometry& geometry) {
  WorkspaceParts parts;
  cut(way_for(stream, pass, geometry), pass, parts);
  return parts.bytes();
}

bool library_convolution(const CudaStream& stream, ConvPass pass, const ConvGeometry& g, const float* a, const float* b,
                         float* result, std::byte* workspace) {
  const Way& way = way_for(stream, pass, g);
  WorkspaceParts parts(workspace);
  const Scratch scratch = cut(way, pass, parts);
  const void* x = pass == ConvPass::kInputGradient ? result : a;
  const void* y = pass == ConvPass::kForward ? result : pass == ConvPass::kInputGradient ? a : b;
  if ((scratch.x == nullptr && !aligned_to(x, way.x_alignment)) ||
      (scratch.y == nullptr && !aligned_to(y, way.y_alignment))) {
    return false;
  }
  const LibraryRun run(stream, way, g, scratch);
  switch (pass) {
    case ConvPass::kForward: {
      const void *from = run.x_operand(a), *weight = run.weight_operand(b);
      way.plan->run(stream, from, weight, scratch.y != nullptr ? scratch.y : y, scratch.library);
      run.store_y(result);
      return true;
    }
    case ConvPass::kInputGradient: {
      const void *from = run.y_operand(a), *weight = run.weight_operand(b);
      way.plan->run(stream, scratch.x != nullptr ? scratch.x : x, weight, from, scratch.library);
      run.store_x(result);
      return true;
    }
    case ConvPass::kWeightGradient: {
      const void *from = run.x_operand(a), *error = run.y_operand(b);
      way.plan->run(stream, from, scratch.weight, error, scratch.library);
      run.store_weight(result);
      return true;
    }
  }
  return false;
}

std::int64_t planned_convolutions(const CudaStream& stream) {
  return static_cast<std::int64_t>(stream.cache<Ways>().by_problem.size());
}

}  // namespace chiasm
