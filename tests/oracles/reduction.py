# SPDX-License-Identifier: Apache-2.0
"""Reductions against PyTorch in float64."""
import torch

from golden import Golden

torch.manual_seed(1)
golden = Golden("reduction")


def case(name, shape, function):
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    y = function(x)
    dy = torch.randn(y.shape, dtype=torch.float64)
    y.backward(dy)
    golden.add_case(name, [x.detach()], [y.detach()], dy, [x.grad])


case("sum_all", (3, 4, 2), lambda x: x.sum())
case("sum_middle", (3, 4, 2), lambda x: x.sum((1, -1)))
case("sum_keep", (3, 4, 2), lambda x: x.sum((0, 2), keepdim=True))
case("mean_middle", (3, 4, 5, 2), lambda x: x.mean((1, 2)))
case("sum_to", (3, 4, 5, 2), lambda x: x.sum_to_size(4, 1, 2))
case("max_inner", (3, 7), lambda x: x.amax(-1))
case("max_outer", (3, 4, 2), lambda x: x.amax((0, 1), keepdim=True))
case("variance_biased", (3, 4, 2), lambda x: x.var((0, 2), unbiased=False))
case("variance_unbiased", (3, 4, 2), lambda x: x.var((1,), unbiased=True, keepdim=True))
golden.write()
