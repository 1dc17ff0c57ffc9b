# SPDX-License-Identifier: Apache-2.0
"""Samples a configuration of the RGC search (convrnn.md 8.2) and prints it as a recipe: the stand-in for RGC Random.

    python3 sample_rgc_random.py > ../rgc_random_standin.json
    python3 sample_rgc_random.py --draw 1              # another draw of the same sequence

RGC Random was the 400th sample of the search and is lost. Its stand-in (8.3) is the first draw from the search space
with seed 400 whose training loss stays finite. Draws 1 to 3 normalise their cells by layer norm: until the image arrives
their states are zero, where layer norm (epsilon 1e-12) multiplies gradients by a million at every step, and their first
training step is not finite. Draw 4 is the first to survive. Only random.random() is used, which gives the same numbers
in every version of Python.
"""
import argparse
import math
import random

CELL_LAYERS = range(4, 11)
CHECKED = {4: [
    "  // Draws 1 to 3 are rejected: at full width and 28 px of Fashion-MNIST their first training step is not finite. This",
    "  // one keeps a finite loss for 300 steps of 16 images there, at a quarter of its widths, and has learned nothing by",
    "  // then: 2.30 for ten classes. The rule (8.3) asks for an epoch of ImageNet, which nobody has run.",
]}


class Draws:
    def __init__(self, seed):
        self._random = random.Random(seed)

    def uniform(self, low, high):
        return low + (high - low) * self._random.random()

    def log_uniform(self, low, high):
        return math.exp(self.uniform(math.log(low), math.log(high)))

    def choice(self, options):
        return options[int(self._random.random() * len(options))]

    def binary(self):
        return self.choice([False, True])


def sample(draws):
    """One draw of every dimension, in the order of the table of 8.2."""
    s = {"cell_channels": draws.choice([16, 32, 64, 128, 256])}
    convs = ("tau", "gate", "input_to_cell_conv", "input_to_output_conv", "feedback")
    kernels = {name: draws.choice(range(1, 9)) for name in convs}
    separable = {name: draws.binary() for name in convs}
    for name in convs:
        s[name] = {"kernel": kernels[name], "separable": separable[name]}
    for name in ("phi_tau", "phi_gate"):
        s[name] = draws.choice(["sigmoid", "tanh"])
    s["phi_in"] = draws.choice(["identity", "elu"])
    s["feedback"]["activation"] = draws.choice(["identity", "elu"])
    for name in ("phi_cell", "phi_output"):
        s[name] = draws.choice(["elu", "relu", "tanh"])
    for name in ("tau_offset", "gate_offset"):
        s[name] = draws.uniform(0.5, 1.5)
    for name in ("beta_tau", "beta_gate"):
        s[name] = draws.uniform(-5.0, 5.0)
    while not (s.get("input_to_cell") or s.get("residual_to_cell")):  # at least one is on
        s["input_to_cell"], s["residual_to_cell"] = draws.binary(), draws.binary()
    for name in ("input_to_output", "output_residual", "cell_to_output", "residual_to_cell_gate",
                 "residual_to_output_gate"):
        s[name] = draws.binary()
    s["feedback"]["entry"] = draws.choice(["input", "cell", "output"])
    s["layer_norm"] = draws.binary()
    s["l2"] = draws.log_uniform(1e-6, 1e-3)
    s["kernel_init"] = {"type": "variance_scaling", "scale": draws.uniform(0.5, 2.0)}
    pairs = [(j, i) for i in CELL_LAYERS for j in CELL_LAYERS if i < j]
    threshold = draws.uniform(0.0, 1.0)
    edges = [pair for pair in pairs if draws.uniform(0.0, 1.0) <= threshold]
    optimizer = {"type": "sgd", "momentum": 0.9, "nesterov": draws.binary(), "clip": draws.log_uniform(0.1, 10.0)}
    return s, edges, optimizer


def text_of(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}": {text_of(v)}' for key, v in value.items()) + "}"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else (
        f'"{value}"' if isinstance(value, str) else repr(value))


def recipe(draw):
    draws = Draws(400)
    for _ in range(draw):
        cell, edges, optimizer = sample(draws)
    lines = [
        "{",
        "  // RGC Random (stand-in). The study's RGC Random, the 400th sample of its search, is lost. This is draw"
        f" {draw} of seed",
        "  // 400 from the search space of convrnn.md 8.2, written by base/sample_rgc_random.py. Steps and image_off are those",
        "  // of the study (1.5), batch as in the study, the learning rate is that of RGC Median here; the rest is drawn.",
        *CHECKED.get(draw, []),
        '  "extends": "base/median.json",',
        '  "name": "rgc_random_standin",',
        '  "description": "RGC Random (stand-in): a configuration drawn from the search space of reciprocal gated cells.",',
        '  "define": {',
        '    "cell": {',
        '      "type": "rgc",',
        ",\n".join(f'      "{key}": {text_of(value)}' for key, value in cell.items()),
        "    }",
        "  },",
        '  "model": {',
        '    "steps": 26,',
        '    "image_off": 10,',
        '    "connections": [',
        ",\n".join(f'      {{"source": "conv{j}", "target": "conv{i}"}}' for j, i in edges),
        "    ]",
        "  },",
        f'  "train": {{"optimizer": {text_of(optimizer)}}}',
        "}",
    ]
    return "\n".join(line for line in lines if line)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", type=int, default=4)
    print(recipe(parser.parse_args().draw))
