# SPDX-License-Identifier: Apache-2.0
"""Concat, slice, pad, transpose and gather by PyTorch."""
import torch
from golden import Golden

torch.manual_seed(1)
golden = Golden("indexing")


def case(name, inputs, function):
    inputs = [x.clone() for x in inputs]
    for x in filter(torch.is_floating_point, inputs):
        x.requires_grad_(True)
    y = function(*inputs)
    dy = torch.randn_like(y)
    y.backward(dy)
    golden.add_case(name, [x.detach().numpy() for x in inputs], [y.detach().numpy()], dy.numpy(),
                    [x.grad.numpy() if x.is_floating_point() else None for x in inputs])


def x(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def indices(count, *shape):
    return torch.randint(count, shape, dtype=torch.int32)


case("concat_channels", [x(2, 2, 3, 1), x(2, 2, 3, 4), x(2, 2, 3, 2)], lambda *a: torch.cat(a, 3))
case("concat_batch", [x(1, 3), x(3, 3)], lambda *a: torch.cat(a, 0))
case("slice_channels", [x(2, 3, 2, 5)], lambda a: a[..., 1:4])
case("slice_rows", [x(2, 4, 3)], lambda a: a[:, 2:4])
case("pad_image", [x(2, 3, 2, 2)],
     lambda a: torch.nn.functional.pad(a, (0, 0, 2, 1, 1, 0), value=-0.5))
case("transpose_nchw", [x(2, 3, 4, 5)], lambda a: a.permute(0, 3, 1, 2).contiguous())
case("transpose_cycle", [x(2, 3, 4)], lambda a: a.permute(2, 0, 1).contiguous())
case("gather_rows", [x(4, 3), indices(4, 6)], lambda a, i: torch.index_select(a, 0, i))
case("gather_middle", [x(2, 3, 4), indices(3, 5)], lambda a, i: torch.index_select(a, 1, i))
case("gather_matrix", [x(5, 2), indices(5, 2, 3)], lambda a, i: a[i.long()])
golden.write()
