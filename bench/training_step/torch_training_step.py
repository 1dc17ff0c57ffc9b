# SPDX-License-Identifier: Apache-2.0
"""One training step in PyTorch, driven by lines on standard input like training_step_bench:

    torch_training_step.py --recipe FILE --data FILE.npz --variant plain|pruned --format contiguous|channels_last

`step`, `save FILE` and `quit` are those of training_step_bench. With --variant machine there is no network; `ceiling`
then answers with the rate of a 2048 x 2048 single-precision matrix product and of copying 256 MB.
"""
import argparse
import json
import os
import sys
import time

import numpy as np
import torch

from torch_networks import Network, read_recipe


def resident_bytes(field):
    """A field of /proc/self/status, VmRSS (now) or VmHWM (the peak), in bytes."""
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith(field))


def best_seconds(body, repetitions=7):
    best = float("inf")
    for _ in range(repetitions):
        start = time.perf_counter()
        body()
        best = min(best, time.perf_counter() - start)
    return best


def ceiling():
    n = 2048
    a, b, c = (torch.full((n, n), v) for v in (0.5, 0.25, 0.0))
    product = best_seconds(lambda: torch.mm(a, b, out=c))
    source, target = torch.zeros(64 << 20), torch.zeros(64 << 20)
    copy = best_seconds(lambda: target.copy_(source))
    return {"sgemm_gflops": 2e-9 * n**3 / product, "copy_gbytes_per_s": 2e-9 * source.numel() * 4 / copy}


class Training:
    def __init__(self, recipe, data, variant, memory_format):
        train = recipe["train"]
        optimizer = train["optimizer"]
        if optimizer["type"] != "sgd" or set(optimizer) != {"type", "momentum"}:
            raise ValueError(f"optimizer {optimizer} not supported")
        rate = train["learning_rate"]
        self.network = Network(recipe["model"], memory_format=memory_format)
        arrays = dict(np.load(data))
        image = torch.from_numpy(arrays.pop("image")).permute(0, 3, 1, 2)
        self.image = image.contiguous(memory_format=memory_format)
        self.label = torch.from_numpy(arrays.pop("label")).long()
        self.network.load(arrays)
        self.optimizer = self.network.optimizer(rate["base"] if isinstance(rate, dict) else rate, optimizer["momentum"])
        self.run = self.network.run_plain if variant == "plain" else self.network.run_pruned

    def step(self):
        start = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        self.logits = self.run(self.image)
        self.loss = torch.nn.functional.cross_entropy(self.logits, self.label)
        self.loss.backward()
        self.optimizer.step()
        loss = self.loss.item()
        return {"seconds": time.perf_counter() - start, "loss": loss}

    def save(self, path):
        arrays = self.network.export(self.network.parameters.tensors)
        momenta = self.network.export(self.network.velocities(self.optimizer))
        arrays.update({f"optimizer/velocity/{name}": v for name, v in momenta.items()})
        arrays.update(logits=self.logits.detach().numpy(), loss=self.loss.detach().numpy())
        np.savez(path, **arrays)
        return {"saved": path}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe")
    parser.add_argument("--data")
    parser.add_argument("--variant", choices=["plain", "pruned", "machine"], required=True)
    parser.add_argument("--format", choices=["contiguous", "channels_last"], default="contiguous")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    before = resident_bytes("VmRSS")
    training = None
    if options.variant != "machine":
        memory_format = torch.channels_last if options.format == "channels_last" else torch.contiguous_format
        training = Training(read_recipe(options.recipe), options.data, options.variant, memory_format)
    about = {"torch": torch.__version__, "python": sys.version.split()[0], "pid": os.getpid(),
             "resident_bytes_before_network": before}
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "quit":
            return
        actions = {"ceiling": ceiling} if training is None else {"step": training.step, "save": training.save}
        print(json.dumps(actions[command](*arguments)), flush=True)


if __name__ == "__main__":
    main()
