# SPDX-License-Identifier: Apache-2.0
"""Residual networks and VGG-16 as torchvision builds and names them, narrow, by PyTorch in float64 for evaluation. Weights
are hashed by name. For each network:
    <network>/shape/<tensor>   of its state, in torchvision's names and layout
    <network>/logits           for a hashed image [H, W, 3]
"""
import math

import numpy as np
import torch
from torch import nn

from golden import Golden
from hashed import hashed

CLASSES = 10


def conv(inputs, outputs, kernel, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)


class Block(nn.Module):
    """A basic block (expansion 1: two 3x3) or a bottleneck (expansion 4: 1x1, 3x3 with the stride, 1x1)."""

    def __init__(self, inputs, width, expansion, stride):
        super().__init__()
        outputs = width * expansion
        if expansion == 1:
            self.conv1, self.bn1 = conv(inputs, width, 3, stride), nn.BatchNorm2d(width)
            self.conv2, self.bn2 = conv(width, width, 3), nn.BatchNorm2d(width)
        else:
            self.conv1, self.bn1 = conv(inputs, width, 1), nn.BatchNorm2d(width)
            self.conv2, self.bn2 = conv(width, width, 3, stride), nn.BatchNorm2d(width)
            self.conv3, self.bn3 = conv(width, outputs, 1), nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        if hasattr(self, "conv3"):
            y = self.bn3(self.conv3(torch.relu(y)))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, blocks, expansion, width):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        inputs = width
        for i, count in enumerate(blocks):
            layers = []
            for j in range(count):
                layers.append(Block(inputs, width * 2**i, expansion, 2 if i > 0 and j == 0 else 1))
                inputs = width * 2**i * expansion
            setattr(self, f"layer{i + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(inputs, CLASSES)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
        return self.fc(x.mean(dim=(2, 3)))


class Vgg(nn.Module):
    def __init__(self, widths, normalised, units):
        super().__init__()
        features, inputs = [], 3
        for width in widths:
            if width == "pool":
                features.append(nn.MaxPool2d(2, 2))
                continue
            features.append(nn.Conv2d(inputs, width, 3, padding=1))
            if normalised:
                features.append(nn.BatchNorm2d(width))
            features.append(nn.ReLU())
            inputs = width
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Linear(inputs * 7 * 7, units), nn.ReLU(), nn.Dropout(), nn.Linear(units, units),
                                        nn.ReLU(), nn.Dropout(), nn.Linear(units, CLASSES))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


def value(name, shape):
    h = hashed(name, math.prod(shape)).reshape(shape)
    if len(shape) > 1:
        return h * math.sqrt(6 / math.prod(shape[1:]))  # keeps the size of activations from layer to layer
    if name.endswith("running_var"):
        return 1 + 0.5 * h
    return (1 if name.endswith("weight") else 0) + 0.3 * h


golden = Golden("torchvision_networks")
W = [4, 4, "pool", 8, 8, "pool", 16, 16, 16, "pool", 32, 32, 32, "pool", 32, 32, 512, "pool"]
NETWORKS = {
    "resnet18": (ResNet([2, 2, 2, 2], 1, 8), 33), "resnet34": (ResNet([3, 4, 6, 3], 1, 8), 33),
    "resnet50": (ResNet([3, 4, 6, 3], 4, 8), 33),
    "vgg16": (Vgg(W, False, 16), 224), "vgg16_bn": (Vgg(W, True, 16), 224),
}
for name, (network, size) in NETWORKS.items():
    network = network.double().eval()
    state = network.state_dict()
    for key, tensor in state.items():
        golden.add(f"{name}/shape/{key}", np.array(tensor.shape, dtype=np.int64))
        if tensor.ndim > 0:
            state[key] = torch.from_numpy(value(key, tuple(tensor.shape)))
    network.load_state_dict(state)
    image = torch.from_numpy(hashed("image", size * size * 3).reshape(1, size, size, 3)).permute(0, 3, 1, 2)
    with torch.no_grad():
        golden.add(f"{name}/logits", network(image)[0].numpy())
golden.write()
