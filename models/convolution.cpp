// SPDX-License-Identifier: Apache-2.0
#include "models/convolution.h"

#include <algorithm>

#include "engine/ops.h"
#include "kernels/convolution/conv2d.h"
#include "kernels/resize/resize2d.h"

namespace chiasm {

Initialiser InitSpec::for_fans(Fans fans) const {
  switch (kind) {
    case Kind::kGlorotUniform:
      return Initialiser::glorot_uniform(fans);
    case Kind::kVarianceScaling:
      return Initialiser::variance_scaling(value, fans);
    case Kind::kNormal:
      return Initialiser::normal(value);
    case Kind::kTruncatedNormal:
      return Initialiser::truncated_normal(value);
    case Kind::kConstant:
      return Initialiser::constant(value);
  }
  throw InternalError("unknown initialiser");
}

namespace {

Value dense(const Scope& scope, Value x, const ConvSpec& spec, const char* name, std::int64_t kernel) {
  if (x.shape()[3] % spec.groups != 0 || spec.channels % spec.groups != 0) {
    throw ShapeError("[" + scope.path() + "] " + std::to_string(spec.groups) + " groups do not divide " +
                     std::to_string(x.shape()[3]) + " input and " + std::to_string(spec.channels) + " output channels");
  }
  const Shape shape{kernel, kernel, x.shape()[3] / spec.groups, spec.channels};
  const Weight weight = scope.weight(name, shape, spec.init.for_fans(fans_of(shape)), spec.l2);
  return conv2d(x, weight,
                Conv2d{.stride = {spec.stride, spec.stride},
                       .padding = spec.padding,
                       .groups = spec.groups,
                       .dilation = {spec.dilation, spec.dilation}});
}

Value depthwise(const Scope& scope, Value x, const ConvSpec& spec) {
  const std::int64_t channels = x.shape()[3];
  const std::int64_t height = std::min(spec.kernel, x.shape()[1]);
  const std::int64_t width = std::min(spec.kernel, x.shape()[2]);
  // The reference stores depthwise kernels as [kh, kw, C, 1] and takes the fans from that shape.
  const auto taps = static_cast<double>(height * width);
  const Fans fans{taps * static_cast<double>(channels), taps};
  const Weight weight = scope.weight("depthwise", {height, width, 1, channels}, spec.init.for_fans(fans), spec.l2);
  return conv2d(x, weight, Conv2d{.stride = {spec.stride, spec.stride}, .padding = spec.padding, .groups = channels});
}

}  // namespace

Value convolve(const Scope& scope, Value x, const ConvSpec& spec) {
  const LabelScope label(scope.graph(), scope.label());
  if (x.shape().rank() != 4) {
    throw ShapeError("[" + scope.path() + "] a convolution takes an image [N, H, W, C], found " + to_string(x.shape()));
  }
  const std::int64_t channels = x.shape()[3];
  Value y;
  if (spec.separable) {
    ConvSpec pointwise = spec;
    pointwise.stride = pointwise.dilation = 1;
    y = dense(scope, depthwise(scope, x, spec), pointwise, "pointwise", 1);
  } else {
    y = dense(scope, x, spec, "weight", spec.kernel);
  }
  if (!spec.bias) return y;
  const std::int64_t kernel = spec.separable ? 1 : spec.kernel;
  const Initialiser start = spec.bias_init.for_fans(fans_of({kernel, kernel, channels / spec.groups, spec.channels}));
  return y + scope.parameter("bias", {spec.channels}, start, spec.l2_bias);
}

Value shortcut(const Scope& scope, Value r, const Shape& to) {
  r = match_size(r, to[1], to[2]);
  if (r.shape()[3] == to[3]) return r;
  return convolve(scope, r, {.channels = to[3], .kernel = 1, .bias = false, .init = {InitSpec::Kind::kGlorotUniform}});
}

Value match_size(Value x, std::int64_t height, std::int64_t width) {
  if (x.shape()[1] == height && x.shape()[2] == width) return x;
  return x.graph().apply(Resize2d{height, width, ResizeConvention::kAlignCorners}, {x});
}

}  // namespace chiasm
