# SPDX-License-Identifier: Apache-2.0
"""Convolution by PyTorch in float64, forward and gradients. PyTorch keeps images N x C x H x W and kernels O x I x h x w; the
backward weight is tried by differentiating a second convolution whose kernel it is. Small sizes: the file stays small."""
import numpy as np
import torch
import torch.nn.functional as F

from golden import Golden

torch.manual_seed(7)
golden = Golden("conv2d")


def same(size, kernel, stride, dilation):
    span = (kernel - 1) * dilation + 1
    out = -(-size // stride)
    total = max((out - 1) * stride + span - size, 0)
    return total // 2, total - total // 2


def case(name, x_shape, kernel, out_channels, stride=(1, 1), padding="same", groups=1, dilation=(1, 1)):
    n, h, w, c = x_shape
    x = torch.randn(n, c, h, w, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(out_channels, c // groups, *kernel, dtype=torch.float64, requires_grad=True)
    backward = torch.randn(out_channels, c // groups, *kernel, dtype=torch.float64)
    if padding == "same":
        top, bottom = same(h, kernel[0], stride[0], dilation[0])
        left, right = same(w, kernel[1], stride[1], dilation[1])
    else:
        top, bottom, left, right = padding

    def convolve(image, kernels):
        return F.conv2d(F.pad(image, (left, right, top, bottom)), kernels, None, stride, 0, dilation, groups)

    y = convolve(x, weight)
    dy = torch.randn_like(y)
    (dw,) = torch.autograd.grad((y * dy).sum(), weight)
    (dx,) = torch.autograd.grad((convolve(x, backward) * dy).sum(), x)
    image = lambda t: t.detach().numpy().transpose(0, 2, 3, 1)
    taps = lambda t: t.detach().numpy().transpose(2, 3, 1, 0)
    golden.add_case(name, [image(x), taps(weight), taps(backward)], [image(y)], image(dy), [image(dx), taps(dw), None])


case("plain", (2, 4, 5, 2), (3, 3), 3)
case("strided_even", (1, 5, 6, 2), (2, 4), 2, stride=(2, 3))
case("explicit", (1, 4, 5, 1), (3, 2), 2, padding=(0, 2, 1, 0))
case("groups", (1, 4, 4, 4), (3, 3), 6, groups=2)
case("depthwise", (2, 4, 3, 3), (3, 3), 3, groups=3)
case("depthwise_strided", (1, 5, 4, 2), (3, 2), 2, stride=(2, 2), groups=2)
case("multiplier", (1, 3, 3, 2), (2, 2), 4, groups=2)
case("dilated", (1, 6, 5, 2), (3, 2), 2, stride=(2, 1), dilation=(2, 3))
case("pointwise", (2, 2, 3, 3), (1, 1), 2)
case("large_kernel", (1, 3, 3, 1), (7, 7), 1)
golden.write()
