# SPDX-License-Identifier: Apache-2.0
"""Golden values of image resizing: PyTorch's antialiased bilinear interpolation, half-pixel centres."""
import numpy as np
import torch
import torch.nn.functional as F

from golden import Golden

golden = Golden("resize_bilinear")
rng = np.random.default_rng(3)
for name, (h, w, c), (oh, ow) in [
    ("same", (3, 4, 2), (3, 4)),
    ("grow", (3, 4, 2), (7, 6)),
    ("shrink", (11, 13, 1), (4, 3)),
    ("mixed", (9, 4, 3), (2, 7)),
    ("to_one", (5, 6, 1), (1, 1)),
    ("from_one", (1, 1, 2), (3, 2)),
]:
    x = rng.standard_normal((h, w, c)).astype(np.float32)
    t = torch.from_numpy(x).permute(2, 0, 1)[None]
    y = F.interpolate(t, size=(oh, ow), mode="bilinear", align_corners=False, antialias=True)
    golden.add(f"{name}/in0", x.astype(np.float64))
    golden.add(f"{name}/out0", y[0].permute(1, 2, 0).contiguous().numpy().astype(np.float64))
golden.write()
