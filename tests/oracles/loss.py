# SPDX-License-Identifier: Apache-2.0
"""Losses against PyTorch in float64."""
import torch
import torch.nn.functional as F

from golden import Golden

torch.manual_seed(3)
golden = Golden("loss")


def case(name, inputs, function):
    leaves = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    y = function(*leaves)
    dy = torch.randn(y.shape, dtype=torch.float64)
    y.backward(dy)
    golden.add_case(name, inputs, [y.detach()], dy, [x.grad for x in leaves])


def cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels, reduction="none")


logits = torch.randn(4, 6, dtype=torch.float64)
labels = torch.tensor([5, 0, 2, 2])
case("cross_entropy", [logits, labels], cross_entropy)
case("cross_entropy_confident", [40 * logits, labels], cross_entropy)
a, b = torch.randn(2, 3, 2, 4, 2, dtype=torch.float64)
case("squared_error", [a, b], lambda a, b: ((a - b) ** 2).flatten(1).sum(1))


def sigmoid_cross_entropy(logits, labels):
    target = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1)


case("sigmoid_cross_entropy", [logits, labels], sigmoid_cross_entropy)
case("sigmoid_cross_entropy_confident", [20 * logits, labels], sigmoid_cross_entropy)
golden.write()
