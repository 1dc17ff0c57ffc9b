# SPDX-License-Identifier: Apache-2.0
"""Training steps of chiasm beside the same networks in PyTorch.

    python3 bench/training_step/compare.py --output NAME [--threads N] [--networks rgc_median,rgc_shallow] ...

Needs build/bench/training_step_bench and an interpreter with PyTorch: --python, default this one. If
CHIASM_BENCH_PYTHON names another, with another PyTorch, that one is measured too.

For each network it makes images, labels and weights, and first lets every contestant do one step from the same
weights: loss, logits, updated parameters and the momentum (the gradient) of every parameter must agree, otherwise
nothing is measured. Then all do steps in turns, A B C A B C, each in a process of its own that waits while the others
compute. PyTorch runs in the faster of its two memory layouts, measured here. The ceilings, a matrix product and a
copy with as many threads, are taken before and after; when they differ by more than 10 % other work disturbed the
run, and the JSON says so. Shares are of the faster product, PyTorch's (2048 x 2048) or chiasm's (1024 x 1024). Peak memory is VmHWM of each process; what PyTorch's libraries took before there was a
network is beside it.

With --device cuda, chiasm runs on the GPU captured as a CUDA graph and not captured, beside PyTorch eager (written
plainly, and pruned by hand), with the step as one CUDA graph, and compiled by torch.compile inside one; all in the
arithmetic of --math, channels last. What cannot run there (no torch.compile, say) is listed with its reason. Memory is
then that of the device: PyTorch's peak of allocated bytes, chiasm's arena with parameters and other states. The share
of a captured step in which the device waits is estimated from the sum that cuda_nodes_bench measures.

Writes bench/results/NAME.json and prints a table.
"""
import argparse
import copy
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from torch_networks import Network, read_recipe

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# Sizes at which the step fits a small machine. At 64 px the shallow network's last map has one pixel, so its 2 x 2
# readout (without padding) becomes 1 x 1.
NETWORKS = {"rgc_median": {"steps": 17}, "rgc_shallow": {"steps": 16, "readout_kernel": 1}}
# One pass of plain convolutions of the sizes that ResNet-18 has, made here: (channels, stride) of each.
RESNET18_SIZED = [(64, 1)] * 4 + [(128, 2)] + [(128, 1)] * 3 + [(256, 2)] + [(256, 1)] * 3 + [(512, 2)] + [(512, 1)] * 3
# Distances relative to the norm. Rounding of single precision over a network 17 steps deep stays below the first. A
# pooling window whose two largest values differ by less than that may pass its gradient to either: one of the 262144
# windows of conv1 at batch 16 is 3e-3 of the gradient of its kernel, so a single parameter may be off by the second.
AGREEMENT, WORST_GRADIENT = 1e-4, 2e-2
# Where factors are rounded to 11 or 8 bits, two ways to order sums differ by about a rounding at every layer-step: only
# the loss is held to a bound, of some ten roundings.
REDUCED_AGREEMENT = {"tf32": 1e-2, "bfloat16": 5e-2}


class Contestant:
    """A process that answers commands with JSON lines and sleeps in between."""

    def __init__(self, name, command, threads, environment=()):
        self.name, self.times, self.losses = name, [], []
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads),
                           **dict(environment))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)
        self.about = self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with status {self.process.wait()}")
        return json.loads(line)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self._answer()

    def step(self):
        answer = self.ask("step")
        self.times.append(answer["seconds"])
        self.losses.append(answer["loss"])

    def peak_resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def torch_command(python, threads, variant, recipe=None, data=None, memory_format="contiguous", more=()):
    files = ["--recipe", recipe, "--data", data] if recipe else []
    return [python, os.path.join(HERE, "torch_training_step.py"), "--variant", variant, "--format", memory_format,
            "--threads", str(threads), *files, *more]


def resnet18_sized(recipe):
    """`recipe` with a feedforward model in place of its own: every layer passes its result on at the next timestep."""
    layers = [{"name": "conv1", "pre": [{"op": "conv", "channels": 64, "kernel": 7, "stride": 2}, "relu"],
               "post": [{"op": "max_pool", "size": 2}]}]
    for i, (channels, stride) in enumerate(RESNET18_SIZED):
        conv = {"op": "conv", "channels": channels, "kernel": 3, "stride": stride}
        layers.append({"name": f"conv{i + 2}", "pre": [conv, "relu"]})
    layers.append({"name": "readout", "pre": [{"op": "global_average_pool"}, {"op": "linear", "units": 1000}]})
    recipe["model"] = {"image": [224, 224, 3], "step_ms": 10, "steps": len(layers), "blank": 0.5, "layers": layers,
                       "connections": []}
    return recipe


def spread_of(parameter, shape, readout):
    """About the recipes' initial weights, and biases that make the steps before the image arrives matter."""
    if len(shape) < 2:
        return 0.05
    if parameter.startswith(readout + "/"):
        return 0.01
    fan_in = np.prod(shape[:-1]) * (shape[-1] if parameter.endswith("/depthwise") else 1)
    return np.sqrt(0.64 / fan_in)


def write_inputs(folder, name, options):
    """The network's recipe with its size and steps filled in, and images, labels and weights for one batch."""
    settings = NETWORKS.get(name, {})
    if name == "resnet18_sized":
        recipe = resnet18_sized(read_recipe(os.path.join(ROOT, "models", "recipes", "rgc_median.json")))
        model = recipe["model"]
        model.update(image=[options.size, options.size, 3])
    else:
        recipe = read_recipe(os.path.join(ROOT, "models", "recipes", name + ".json"))
        model = recipe["model"]
        model.update(image=[options.size, options.size, 3], steps=options.steps or settings["steps"])
    if "readout_kernel" in settings:
        model["layers"][-1]["pre"][0]["kernel"] = settings["readout_kernel"]
    names = [layer["name"] for layer in model["layers"]]
    path, data = os.path.join(folder, name + ".json"), os.path.join(folder, name + ".npz")
    with open(path, "w") as f:
        json.dump(recipe, f)
    random = np.random.default_rng(0)
    arrays = {}
    for parameter, shape in Network(copy.deepcopy(model)).shapes().items():
        arrays[parameter] = (spread_of(parameter, shape, names[-1]) * random.standard_normal(shape)).astype(np.float32)
    arrays["image"] = random.standard_normal((options.batch, *model["image"])).astype(np.float32)
    readout = [s for s in model["layers"][-1]["pre"] if s["op"] in ("linear", "conv")][0]
    classes = readout.get("units", readout.get("channels"))
    arrays["label"] = random.integers(0, classes, options.batch).astype(np.int32)
    np.savez(data, **arrays)
    return path, data


def relative(actual, expected):
    scale = np.linalg.norm(expected.astype(np.float64))
    return float(np.linalg.norm(actual.astype(np.float64) - expected) / scale) if scale > 0 else float(np.any(actual))


def check_agreement(contestants, folder, math="float32"):
    """All have done one step. Distances from the first, which must be small."""
    results = []
    for i, contestant in enumerate(contestants):
        path = os.path.join(folder, f"result{i}.npz")
        contestant.ask("save " + path)
        results.append(dict(np.load(path)))
    distances = {}
    for contestant, result in zip(contestants[1:], results[1:]):
        if set(result) != set(results[0]):
            raise RuntimeError(f"{contestant.name}: other arrays, {sorted(set(result) ^ set(results[0]))}")
        d = {key: relative(result[key], results[0][key]) for key in result}
        gradients = {key: d.pop(key) for key in list(d) if key.startswith("optimizer/")}
        worst = max(gradients, key=gradients.get)
        found = {"loss": d["loss"], "logits": d["logits"], "worst_parameter": max(d.values()),
                 "median_gradient": statistics.median(gradients.values()), "worst_gradient": gradients[worst],
                 "worst_gradient_of": worst[len("optimizer/velocity/"):]}
        distances[contestant.name] = found
        if math != "float32":
            if found["loss"] > REDUCED_AGREEMENT[math]:
                raise RuntimeError(f"{contestant.name} disagrees with {contestants[0].name}: {found}")
            continue
        close = all(found[key] <= AGREEMENT for key in ("loss", "logits", "worst_parameter", "median_gradient"))
        if not (close and found["worst_gradient"] <= WORST_GRADIENT):
            raise RuntimeError(f"{contestant.name} disagrees with {contestants[0].name}: {found}")
    return distances


def faster_format(python, variant, recipe, data, threads):
    """The memory layout in which PyTorch is faster at this variant, and the median seconds of both."""
    pair = [Contestant(f, torch_command(python, threads, variant, recipe, data, f), threads)
            for f in ("contiguous", "channels_last")]
    for i in range(4):
        for contestant in pair:
            contestant.step()
    seconds = {c.name: statistics.median(c.times[1:]) for c in pair}
    for contestant in pair:
        contestant.close()
    return min(seconds, key=seconds.get), seconds


def contestants_of(recipe, data, options):
    """Processes with their weights loaded, and what PyTorch's two layouts took."""
    pythons = {"torch": options.python}
    if os.environ.get("CHIASM_BENCH_PYTHON"):
        pythons["other torch"] = os.environ["CHIASM_BENCH_PYTHON"]
    result, layouts = [], {}
    for label, python in pythons.items():
        for variant in ("plain", "pruned"):
            name = f"{label} {variant}"
            best, layouts[name] = faster_format(python, variant, recipe, data, options.threads)
            command = torch_command(python, options.threads, variant, recipe, data, best)
            result.append(Contestant(name, command, options.threads))
            result[-1].about["format"] = best
    for passes in options.passes:
        command = [options.program, "--recipe", recipe, "--data", data, "--threads", str(options.threads), "--passes",
                   passes]
        # The chiasm command sets this for itself.
        result.append(Contestant("chiasm " + passes, command, options.threads, {"GOMP_SPINCOUNT": "20000"}))
    return result, layouts


def on_cuda(recipe, data, math, options):
    """[(name, command, environment)] of the contestants on a GPU. Without one for PyTorch, it runs on the CPU."""
    python, torch_device = options.python, options.torch_device
    places = {"cuda": ["--device", "cuda", "--math", math], "cpu": ["--device", "cpu"]}[torch_device]
    result = []
    variants = [("pruned", "eager"), ("pruned", "graph"), ("pruned", "compile")]
    if "resnet" not in recipe:  # a feedforward network that is not pruned only repeats itself
        variants.insert(0, ("plain", "eager"))
    for variant, mode in variants:
        if mode in options.torch_modes and (torch_device == "cuda" or mode == "eager"):
            more = places + (["--mode", mode] if torch_device == "cuda" else [])
            command = torch_command(python, options.threads, variant, recipe, data, "channels_last", more)
            result.append((f"torch {variant} {mode} {math}", command, {}))
    for capture in ("off", "on"):
        command = [options.program, "--recipe", recipe, "--data", data, "--threads", str(options.threads), "--device",
                   options.device, "--math", math, "--capture", capture]
        result.append((f"chiasm {'captured' if capture == 'on' else 'enqueued'} {math}", command, {}))
    return result


def started(entries, threads):
    """Contestants that have done three steps, of which the first was saved and compared; what failed, and why."""
    contestants, failed = [], {}
    for name, command, environment in entries:
        try:
            contestants.append(Contestant(name, command, threads, environment))
            contestants[-1].step()
        except (RuntimeError, OSError, json.JSONDecodeError) as error:
            failed[name] = str(error)
            if contestants and contestants[-1].name == name:
                contestants.pop().close()
    return contestants, failed


def device_bytes(contestant):
    """The most device memory it had."""
    about = contestant.about
    if "arena_bytes" in about:
        return about["arena_bytes"] + about["state_bytes"]
    return contestant.ask("memory")["peak_device_bytes"]


def nodes_seconds(recipe, math, options):
    """The sum over the nodes of a step, each measured by itself; nothing without the bench."""
    if not os.path.exists(options.nodes_program):
        return None
    command = [options.nodes_program, "--quick", "--recipe", recipe, "--batch", str(options.batch), "--set",
               f"train.precision={json.dumps(math)}"] + (["--smoke"] if options.torch_device == "cpu" else [])
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        print(f"{options.nodes_program}: {run.stderr}", file=sys.stderr)
        return None
    return json.loads(run.stdout.splitlines()[-1])["sum_seconds"]


def measure_on_cuda(name, math, options, folder, machine):
    recipe, data = write_inputs(folder, name, options)
    contestants, failed = started(on_cuda(recipe, data, math, options), options.threads)
    agreement = check_agreement(contestants, folder, math)
    for _ in range(2):  # captures, and settles
        for contestant in list(contestants):
            try:
                contestant.step()
            except (RuntimeError, OSError, json.JSONDecodeError) as error:
                failed[contestant.name] = str(error)
                contestants.remove(contestant)
    if not any(c.name.startswith("chiasm") for c in contestants):
        raise RuntimeError(f"chiasm did not run: {failed}")
    before = machine.ask("ceiling")
    for contestant in contestants:
        contestant.times.clear()
    for _ in range(options.repetitions):
        for contestant in contestants:
            contestant.step()
    after = machine.ask("ceiling")
    gflop = contestants[-1].about["gflop"]
    ceiling = max(before["sgemm_gflops"], after["sgemm_gflops"])
    rows = {}
    for contestant in contestants:
        seconds = statistics.median(contestant.times)
        rows[contestant.name] = {
            "seconds": seconds, "fastest": min(contestant.times), "slowest": max(contestant.times),
            "share_of_sgemm": gflop / seconds / ceiling, "peak_device_bytes": device_bytes(contestant),
            "losses": contestant.losses, "about": contestant.about}
        if contestant.name.startswith("chiasm"):
            rows[contestant.name]["profile"] = contestant.ask("profile")
        contestant.close()
    busy = nodes_seconds(recipe, math, options)
    last = contestants[-1].name
    if busy is not None:
        rows[last].update(nodes_seconds=busy, idle_share=1 - busy / rows[last]["seconds"])
    steps = 0 if "resnet" in name else options.steps or NETWORKS[name]["steps"]
    return {"network": name, "size": options.size, "batch": options.batch, "steps": steps, "math": math,
            "threads": options.threads, "gflop": gflop, "agreement": agreement, "failed": failed,
            "torch_device": options.torch_device, "ceiling_before": before, "ceiling_after": after, "rows": rows,
            "disturbed": any(not 0.9 <= before[key] / after[key] <= 1.1 for key in before)}


def table_on_cuda(result):
    rows = result["rows"]
    last = rows[list(rows)[-1]]
    print(f"\n{result['network']}, {result['math']}: {result['size']} px, batch {result['batch']}, "
          f"{result['gflop']:.1f} GFLOP" + (" -- DISTURBED by other work" if result["disturbed"] else ""))
    print("| | median ms | fastest to slowest | time / chiasm | share of product | peak device MiB | / chiasm |\n"
          "|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        print(f"| {name} | {1e3 * row['seconds']:.3f} | {1e3 * row['fastest']:.3f} to {1e3 * row['slowest']:.3f} "
              f"| {row['seconds'] / last['seconds']:.2f} | {100 * row['share_of_sgemm']:.0f} % "
              f"| {row['peak_device_bytes'] / 2**20:.0f} | {row['peak_device_bytes'] / last['peak_device_bytes']:.2f} |")
    for name, why in result["failed"].items():
        print(f"{name} did not run: {why}")
    if "idle_share" in last:
        print(f"the device waits for {100 * last['idle_share']:.1f} % of the captured step (estimate)")


def measure(name, options, folder, machine):
    recipe, data = write_inputs(folder, name, options)
    contestants, layouts = contestants_of(recipe, data, options)
    for contestant in contestants:
        contestant.step()
    agreement = check_agreement(contestants, folder)
    before, products = machine.ask("ceiling"), [contestants[-1].ask("product")["sgemm_gflops"]]
    for contestant in contestants:
        contestant.step()
        contestant.times.clear()  # both steps so far were warm-up
    for i in range(options.repetitions):
        for contestant in contestants:
            contestant.step()
        print(f"{name}: repetition {i + 1} of {options.repetitions}", file=sys.stderr, flush=True)
    after = machine.ask("ceiling")
    products.append(contestants[-1].ask("product")["sgemm_gflops"])
    rows = {}
    gflop = contestants[-1].about["gflop"]  # after chiasm's passes: the work that the step needs, for all alike
    ceiling = max(before["sgemm_gflops"], after["sgemm_gflops"], *products)
    for contestant in contestants:
        seconds = statistics.median(contestant.times)
        rows[contestant.name] = {
            "seconds": seconds, "fastest": min(contestant.times), "slowest": max(contestant.times),
            "all_seconds": contestant.times, "share_of_sgemm": gflop / seconds / ceiling,
            "peak_resident_bytes": contestant.peak_resident_bytes(), "losses": contestant.losses,
            "about": contestant.about}
        if contestant.name.startswith("chiasm"):
            rows[contestant.name]["overhead"] = contestant.ask("overhead")
            rows[contestant.name]["profile"] = contestant.ask("profile")
        contestant.close()
    drift = {key: before[key] / after[key] for key in before}
    return {"network": name, "size": options.size, "batch": options.batch, "steps": options.steps or
            NETWORKS[name]["steps"], "threads": options.threads, "gflop": gflop, "agreement": agreement,
            "torch_layouts_seconds": layouts, "ceiling_before": before, "ceiling_after": after,
            "chiasm_sgemm_gflops": products, "disturbed": any(not 0.9 <= r <= 1.1 for r in drift.values()), "rows": rows}


def table(result):
    seconds = {name: row["seconds"] for name, row in result["rows"].items()}
    chiasm = list(seconds)[-1]
    print(f"\n{result['network']}: {result['size']} px, batch {result['batch']}, T = {result['steps']}, "
          f"{result['threads']} thread(s), {result['gflop']:.1f} GFLOP"
          + (" -- DISTURBED by other work" if result["disturbed"] else ""))
    first, last = result["ceiling_before"], result["ceiling_after"]
    ours = result["chiasm_sgemm_gflops"]
    print(f"ceilings before/after: sgemm of PyTorch {first['sgemm_gflops']:.0f}/{last['sgemm_gflops']:.0f}, of chiasm "
          f"{ours[0]:.0f}/{ours[1]:.0f} GFLOP/s, "
          f"copy {first['copy_gbytes_per_s']:.1f}/{last['copy_gbytes_per_s']:.1f} GB/s\n")
    print(f"| | median s | fastest to slowest | time / {chiasm} | share of sgemm | peak resident MiB "
          "| of that before the network |\n|---|---|---|---|---|---|---|")
    for name, row in result["rows"].items():
        detail = f" ({row['about']['format']})" if "format" in row["about"] else ""
        base = row["about"].get("resident_bytes_before_network")
        print(f"| {name}{detail} | {row['seconds']:.3f} | {row['fastest']:.3f} to {row['slowest']:.3f} "
              f"| {row['seconds'] / seconds[chiasm]:.2f} | {100 * row['share_of_sgemm']:.0f} % "
              f"| {row['peak_resident_bytes'] / 2**20:.0f} | {'-' if base is None else round(base / 2**20)} |")


def git(*words):
    try:
        run = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False)
        return run.stdout.strip() if run.returncode == 0 else "unknown"
    except FileNotFoundError:  # in a bundle there is neither git nor a repository
        return "unknown"


def machine_facts():
    with open("/proc/cpuinfo") as f:
        models = {line.split(":", 1)[1].strip() for line in f if line.startswith("model name")}
    return {"processor": sorted(models), "cores": os.cpu_count(), "system": platform.platform(),
            "load_average": os.getloadavg(), "commit": git("rev-parse", "HEAD"),
            "changed_files": len(git("status", "--porcelain").splitlines()), "python": sys.version.split()[0]}


def write_results(name, results):
    """A name without a folder goes to bench/results; anything else is a path."""
    path = name if os.path.dirname(name) else os.path.join(ROOT, "bench", "results", name + ".json")
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w") as f:
        json.dump(results, f, indent=1)
    return path


def main_on_cuda(options):
    options.nodes_program = options.nodes_program or os.path.join(os.path.dirname(options.program), "cuda_nodes_bench")
    results = {"machine": machine_facts(), "device": options.device, "networks": []}
    for math in options.math:
        more = ["--device", options.torch_device] + (["--math", math] if options.torch_device == "cuda" else [])
        command = torch_command(options.python, options.threads, "machine", more=more)
        machine = Contestant("machine", command, options.threads)
        results["torch"] = machine.about["torch"]
        with tempfile.TemporaryDirectory() as folder:
            for name in (options.networks or "rgc_median,resnet18_sized").split(","):
                results["networks"].append(measure_on_cuda(name, math, options, folder, machine))
                table_on_cuda(results["networks"][-1])
                write_results(options.output, results)  # what is known so far
        machine.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="name of the JSON below bench/results, without .json")
    parser.add_argument("--networks", help="default: " + ",".join(NETWORKS) + "; on CUDA rgc_median,resnet18_sized")
    parser.add_argument("--size", type=int, default=64, help="pixels")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=0, help="timesteps; 0: as published")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--passes", nargs="+", default=["all"],
                        help="chiasm's graph passes, one contestant each; the last is the one compared with")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "bench", "training_step_bench"))
    parser.add_argument("--device", default="cpu", help="cpu or cuda:N")
    parser.add_argument("--math", nargs="+", default=["float32", "tf32", "bfloat16"], help="arithmetic on CUDA")
    parser.add_argument("--torch-modes", nargs="+", default=["eager", "graph", "compile"])
    parser.add_argument("--torch-device", choices=["cpu", "cuda"], default="cuda",
                        help="cpu: for trying --device cuda on an emulated device; no number means anything then")
    parser.add_argument("--nodes-program", help="default: cuda_nodes_bench beside --program")
    options = parser.parse_args()
    if options.device != "cpu":
        main_on_cuda(options)
        return
    options.networks = options.networks or ",".join(NETWORKS)
    machine = Contestant("machine", torch_command(options.python, options.threads, "machine"), options.threads)
    results = {"machine": machine_facts(), "torch": machine.about["torch"],
               "other_torch": os.environ.get("CHIASM_BENCH_PYTHON", "not available"), "networks": []}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.networks.split(","):
            results["networks"].append(measure(name, options, folder, machine))
            table(results["networks"][-1])
    machine.close()
    path = write_results(options.output, results)
    print(f"\n{os.path.relpath(path)}; another PyTorch (CHIASM_BENCH_PYTHON): {results['other_torch']}")


if __name__ == "__main__":
    main()
