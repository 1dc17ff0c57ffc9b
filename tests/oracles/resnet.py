# SPDX-License-Identifier: Apache-2.0
"""Loss, logits and gradients of narrow residual networks of both kinds, by PyTorch in float64.

The networks are written from the two papers and have the depth, strides and shortcuts of the recipes resnet18_v1,
resnet50_v1, resnet18_v2 and resnet50_v2, with channels divided by 16. Weights, images and labels come from an integer
hash that tests/models/resnet_golden_test.cpp repeats. For each network:
    <network>/logits, <network>/loss
    <network>/gradient/<parameter>       of the loss: its product with a hashed direction, and its norm
"""
import math

import numpy as np
import torch
import torch.nn.functional as F

from golden import Golden
from hashed import hashed, sketch

BATCH, CLASSES, IMAGE, DIVISOR = 4, 10, (72, 60, 3), 16
WIDTHS = [64 // DIVISOR, 128 // DIVISOR, 256 // DIVISOR, 512 // DIVISOR]


class Network:
    def __init__(self):
        self.parameters = {}

    def parameter(self, name, shape, scale, offset=0.0):
        values = offset + scale * hashed(name, math.prod(shape)).reshape(shape)
        tensor = torch.from_numpy(values).requires_grad_()
        self.parameters[name] = tensor
        return tensor

    def conv(self, name, x, channels, kernel, stride=1):
        fan_in = kernel * kernel * x.shape[1]
        w = self.parameter(name + "/weight", (kernel, kernel, x.shape[1], channels), math.sqrt(1.5 / fan_in))
        return F.conv2d(x, w.permute(3, 2, 0, 1), stride=stride, padding=kernel // 2)

    def norm(self, name, x):
        gain = self.parameter(name + "/gain", (x.shape[1],), 0.3, 1.0)
        offset = self.parameter(name + "/offset", (x.shape[1],), 0.3)
        return F.batch_norm(x, None, None, gain, offset, training=True, eps=1e-5)

    def readout(self, x):
        x = x.mean(dim=(2, 3))
        w = self.parameter("readout/linear/weight", (x.shape[1], CLASSES), math.sqrt(1.5 / x.shape[1]))
        return x @ w + self.parameter("readout/linear/bias", (CLASSES,), 0.3)

    def block_v1(self, name, x, widths, kernels, stride):
        """Convolution, normalisation, ReLU; the last ReLU after the sum. The stride is in the first 3x3."""
        y = x
        for i, (width, kernel) in enumerate(zip(widths, kernels)):
            number = "" if i == 0 else f"_{i + 1}"
            step = stride if i == kernels.index(3) else 1
            y = self.norm(f"{name}/batch_norm{number}", self.conv(f"{name}/conv{number}", y, width, kernel, step))
            if i + 1 < len(widths):
                y = F.relu(y)
        if stride != 1 or x.shape[1] != widths[-1]:
            x = self.conv(name + "/residual/conv", x, widths[-1], 1, stride)
            x = self.norm(name + "/residual/batch_norm", x)
        return F.relu(y + x)

    def block_v2(self, name, x, widths, kernels, stride):
        """Normalisation, ReLU, convolution; a projection sees what the first ReLU puts out."""
        y, shortcut = x, x
        for i, (width, kernel) in enumerate(zip(widths, kernels)):
            number = "" if i == 0 else f"_{i + 1}"
            y = F.relu(self.norm(f"{name}/batch_norm{number}", y))
            if i == 0 and (stride != 1 or x.shape[1] != widths[-1]):
                shortcut = self.conv(name + "/residual/conv", y, widths[-1], 1, stride)
            y = self.conv(f"{name}/conv{number}", y, width, kernel, stride if i == kernels.index(3) else 1)
        return y + shortcut

    def logits(self, image, version, counts, bottleneck):
        x = self.conv("conv1/conv", image, 64 // DIVISOR, 7, 2)
        if version == 1:
            x = F.relu(self.norm("conv1/batch_norm", x))
        x = F.max_pool2d(x, 3, 2, 1)
        block = self.block_v1 if version == 1 else self.block_v2
        for stage, (count, width) in enumerate(zip(counts, WIDTHS), 2):
            for i in range(count):
                widths, kernels = ([width, width, 4 * width], [1, 3, 1]) if bottleneck else ([width] * 2, [3, 3])
                x = block(f"conv{stage}_{i + 1}", x, widths, kernels, 2 if i == 0 and stage > 2 else 1)
        if version == 2:
            x = F.relu(self.norm("readout/batch_norm", x))
        return self.readout(x)


if __name__ == "__main__":
    golden = Golden("resnet")
    label = torch.tensor([(7 * i + 3) % CLASSES for i in range(BATCH)])
    image = torch.from_numpy(2.0 * hashed("image", BATCH * math.prod(IMAGE)).reshape(BATCH, *IMAGE))
    for version in (1, 2):
        for depth, counts, bottleneck in ((18, (2, 2, 2, 2), False), (50, (3, 4, 6, 3), True)):
            network, case = Network(), f"resnet{depth}_v{version}"
            logits = network.logits(image.permute(0, 3, 1, 2), version, counts, bottleneck)
            loss = F.cross_entropy(logits, label)
            loss.backward()
            golden.add(case + "/logits", logits.detach().numpy())
            golden.add(case + "/loss", np.array([loss.item()]))
            for name, p in network.parameters.items():
                golden.add(f"{case}/gradient/{name}", sketch(name, p.grad.numpy()))
            print(case, loss.item(), len(network.parameters), "parameters")
    golden.write()
