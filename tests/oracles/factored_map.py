# SPDX-License-Identifier: Apache-2.0
"""Predictions, losses and gradients of the factored map for fixed weights, with every penalty on, by PyTorch; and its
prediction for each order of the contraction."""
import numpy as np
import torch
import torch.nn.functional as F

from golden import Golden

rng = np.random.default_rng(11)
golden = Golden("factored_map")
rows, height, width, channels, units = 5, 4, 6, 3, 4
penalties = {"space_l2": 0.11, "channels_l2": 0.07, "space_l1": 0.05, "channels_l1": 0.13, "smoothness": 0.017,
             "group": 0.19}


def tensor(*shape):
    return torch.tensor(rng.standard_normal(shape))


features, target = tensor(rows, height, width, channels), tensor(rows, units)
space = tensor(height, width, units).requires_grad_()
weights = tensor(channels, units).requires_grad_()
bias = tensor(units).requires_grad_()

# The joint weights first, unlike the program that is tested.
joint = torch.einsum("xyn,cn->xycn", space, weights)
prediction = torch.einsum("ixyc,xycn->in", features, joint) + bias
laplacian = torch.tensor([[0.5, 1, 0.5], [1, -6, 1], [0.5, 1, 0.5]], dtype=torch.float64)
filtered = F.conv2d(space.permute(2, 0, 1)[:, None], laplacian[None, None])
terms = {
    "space_l2": space.square().sum((0, 1)) / 2,
    "channels_l2": weights.square().sum(0) / 2,
    "space_l1": space.abs().sum((0, 1)),
    "channels_l1": weights.abs().sum(0),
    "smoothness": filtered.square().sum((1, 2, 3)),
    "group": joint.square().sum((0, 1)).sqrt().sum(0),
}
loss = (prediction - target).square().mean(0) + sum(penalties[name] * term for name, term in terms.items())
loss.sum().backward()

golden.add("features", features)
golden.add("target", target)
for name, value in {"space": space, "channels": weights, "bias": bias}.items():
    golden.add(name, value.detach())
    golden.add("gradient/" + name, value.grad)
golden.add("prediction", prediction.detach())
golden.add("loss", loss.detach())
for name, term in terms.items():
    golden.add("strength/" + name, np.array([penalties[name]]))
    golden.add("term/" + name, term.detach())
golden.write()
