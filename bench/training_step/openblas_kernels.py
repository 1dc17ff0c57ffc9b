# SPDX-License-Identifier: Apache-2.0
"""What OpenBLAS's choice of kernels costs a training step.

    python3 bench/training_step/openblas_kernels.py --output NAME [--network rgc_median] [--kernels Prescott,Haswell] ...

OpenBLAS picks its kernels from a table of the processors it knew, and falls back to kernels for SSE3 on later ones:
forcing those (Prescott) shows on any machine what that costs. The same program does the same steps under each name of
--kernels and under OpenBLAS's own choice, in turns, each in a process of its own that sleeps while the others compute.
Baseline: the fastest of them in the same run. Exit status 1 when a step under any of them takes more than 1.1 times as
long.

Needs build/bench/training_step_bench. Writes bench/results/NAME.json and prints a table.
"""
import argparse
import os
import statistics
import sys
import tempfile

from compare import ROOT, Contestant, machine_facts, write_inputs, write_results

ALLOWED = 1.1
OWN = "OpenBLAS's own choice"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--network", default="rgc_median")
    parser.add_argument("--kernels", default="Prescott,Haswell,SkylakeX", type=lambda text: text.split(","))
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=0, help="timesteps; 0: those of the network")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "bench", "training_step_bench"))
    options = parser.parse_args()

    os.environ.pop("OPENBLAS_CORETYPE", None)
    with tempfile.TemporaryDirectory() as folder:
        recipe, data = write_inputs(folder, options.network, options)
        command = [options.program, "--recipe", recipe, "--data", data, "--threads", str(options.threads)]
        names = {OWN: {}, **{core: {"OPENBLAS_CORETYPE": core} for core in options.kernels}}
        contestants = [Contestant(name, command, options.threads, {"GOMP_SPINCOUNT": "20000", **more})
                       for name, more in names.items()]
        for contestant in contestants:
            contestant.step()
            contestant.times.clear()
        for _ in range(options.repetitions):
            for contestant in contestants:
                contestant.step()
        for contestant in contestants:
            contestant.close()
    seconds = {c.name: statistics.median(c.times) for c in contestants}
    best = min(seconds.values())
    rows = {c.name: {"seconds": seconds[c.name], "fastest": min(c.times), "slowest": max(c.times),
                     "against_fastest": seconds[c.name] / best} for c in contestants}
    path = write_results(options.output, {"machine": machine_facts(), "network": options.network, "size": options.size,
                                          "batch": options.batch, "threads": options.threads, "rows": rows})
    print("| kernels of OpenBLAS | median s | fastest to slowest | against the fastest |\n|---|---|---|---|")
    for name, row in rows.items():
        print(f"| {name} | {row['seconds']:.3f} | {row['fastest']:.3f} to {row['slowest']:.3f} "
              f"| {row['against_fastest']:.2f} |")
    print(path, file=sys.stderr)
    return int(max(seconds.values()) > ALLOWED * best)


if __name__ == "__main__":
    sys.exit(main())
