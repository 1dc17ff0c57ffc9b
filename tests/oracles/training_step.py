# SPDX-License-Identifier: Apache-2.0
"""Three steps of gradient descent on small versions of RGC Median and the shallow RGC, by PyTorch in float64.

The networks are bench/training_step/torch_networks.py, written from the specification. Weights, images and labels come
from an integer hash that tests/models/training_step_golden_test.cpp repeats. The image goes off early enough for blank
frames to reach the last logits. For each case:
    <case>/loss        before each of the steps
    <case>/logits      of the first step
    <case>/velocity1/<parameter>, <case>/velocity3/<parameter>
                       momentum after the first step (the gradient with its L2 term) and after the last: its product
                       with a hashed direction, and its norm
"""
import math
import os
import sys

import numpy as np
import torch

from golden import Golden
from hashed import hashed, sketch

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(root, "bench", "training_step"))
from torch_networks import Network, read_recipe  # noqa: E402

BATCH, CLASSES, STEPS, RATE, MOMENTUM = 3, 10, 3, 0.02, 0.9


def weights(name, shape):
    limit = 0.3 if len(shape) < 2 else math.sqrt(1.5 / math.prod(shape[:-1]))
    return hashed(name, math.prod(shape)).reshape(shape) * limit


def small_model(recipe, image, steps, image_off, divisor):
    """The recipe's network with channels divided, a small image and few timesteps."""
    model = read_recipe(os.path.join(root, "models", "recipes", recipe + ".json"))["model"]
    model.update(image=[*image, 3], steps=steps, image_off=image_off)
    for layer in model["layers"][:-1]:
        layer["pre"][0]["channels"] //= divisor
        if layer.get("cell", {}).get("type") == "rgc":
            layer["cell"]["cell_channels"] = 64 // divisor
    readout = model["layers"][-1]["pre"]
    readout[-1 if recipe == "rgc_median" else 0]["units" if recipe == "rgc_median" else "channels"] = CLASSES
    return model


def case(golden, recipe, **settings):
    model = small_model(recipe, **settings)
    network = Network(model, torch.float64)
    network.load({name: weights(name, shape) for name, shape in network.shapes().items()})
    image = 2.0 * hashed("image", BATCH * math.prod(model["image"])).reshape(BATCH, *model["image"])
    label = torch.tensor([(7 * i + 3) % CLASSES for i in range(BATCH)])
    optimizer = network.optimizer(RATE, MOMENTUM)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        logits = network.run_plain(torch.from_numpy(image).permute(0, 3, 1, 2).contiguous())
        loss = torch.nn.functional.cross_entropy(logits, label)
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
        if step == 0:
            golden.add(f"{recipe}/logits", logits.detach().numpy())
        if step in (0, STEPS - 1):
            for name, v in sorted(network.export(network.velocities(optimizer)).items()):
                golden.add(f"{recipe}/velocity{step + 1}/{name}", sketch(name, v))
    golden.add(f"{recipe}/loss", np.array(losses))
    print(recipe, losses)


if __name__ == "__main__":
    golden = Golden("training_step")
    case(golden, "rgc_median", image=(28, 36), steps=13, image_off=2, divisor=8)
    case(golden, "rgc_shallow", image=(68, 80), steps=8, image_off=2, divisor=16)
    golden.write()
