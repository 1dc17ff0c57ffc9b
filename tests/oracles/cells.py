# SPDX-License-Identifier: Apache-2.0
"""Recurrent cells by PyTorch in float64, written from spec/convrnn.md 2.2 to 2.6: several channels, samples and steps,
odd and even kernels. tests/models/cells/cells_golden_test.cpp runs the same cells on the same numbers. For each case:
    <case>/output           after the last step
    <case>/state0..         the same
    <case>/gradient/<name>  sketch of the gradient of a parameter, an input x0.. or an initial state s0..; the loss is
                            the product of all outputs and final states with hashed directions
"""
import math

import torch
import torch.nn.functional as F

from golden import Golden
from hashed import hashed, sketch

BATCH, HEIGHT, WIDTH, INPUTS, STEPS = 2, 5, 4, 3, 3


class Leaves:
    """Tensors by name, filled with hashed numbers on first use."""

    def __init__(self, case):
        self.case, self.all = case, {}

    def get(self, name, shape, scale):
        if name not in self.all:
            values = hashed(f"{self.case}/{name}", math.prod(shape)).reshape(shape) * scale
            self.all[name] = torch.tensor(values, requires_grad=True)
        return self.all[name]


def conv(leaves, name, parts, outputs, kernel):
    """SAME convolution of NHWC tensors side by side; the kernel is [kh, kw, in, out]."""
    x = torch.cat(parts, 3).permute(0, 3, 1, 2)
    weight = leaves.get(f"{name}/weight", (kernel, kernel, x.shape[1], outputs), 1.5 / (kernel * math.sqrt(x.shape[1])))
    bias = leaves.get(f"{name}/bias", (outputs,), 0.5)
    before, after = (kernel - 1) // 2, kernel - 1 - (kernel - 1) // 2
    x = F.pad(x, (before, after, before, after))
    return F.conv2d(x, weight.permute(3, 2, 0, 1), bias).permute(0, 2, 3, 1)


def layer_norm(leaves, name, x):
    mean = x.mean((1, 2, 3), keepdim=True)
    variance = ((x - mean) ** 2).mean((1, 2, 3), keepdim=True)
    gain = leaves.get(f"{name}/gain", x.shape[3:], 1.2)
    return (x - mean) / torch.sqrt(variance + 1e-12) * gain + leaves.get(f"{name}/offset", x.shape[3:], 0.4)


def simple_rnn(leaves, x, state, channels, kernel, norm=False):
    a = conv(leaves, "input_to_state", [x], channels, kernel)
    a = a + conv(leaves, "state_to_state", state, channels, kernel)
    h = F.elu(layer_norm(leaves, "norm", a) if norm else a)
    return h, [h]


def gru(leaves, x, state, channels, kernel, reset_bias=1.0):
    (h,) = state
    both = conv(leaves, "gates", [x, h], 2 * channels, kernel)
    r = torch.sigmoid(both[..., :channels] + reset_bias)
    u = torch.sigmoid(both[..., channels:])
    h = u * h + (1 - u) * torch.tanh(conv(leaves, "candidate", [x, r * h], channels, kernel))
    return h, [h]


def lstm(leaves, x, state, channels, kernel, norm=False, peepholes=False, forget_bias=1.0):
    c, h = state
    gates = conv(leaves, "gates", [x, h], 4 * channels, kernel)
    i, j, f, o = (gates[..., k * channels:(k + 1) * channels] for k in range(4))
    if norm:
        i, j = layer_norm(leaves, "input_norm", i), layer_norm(leaves, "candidate_norm", j)
        f, o = layer_norm(leaves, "forget_norm", f), layer_norm(leaves, "output_norm", o)
    f = f + forget_bias
    if peepholes:
        shape = (HEIGHT, WIDTH, channels)
        f = f + leaves.get("forget_peephole", shape, 0.6) * c
        i = i + leaves.get("input_peephole", shape, 0.6) * c
        o = o + leaves.get("output_peephole", shape, 0.6) * c
    c = c * torch.sigmoid(f) + torch.sigmoid(i) * torch.tanh(j)
    if norm:
        c = layer_norm(leaves, "cell_norm", c)
    h = torch.tanh(c) * torch.sigmoid(o)
    return h, [c, h]


def ugrnn(leaves, x, state, channels, kernel, forget_bias=1.0):
    (h,) = state
    both = conv(leaves, "gates", [x, h], 2 * channels, kernel)
    g = torch.sigmoid(both[..., :channels] + forget_bias)
    h = g * h + (1 - g) * torch.tanh(both[..., channels:])
    return h, [h]


def intersection_rnn(leaves, x, state, channels, kernel, forget_bias=1.0):
    (n,) = state
    gates = conv(leaves, "gates", [x, n], 4 * channels, kernel)
    gn, h, gy, y = (gates[..., k * channels:(k + 1) * channels] for k in range(4))
    gn, gy = torch.sigmoid(gn + forget_bias), torch.sigmoid(gy + forget_bias)
    return gy * x + (1 - gy) * F.relu(y), [gn * n + (1 - gn) * torch.tanh(h)]


def case(golden, name, cell, channels, states=1, **options):
    leaves = Leaves(name)
    shape = (BATCH, HEIGHT, WIDTH, channels)

    def direction(of, tensor):
        return torch.tensor(hashed(f"{name}/{of}/direction", tensor.numel()).reshape(tensor.shape))

    state = [leaves.get(f"s{k}", shape, 0.8) for k in range(states)]
    loss = 0.0
    for t in range(STEPS):
        x = leaves.get(f"x{t}", (BATCH, HEIGHT, WIDTH, INPUTS), 1.5)
        output, state = cell(leaves, x, state, channels, **options)
        loss = loss + (output * direction(f"output{t}", output)).sum()
    for k, s in enumerate(state):
        loss = loss + (s * direction(f"state{k}", s)).sum()
        golden.add(f"{name}/state{k}", s.detach().numpy())
    golden.add(f"{name}/output", output.detach().numpy())
    loss.backward()
    for leaf, tensor in sorted(leaves.all.items()):
        golden.add(f"{name}/gradient/{leaf}", sketch(f"{name}/{leaf}", tensor.grad.numpy()))


if __name__ == "__main__":
    golden = Golden("cells")
    case(golden, "simple_rnn", simple_rnn, 4, kernel=3)
    case(golden, "simple_rnn_norm", simple_rnn, 5, kernel=2, norm=True)
    case(golden, "gru", gru, 4, kernel=3)
    case(golden, "gru_even", gru, 5, kernel=4, reset_bias=-0.5)
    case(golden, "lstm", lstm, 4, states=2, kernel=3)
    case(golden, "lstm_norm", lstm, 5, states=2, kernel=2, norm=True, forget_bias=1.3561755203084322)
    case(golden, "lstm_peepholes", lstm, 3, states=2, kernel=3, norm=True, peepholes=True, forget_bias=0.7)
    case(golden, "lstm_even", lstm, 2, states=2, kernel=4, peepholes=True)
    case(golden, "ugrnn", ugrnn, 4, kernel=3)
    case(golden, "ugrnn_even", ugrnn, 2, kernel=2, forget_bias=0.3)
    case(golden, "intersection_rnn", intersection_rnn, 3, kernel=3)
    case(golden, "intersection_rnn_even", intersection_rnn, 3, kernel=4, forget_bias=-0.2)
    golden.write()
