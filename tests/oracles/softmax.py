# SPDX-License-Identifier: Apache-2.0
"""Softmax and log-softmax over the last axis against PyTorch in float64."""
import torch

from golden import Golden

torch.manual_seed(2)
golden = Golden("softmax")


def case(name, x):
    for kind, function in (("softmax", torch.softmax), ("log_softmax", torch.log_softmax)):
        leaf = x.clone().requires_grad_(True)
        y = function(leaf, -1)
        dy = torch.randn(y.shape, dtype=torch.float64)
        y.backward(dy)
        golden.add_case(f"{kind}_{name}", [x], [y.detach()], dy, [leaf.grad])


case("plain", torch.randn(3, 5, dtype=torch.float64))
case("shifted", 1000 + 3 * torch.randn(2, 7, dtype=torch.float64))
case("deep", torch.randn(2, 2, 3, dtype=torch.float64))
golden.write()
