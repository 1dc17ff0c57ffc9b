# SPDX-License-Identifier: Apache-2.0
"""One training step in PyTorch, driven by lines on standard input like training_step_bench:

    torch_training_step.py --recipe FILE --data FILE.npz --variant plain|pruned --format contiguous|channels_last
        [--device cpu|cuda] [--mode eager|graph|compile] [--math float32|tf32|bfloat16]

`step`, `save FILE` and `quit` are those of training_step_bench; `memory` answers with the peak of what PyTorch's
allocator gave out on the device. With --variant machine there is no network; `ceiling` then answers with the rate of a
matrix product (2048 x 2048 in single precision; on a GPU 8192 x 8192 in the arithmetic of --math) and of copying 256 MB.

On a GPU, --mode graph captures a whole step, optimizer included, as one CUDA graph and replays it, and --mode compile
does the same with the network compiled by torch.compile. The first step always runs as it is written, and the second
captures. --math tf32 allows TF32 in convolutions and products, bfloat16 is autocast, and float32 forbids TF32.
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


def waiting(device, body):
    """`body` and, on a GPU, waiting for it."""
    def run():
        body()
        if device == "cuda":
            torch.cuda.synchronize()
    return run


def ceiling(device, math):
    n = 8192 if device == "cuda" else 2048
    dtype = torch.bfloat16 if math == "bfloat16" else torch.float32
    a, b, c = (torch.full((n, n), v, dtype=dtype, device=device) for v in (0.5, 0.25, 0.0))
    product = best_seconds(waiting(device, lambda: torch.mm(a, b, out=c)))
    source, target = (torch.zeros(64 << 20, device=device) for _ in range(2))
    copy = best_seconds(waiting(device, lambda: target.copy_(source)))
    return {"sgemm_gflops": 2e-9 * n**3 / product, "copy_gbytes_per_s": 2e-9 * source.numel() * 4 / copy}


class Training:
    def __init__(self, recipe, data, options):
        train = recipe["train"]
        optimizer = train["optimizer"]
        if optimizer["type"] != "sgd" or set(optimizer) != {"type", "momentum"}:
            raise ValueError(f"optimizer {optimizer} not supported")
        rate = train["learning_rate"]
        memory_format = torch.channels_last if options.format == "channels_last" else torch.contiguous_format
        self.device, self.mode, self.bfloat16 = options.device, options.mode, options.math == "bfloat16"
        self.network = Network(recipe["model"], memory_format=memory_format, device=options.device)
        arrays = dict(np.load(data))
        image = torch.from_numpy(arrays.pop("image")).permute(0, 3, 1, 2).to(options.device)
        self.image = image.contiguous(memory_format=memory_format)
        self.label = torch.from_numpy(arrays.pop("label")).long().to(options.device)
        self.network.load(arrays)
        self.optimizer = self.network.optimizer(rate["base"] if isinstance(rate, dict) else rate, optimizer["momentum"])
        self.run = self.network.run_plain if options.variant == "plain" else self.network.run_pruned
        if self.mode == "compile":
            self.run = torch.compile(self.run)
        self.steps, self.graph = 0, None

    def compute(self):
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bfloat16):
            logits = self.run(self.image)
        # Kept without their graph, which would hold memory until the next step has its own.
        loss = torch.nn.functional.cross_entropy(logits.float(), self.label)
        loss.backward()
        self.optimizer.step()
        self.logits, self.loss = logits.detach(), loss.detach()

    def capture(self):
        """The step as a CUDA graph. Nothing is computed here."""
        self.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.compute()
        return graph

    def step(self):
        if self.mode != "eager" and self.steps == 1:
            self.graph = self.capture()
        self.steps += 1
        start = time.perf_counter()
        if self.graph is not None:
            self.graph.replay()
        elif self.mode != "eager":
            # What is captured later has to have run on a stream other than the default one.
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                self.compute()
            torch.cuda.current_stream().wait_stream(side)
        else:
            self.compute()
        loss = self.loss.item()
        return {"seconds": time.perf_counter() - start, "loss": loss}

    def memory(self):
        if self.device != "cuda":
            return {"peak_device_bytes": 0, "reserved_device_bytes": 0}
        return {"peak_device_bytes": torch.cuda.max_memory_allocated(),
                "reserved_device_bytes": torch.cuda.max_memory_reserved()}

    def save(self, path):
        arrays = self.network.export(self.network.parameters.tensors)
        momenta = self.network.export(self.network.velocities(self.optimizer))
        arrays.update({f"optimizer/velocity/{name}": v for name, v in momenta.items()})
        arrays.update(logits=self.logits.float().cpu().numpy(), loss=self.loss.cpu().numpy())
        np.savez(path, **arrays)
        return {"saved": path}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe")
    parser.add_argument("--data")
    parser.add_argument("--variant", choices=["plain", "pruned", "machine"], required=True)
    parser.add_argument("--format", choices=["contiguous", "channels_last"], default="contiguous")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--mode", choices=["eager", "graph", "compile"], default="eager")
    parser.add_argument("--math", choices=["float32", "tf32", "bfloat16"], default="float32")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if options.device == "cpu" and (options.mode != "eager" or options.math != "float32"):
        parser.error("--mode and --math need --device cuda")
    torch.set_num_threads(options.threads)
    torch.backends.cuda.matmul.allow_tf32 = options.math == "tf32"
    torch.backends.cudnn.allow_tf32 = options.math == "tf32"
    torch.backends.cudnn.benchmark = True  # the fastest engine by trying, as a careful user has it
    before = resident_bytes("VmRSS")
    training = None
    if options.variant != "machine":
        training = Training(read_recipe(options.recipe), options.data, options)
    about = {"torch": torch.__version__, "python": sys.version.split()[0], "pid": os.getpid(),
             "resident_bytes_before_network": before}
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "quit":
            return
        if training is None:
            actions = {"ceiling": lambda: ceiling(options.device, options.math)}
        else:
            actions = {"step": training.step, "save": training.save, "memory": training.memory}
        print(json.dumps(actions[command](*arguments)), flush=True)


if __name__ == "__main__":
    main()
