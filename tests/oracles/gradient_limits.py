# SPDX-License-Identifier: Apache-2.0
"""torch.nn.utils.clip_grad_norm_ over three tensors and over each of them, and clip_grad_value_, in float64."""
import numpy as np
import torch
from golden import Golden

golden = Golden("gradient_limits")
random = np.random.default_rng(11)
gradients = [random.standard_normal(shape) * scale for shape, scale in [((3, 4), 1.0), ((5,), 0.05), ((2, 2, 2), 4.0)]]
for i, g in enumerate(gradients):
    golden.add(f"g{i}", g)


def limited(case, clip):
    parameters = [torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in gradients]
    for p, g in zip(parameters, gradients):
        p.grad = torch.tensor(g)
    clip(parameters)
    for i, p in enumerate(parameters):
        golden.add(f"{case}/{i}", p.grad.numpy())


for limit in (0.5, 3.0, 100.0):
    at = int(limit * 10)
    limited(f"value_{at}", lambda ps: torch.nn.utils.clip_grad_value_(ps, limit))
    limited(f"norm_{at}", lambda ps: [torch.nn.utils.clip_grad_norm_([p], limit) for p in ps])
    limited(f"global_norm_{at}", lambda ps: torch.nn.utils.clip_grad_norm_(ps, limit))
golden.write()
