# SPDX-License-Identifier: Apache-2.0
"""Five steps of torch.optim.SGD, Adam, AdamW and RMSprop in float64; of TensorFlow's Adam, RMSProp with epsilon inside the
root and SGD with decoupled decay by their formulas in NumPy.
Step t of a case is <case>/w<t>, from <case>/w0 with gradients <case>/g<t>."""
import numpy as np
import torch
from golden import Golden

golden = Golden("optimizer")
STEPS = 5
random = np.random.default_rng(3)


def start(case):
    w = random.standard_normal((3, 4))
    gradients = [random.standard_normal((3, 4)) * 10.0 ** random.integers(-4, 2, (3, 4)) for _ in range(STEPS)]
    golden.add(f"{case}/w0", w)
    for t, g in enumerate(gradients, 1):
        golden.add(f"{case}/g{t}", g)
    return w, gradients


def pytorch(case, optimizer, **options):
    w, gradients = start(case)
    parameter = torch.nn.Parameter(torch.tensor(w))
    descent = optimizer([parameter], **options)
    for t, g in enumerate(gradients, 1):
        parameter.grad = torch.tensor(g)
        descent.step()
        golden.add(f"{case}/w{t}", parameter.detach().numpy())


def tensorflow_adam(case, rate, beta1, beta2, epsilon, l2):
    w, gradients = start(case)
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        g = g + l2 * w
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        w = w - rate * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + epsilon)
        golden.add(f"{case}/w{t}", w)


def sgd_decay(case, rate, momentum, decay):
    w, gradients = start(case)
    v = np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        v = momentum * v + g
        w = (1 - rate * decay) * w - rate * v
        golden.add(f"{case}/w{t}", w)


def rms_prop_inside(case, rate, smoothing, epsilon):
    w, gradients = start(case)
    v = np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        v = smoothing * v + (1 - smoothing) * g * g
        w = w - rate * g / np.sqrt(v + epsilon)
        golden.add(f"{case}/w{t}", w)


pytorch("sgd", torch.optim.SGD, lr=0.1)
pytorch("momentum", torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=0.01)
pytorch("nesterov", torch.optim.SGD, lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.02)
pytorch("adam", torch.optim.Adam, lr=0.05, betas=(0.9, 0.999), eps=1e-3)
pytorch("adam_l2", torch.optim.Adam, lr=0.05, betas=(0.8, 0.99), eps=1e-8, weight_decay=0.1)
tensorflow_adam("adam_inside", 0.05, 0.9, 0.999, 1e-3, 0.01)
pytorch("adam_w", torch.optim.AdamW, lr=0.05, betas=(0.8, 0.99), eps=1e-8, weight_decay=0.1)
pytorch("rms_prop", torch.optim.RMSprop, lr=0.01)
pytorch("rms_prop_momentum", torch.optim.RMSprop, lr=0.01, alpha=0.9, momentum=0.8, eps=1e-3, weight_decay=0.1)
sgd_decay("sgd_decay", 0.1, 0.9, 0.3)
rms_prop_inside("rms_prop_inside", 0.01, 0.9, 1e-3)
golden.write()
