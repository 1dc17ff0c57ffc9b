# SPDX-License-Identifier: Apache-2.0
"""Bilinear resize by PyTorch in float64."""
import torch
from golden import Golden

torch.manual_seed(2)
golden = Golden("resize2d")
SIZES = {"up": ((3, 4), (7, 6)), "down": ((8, 7), (3, 5)), "mixed": ((5, 2), (2, 9)), "from_one": ((1, 3), (4, 2)),
         "to_one": ((4, 3), (1, 1)), "double": ((3, 3), (6, 6)), "half": ((6, 4), (3, 2)), "same": ((3, 4), (3, 4))}
for name, (size_in, size_out) in SIZES.items():
    for align in (True, False):
        x = torch.randn(2, *size_in, 2, dtype=torch.float64, requires_grad=True)  # NHWC
        y = torch.nn.functional.interpolate(x.permute(0, 3, 1, 2), size_out, mode="bilinear",
                                            align_corners=align).permute(0, 2, 3, 1)
        dy = torch.randn_like(y)
        y.backward(dy)
        case = name + ("_align_corners" if align else "_half_pixel")
        golden.add_case(case, [x.detach().numpy()], [y.detach().numpy()], dy.numpy(), [x.grad.numpy()])
golden.write()
