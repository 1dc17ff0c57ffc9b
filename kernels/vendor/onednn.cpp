// SPDX-License-Identifier: Apache-2.0
#include "kernels/vendor/onednn.h"

#include <algorithm>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "kernels/error.h"
#include "kernels/vendor/library_threads.h"

namespace chiasm {
namespace {

using dnnl::memory;

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

std::int64_t aligned(std::size_t bytes) { return static_cast<std::int64_t>((bytes + 63) / 64 * 64); }

// What both interfaces take to describe a convolution, in their order.
struct Description {
  memory::desc x, any_kernel, our_kernel, y;
  memory::dims strides, dilations, before, after;
};

Description describe(const ConvGeometry& g) {
  const Window2d& w = g.window;
  constexpr auto kType = memory::data_type::f32;
  const auto kernel = [&](memory::format_tag dense, memory::format_tag grouped) {
    if (g.groups == 1) {
      return memory::desc({g.out_channels, g.in_channels, w.kernel.h, w.kernel.w}, kType, dense);
    }
    return memory::desc({g.groups, g.group_out(), g.group_in(), w.kernel.h, w.kernel.w}, kType, grouped);
  };
  using Tag = memory::format_tag;
  return {memory::desc({g.batch, g.in_channels, w.in.h, w.in.w}, kType, Tag::nhwc),
          kernel(Tag::any, Tag::any),
          kernel(Tag::hwio, Tag::hwigo),
          memory::desc({g.batch, g.out_channels, w.out.h, w.out.w}, kType, Tag::nhwc),
          {w.stride.h, w.stride.w},
          {w.dilation.h - 1, w.dilation.w - 1},
          {w.top, w.left},
          // What a stride skips at the end is not padding.
          {std::max<std::int64_t>(w.bottom, 0), std::max<std::int64_t>(w.right, 0)}};
}

// All scratch is the caller's: what oneDNN would keep belongs to the thread that compiled a primitive, not to the one
// that runs it.
dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

// The two interfaces differ only in how a primitive descriptor is made.
dnnl::convolution_forward::primitive_desc forward_description(const Description& d) {
  constexpr auto kKind = dnnl::prop_kind::forward_training;
  constexpr auto kAlgorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), kKind, kAlgorithm, d.x, d.any_kernel, d.y, d.strides, d.dilations, d.before, d.after, attributes()};
#else
  return {{kKind, kAlgorithm, d.x, d.any_kernel, d.y, d.strides, d.dilations, d.before, d.after}, attributes(), cpu()};
#endif
}

// Both gradients take the same arguments.
template <class Gradient>
typename Gradient::primitive_desc gradient_description(const Description& d) {
  constexpr auto kAlgorithm = dnnl::algorithm::convolution_direct;
  const auto hint = forward_description(d);
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), kAlgorithm, d.x, d.any_kernel, d.y, d.strides, d.dilations, d.before, d.after, hint, attributes()};
#else
  return {{kAlgorithm, d.x, d.any_kernel, d.y, d.strides, d.dilations, d.before, d.after}, attributes(), cpu(), hint};
#endif
}

// How a pass names its operands.
struct Roles {
  int a, b, result;
};
constexpr Roles roles_of(ConvPass pass) {
  switch (pass) {
    case ConvPass::kForward:
      return {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    case ConvPass::kInputGradient:
      return {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC};
    case ConvPass::kWeightGradient:
      return {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS};
  }
  return {};
}

class Compiled final : public OneDnnConvolution {
 public:
  Compiled(ConvPass pass, const ConvGeometry& geometry, int threads)
      : roles_(roles_of(pass)), description_(describe(geometry)), threads_(threads) {
    const LibraryThreads scope(threads);
    switch (pass) {
      case ConvPass::kForward: {
        const auto pd = forward_description(description_);
        keep(pd, pd.weights_desc());
        primitive_ = dnnl::convolution_forward(pd);
        break;
      }
      case ConvPass::kInputGradient: {
        const auto pd = gradient_description<dnnl::convolution_backward_data>(description_);
        keep(pd, pd.weights_desc());
        primitive_ = dnnl::convolution_backward_data(pd);
        break;
      }
      case ConvPass::kWeightGradient: {
        const auto pd = gradient_description<dnnl::convolution_backward_weights>(description_);
        keep(pd, pd.diff_weights_desc());
        primitive_ = dnnl::convolution_backward_weights(pd);
        break;
      }
    }
    const memory::desc& ours = description_.our_kernel;
    const dnnl::reorder::primitive_desc there(cpu(), ours, cpu(), their_kernel_, attributes());
    const dnnl::reorder::primitive_desc back(cpu(), their_kernel_, cpu(), ours, attributes());
    import_ = dnnl::reorder(there);
    export_ = dnnl::reorder(back);
    import_scratch_ = there.scratchpad_desc();
    export_scratch_ = back.scratchpad_desc();
  }

  bool direct() const override { return direct_; }
  std::int64_t kernel_bytes() const override { return aligned(their_kernel_.get_size()); }
  std::int64_t scratch_bytes() const override {
    return aligned(std::max({scratch_.get_size(), import_scratch_.get_size(), export_scratch_.get_size()}));
  }

  void import_kernel(const float* ours, std::byte* theirs, std::byte* scratch) const override {
    execute(import_, {{DNNL_ARG_FROM, at(description_.our_kernel, ours)},
                      {DNNL_ARG_TO, at(their_kernel_, theirs)},
                      {DNNL_ARG_SCRATCHPAD, at(import_scratch_, scratch)}});
  }
  void export_kernel(std::byte* theirs, float* ours, std::byte* scratch) const override {
    execute(export_, {{DNNL_ARG_FROM, at(their_kernel_, theirs)},
                      {DNNL_ARG_TO, at(description_.our_kernel, ours)},
                      {DNNL_ARG_SCRATCHPAD, at(export_scratch_, scratch)}});
  }
  void run(const void* a, const void* b, void* result, std::byte* scratch) const override {
    execute(primitive_, {{roles_.a, at(layout(roles_.a), a)},
                         {roles_.b, at(layout(roles_.b), b)},
                         {roles_.result, at(layout(roles_.result), result)},
                         {DNNL_ARG_SCRATCHPAD, at(scratch_, scratch)}});
  }

 private:
  template <class PrimitiveDescription>
  void keep(const PrimitiveDescription& pd, const memory::desc& kernel) {
    their_kernel_ = kernel;
    scratch_ = pd.scratchpad_desc();
    const std::string_view name = pd.impl_info_str();
    direct_ = name.find("gemm") == name.npos && name.find("ref") == name.npos;
  }

  const memory::desc& layout(int role) const {
    switch (role) {
      case DNNL_ARG_SRC:
      case DNNL_ARG_DIFF_SRC:
        return description_.x;
      case DNNL_ARG_DST:
      case DNNL_ARG_DIFF_DST:
        return description_.y;
      default:
        return their_kernel_;
    }
  }

  // oneDNN reads through the same handle type that it writes through.
  static memory at(const memory::desc& layout, const void* data) {
    return memory(layout, cpu(), const_cast<void*>(data));
  }

  void execute(const dnnl::primitive& primitive, const std::unordered_map<int, memory>& arguments) const {
    const LibraryThreads scope(threads_);
    dnnl::stream stream(cpu());
    primitive.execute(stream, arguments);
    stream.wait();
  }

  Roles roles_;
  Description description_;
  int threads_;
  memory::desc their_kernel_;
  memory::desc scratch_, import_scratch_, export_scratch_;
  bool direct_ = false;
  dnnl::primitive primitive_;
  dnnl::reorder import_;
  dnnl::reorder export_;
};

struct Hash {
  std::size_t operator()(const std::tuple<ConvPass, ConvGeometry, int>& key) const {
    const auto& [pass, g, threads] = key;
    const Window2d& w = g.window;
    std::size_t hash = static_cast<std::size_t>(pass);
    for (std::int64_t part :
         {g.batch, g.in_channels, g.out_channels, g.groups, w.in.h, w.in.w, w.kernel.h, w.kernel.w, w.stride.h,
          w.stride.w, w.dilation.h, w.dilation.w, w.out.h, w.out.w, w.top, w.left, std::int64_t{threads}}) {
      hash = (hash ^ static_cast<std::size_t>(part)) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 29;
    }
    return hash;
  }
};

}  // namespace

std::shared_ptr<const OneDnnConvolution> OneDnnConvolution::get(ConvPass pass, const ConvGeometry& geometry,
                                                                int threads) {
  // Each holds generated code of some kilobytes; a network has at most a few hundred convolutions.
  constexpr std::size_t kMost = 4096;
  static std::mutex mutex;
  static std::unordered_map<std::tuple<ConvPass, ConvGeometry, int>, std::shared_ptr<const OneDnnConvolution>, Hash>
      cache;
  const std::lock_guard lock(mutex);
  auto& entry = cache[{pass, geometry, threads}];
  if (entry != nullptr) return entry;
  try {
    const auto compiled = std::make_shared<const Compiled>(pass, geometry, threads);
    if (cache.size() > kMost) cache.clear();
    return cache[{pass, geometry, threads}] = compiled;
  } catch (const dnnl::error& error) {
    throw InternalError(std::string("oneDNN: ") + error.what());
  }
}

}  // namespace chiasm
