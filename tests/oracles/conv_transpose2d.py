# SPDX-License-Identifier: Apache-2.0
"""Transposed convolution by PyTorch in float64, forward and gradients. PyTorch keeps its kernels Cin x Cout/groups x h x w and
crops all sides alike: for other paddings, and for outputs with rows that no window reaches, the full result is cropped or
extended with zeros here."""
import torch
import torch.nn.functional as F

from golden import Golden

torch.manual_seed(11)
golden = Golden("conv_transpose2d")


def case(name, x_shape, kernel, out_channels, output, top_left, stride=(1, 1), groups=1, dilation=(1, 1)):
    """output: H', W'. top_left: the padding of the convolution before the first row and column."""
    n, h, w, c = x_shape
    x = torch.randn(n, c, h, w, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(c, out_channels // groups, *kernel, dtype=torch.float64, requires_grad=True)
    backward = torch.randn(c, out_channels // groups, *kernel, dtype=torch.float64)

    def spread(image, kernels):
        full = F.conv_transpose2d(image, kernels, None, stride, 0, 0, groups, dilation)
        full = F.pad(full, (0, output[1], 0, output[0]))
        return full[:, :, top_left[0]:top_left[0] + output[0], top_left[1]:top_left[1] + output[1]]

    y = spread(x, weight)
    dy = torch.randn_like(y)
    (dw,) = torch.autograd.grad((y * dy).sum(), weight)
    (dx,) = torch.autograd.grad((spread(x, backward) * dy).sum(), x)
    image = lambda t: t.detach().numpy().transpose(0, 2, 3, 1)
    taps = lambda t: t.detach().numpy().transpose(2, 3, 1, 0)
    golden.add_case(name, [image(x), taps(weight), taps(backward)], [image(y)], image(dy), [image(dx), taps(dw), None])


case("same", (1, 3, 4, 2), (3, 3), 3, (6, 8), (0, 0), stride=(2, 2))  # 3x3/2 on an even size pads 0 before, 1 after
case("same_even", (2, 3, 2, 2), (4, 2), 2, (3, 2), (1, 0))
case("explicit", (1, 3, 3, 2), (3, 2), 1, (4, 5), (1, 0), stride=(2, 2))
case("output_size", (1, 2, 3, 1), (2, 2), 2, (5, 9), (0, 0), stride=(3, 3))
case("groups", (1, 3, 3, 4), (3, 3), 6, (3, 3), (1, 1), groups=2)
case("depthwise", (1, 3, 2, 3), (2, 3), 3, (6, 4), (0, 0), stride=(2, 2), groups=3)
case("dilated", (1, 2, 3, 2), (2, 2), 2, (4, 6), (0, 0), dilation=(2, 3))
golden.write()
