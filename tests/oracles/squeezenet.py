# SPDX-License-Identifier: Apache-2.0
"""SqueezeNet v1.0 as its authors released it for Caffe, by PyTorch in float64 on a 63x63 image, with hashed weights under
the names and in the layout of the released file. Images are B, G, R:
    image[c, i, j] = 60 sin(0.05 i + 0.3 c) + 40 cos(0.07 j - 0.2 c)
For each tensor:  shape/<name>;  and the outputs:  fire2 and fire9 (a sketch of their values in H, W, C), scores.
"""
import math

import numpy as np
import torch
from torch.nn.functional import conv2d, max_pool2d, relu

from golden import Golden
from hashed import hashed, sketch

SIZE = 63
FIRES = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}


def shapes():
    result = {"conv1.weight": (96, 3, 7, 7), "conv1.bias": (96,)}
    channels = 96
    for n, (squeeze, expand) in FIRES.items():
        for name, shape in {"conv1x1_1": (squeeze, channels, 1, 1), "conv1x1_2": (expand, squeeze, 1, 1),
                            "conv3x3_2": (expand, squeeze, 3, 3)}.items():
            result[f"fire{n}.{name}.weight"] = shape
            result[f"fire{n}.{name}.bias"] = shape[:1]
        channels = 2 * expand
    result.update({"conv_final.weight": (1000, 512, 1, 1), "conv_final.bias": (1000,)})
    return result


def weight(name, shape):
    # Keeps the size of activations from layer to layer, as the bound of He et al. does; biases of a like size.
    limit = math.sqrt(6 / math.prod(shape[1:])) if len(shape) > 1 else 5.0
    return torch.from_numpy(hashed(name, math.prod(shape)).reshape(shape) * limit)


def image():
    c, i, j = np.meshgrid(np.arange(3), np.arange(SIZE), np.arange(SIZE), indexing="ij")
    return torch.from_numpy(60 * np.sin(0.05 * i + 0.3 * c) + 40 * np.cos(0.07 * j - 0.2 * c))[None]


golden = Golden("squeezenet")
state = {}
for name, shape in shapes().items():
    golden.add("shape/" + name, np.array(shape))
    state[name] = weight(name, shape)


def conv(x, name, **geometry):
    return relu(conv2d(x, state[name + ".weight"], state[name + ".bias"], **geometry))


def pool(x):
    return max_pool2d(x, 3, 2, ceil_mode=True)


x = pool(conv(image(), "conv1", stride=2))
for n in FIRES:
    squeezed = conv(x, f"fire{n}.conv1x1_1")
    x = torch.cat([conv(squeezed, f"fire{n}.conv1x1_2"), conv(squeezed, f"fire{n}.conv3x3_2", padding=1)], dim=1)
    if n in (2, 9):
        golden.add(f"fire{n}", sketch(f"fire{n}", x[0].permute(1, 2, 0).contiguous().numpy()))
    if n in (4, 8):
        x = pool(x)
golden.add("scores", conv(x, "conv_final", padding=1).mean(dim=(2, 3))[0].numpy())
golden.write()
