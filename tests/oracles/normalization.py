# SPDX-License-Identifier: Apache-2.0
"""Normalizations against PyTorch in float64."""
import torch
import torch.nn.functional as F

from golden import Golden

torch.manual_seed(5)
golden = Golden("normalization")


def case(name, inputs, function, learned=None):
    """The first `learned` inputs get a gradient; function returns y and further outputs."""
    learned = len(inputs) if learned is None else learned
    leaves = [x.clone().requires_grad_(i < learned) for i, x in enumerate(inputs)]
    outputs = function(*leaves)
    dy = torch.randn(outputs[0].shape, dtype=torch.float64)
    outputs[0].backward(dy)
    golden.add_case(name, inputs, [y.detach() for y in outputs], dy, [x.grad for x in leaves])


def parameters(channels):
    return [1 + 0.3 * torch.randn(channels, dtype=torch.float64), torch.randn(channels, dtype=torch.float64)]


def image(*shape):
    return 1.5 + 2 * torch.randn(shape, dtype=torch.float64)


def batch_norm(epsilon):
    def function(x, gain, offset):
        flat = x.reshape(-1, x.shape[-1])
        y = F.batch_norm(flat, None, None, gain, offset, training=True, eps=epsilon)
        return [y.reshape(x.shape), flat.mean(0), flat.var(0, unbiased=False)]

    return function


def inference(x, gain, offset, mean, variance):
    flat = x.reshape(-1, x.shape[-1])
    return [F.batch_norm(flat, mean, variance, gain, offset, training=False, eps=1e-5).reshape(x.shape)]


def layer_norm(x, gain, offset):
    y = F.layer_norm(x, x.shape[1:], eps=1e-12) * gain + offset
    flat = x.flatten(1)
    return [y, flat.mean(1), flat.var(1, unbiased=False)]


def local_response_norm(radius, bias, alpha, beta):
    def function(x):
        size = 2 * radius + 1  # PyTorch divides alpha by it
        y = F.local_response_norm(x.permute(0, 3, 1, 2), size, alpha * size, beta, bias)
        return [y.permute(0, 2, 3, 1)]

    return function


case("batch_norm", [image(2, 3, 2, 4), *parameters(4)], batch_norm(1e-5))
case("batch_norm_rows", [image(5, 3), *parameters(3)], batch_norm(1e-3))
case("batch_norm_inference",
     [image(2, 3, 2, 4), *parameters(4), torch.randn(4, dtype=torch.float64), 0.5 + torch.rand(4, dtype=torch.float64)],
     inference, 3)
case("layer_norm", [image(2, 3, 2, 4), *parameters(4)], layer_norm)
case("layer_norm_rows", [image(3, 7), *parameters(7)], layer_norm)
case("local_response_norm", [image(1, 2, 3, 13)], local_response_norm(5, 1.0, 1e-4, 0.75))
case("local_response_norm_strong", [image(2, 1, 2, 6)], local_response_norm(1, 2.0, 0.3, 0.5))
golden.write()
