# SPDX-License-Identifier: Apache-2.0
"""Pooling against PyTorch in float64. "Same" padding, which PyTorch 1.13 lacks, is built by padding the image first."""
import torch
import torch.nn.functional as F

from golden import Golden

torch.manual_seed(4)
golden = Golden("pooling")


def case(name, shape, function):
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    y = function(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1) if name != "global" else function(x)
    dy = torch.randn(y.shape, dtype=torch.float64)
    y.backward(dy)
    golden.add_case(name, [x.detach()], [y.detach()], dy, [x.grad])


def same(x, kernel, stride, value):
    pads = []
    for size, k, s in ((x.shape[3], kernel[1], stride[1]), (x.shape[2], kernel[0], stride[0])):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)


def max_same(kernel, stride):
    return lambda x: F.max_pool2d(same(x, kernel, stride, float("-inf")), kernel, stride)


def average_same(kernel, stride):
    def function(x):
        sums = F.avg_pool2d(same(x, kernel, stride, 0.0), kernel, stride)
        return sums / F.avg_pool2d(same(torch.ones_like(x), kernel, stride, 0.0), kernel, stride)

    return function


case("max_valid", (2, 5, 4, 3), lambda x: F.max_pool2d(x, (2, 3), (2, 1)))
case("max_padded", (1, 5, 6, 2), lambda x: F.max_pool2d(x, 3, 2, 1))
case("max_ceil", (1, 6, 8, 2), lambda x: F.max_pool2d(x, 3, 2, 0, ceil_mode=True))
case("max_same", (2, 5, 7, 2), max_same((2, 2), (2, 2)))
case("max_same_wide", (1, 5, 6, 2), max_same((3, 4), (2, 1)))
case("average_valid", (2, 5, 4, 3), lambda x: F.avg_pool2d(x, (2, 3), (2, 1)))
case("average_padded", (1, 5, 6, 2), lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))
case("average_padded_counted", (1, 5, 6, 2), lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=True))
case("average_ceil_counted", (1, 6, 7, 2), lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=True))
case("average_ceil", (1, 6, 8, 2), lambda x: F.avg_pool2d(x, 3, 2, 0, ceil_mode=True, count_include_pad=False))
case("average_same", (2, 5, 7, 2), average_same((3, 2), (2, 2)))
case("average_same_counted", (1, 5, 6, 2), lambda x: F.avg_pool2d(same(x, (3, 2), (2, 2), 0.0), (3, 2), (2, 2)))
case("adaptive", (2, 5, 7, 3), lambda x: F.adaptive_avg_pool2d(x, (3, 2)))
case("adaptive_larger", (1, 3, 2, 2), lambda x: F.adaptive_avg_pool2d(x, (4, 5)))
case("global", (2, 3, 5, 4), lambda x: x.mean((1, 2)))
golden.write()
