# SPDX-License-Identifier: Apache-2.0
"""The elastic-net grid of the MEC studies beside scikit-learn's coordinate descent on a sample of it.

    python3 bench/analysis/elastic_net_grid.py --output NAME [--units 8] [--ratios 3] [--repeats 3]

chiasm fits the whole grid (99 alphas x 100 ratios, two folds) of some units to the minimum. scikit-learn follows alpha
with warm starts (enet_path, precomputed Gram matrix), at its default tolerance of 1e-4 and 1000 sweeps, for one unit,
one fold and a few ratios. Both in turns, on one thread, timed by processor time because other work may run beside them.
The time of all of 600 units, 10 splits, two folds is scaled from those, and the JSON says so. Scores of both are
compared where scikit-learn comes to the minimum at a tight tolerance. Writes bench/results/NAME.json.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
import warnings

import numpy as np
from sklearn.linear_model import ElasticNet, enet_path

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FITS = 600 * 10 * 2  # units, splits, folds


def processor():
    with open("/proc/cpuinfo") as f:
        return next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "unknown")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", required=True)
    parser.add_argument("--units", type=int, default=8)
    parser.add_argument("--ratios", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "bench", "elastic_net_grid_bench"))
    a = parser.parse_args()
    warnings.simplefilter("ignore")
    alphas, ratios = 10.0 ** np.linspace(-9, 9, 99), np.r_[1e-16, np.linspace(0.01, 1, 99)]
    chosen = np.linspace(10, 90, a.ratios).astype(int)
    ours, theirs = [], []
    for _ in range(a.repeats):
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run([a.program, folder, "--units", str(a.units), "--threads", "1"], check=True,
                                 capture_output=True, text=True)
            ours.append(json.loads(run.stdout))
            x = np.fromfile(folder + "/x.f64").reshape(80, 600)
            y = np.fromfile(folder + "/y.f64").reshape(80, -1)
            scores = np.fromfile(folder + "/scores.f64").reshape(-1, 99, 100)
        train, test = slice(40, 80), slice(0, 40)
        xc, yc = np.asfortranarray(x[train] - x[train].mean(0)), y[train, 0] - y[train, 0].mean()
        gram = xc.T @ xc
        start = time.process_time()
        for ratio in ratios[chosen]:
            _, weights, _ = enet_path(xc, yc, l1_ratio=ratio, alphas=alphas / 40, precompute=gram, Xy=xc.T @ yc,
                                      check_input=False)
            x[test] @ weights
        theirs.append(time.process_time() - start)

    largest = 0.0  # difference of scores at a tight tolerance, both folds
    for alpha, ratio in ((50, 30), (55, 60), (58, 90)):
        r = []
        for train, test in ((slice(40, 80), slice(0, 40)), (slice(0, 40), slice(40, 80))):
            fit = ElasticNet(alpha=alphas[alpha] / 40, l1_ratio=ratios[ratio], tol=1e-11, max_iter=200000)
            fit.fit(x[train], y[train, 0])
            r.append(np.corrcoef(fit.predict(x[test]), y[test, 0])[0, 1])
        largest = max(largest, abs(np.mean(r) - scores[0, alpha, ratio]))

    fit_ours = [run["processor_seconds"] / a.units / 2 for run in ours]  # a unit and a fold, the whole grid
    fit_theirs = [t * 100 / a.ratios for t in theirs]
    result = {
        "machine": {"processor": processor(), "cores": os.cpu_count(), "system": platform.platform(),
                    "load_average": os.getloadavg()},
        "problem": "600 sources, 40 rows a fold, 99 alphas x 100 ratios; processor seconds on one thread",
        "sample": {"chiasm": f"{a.units} units, 2 folds, whole grid, to the minimum",
                   "scikit-learn": f"1 unit, 1 fold, {a.ratios} of 100 ratios, tolerance 1e-4, at most 1000 sweeps"},
        "runs": a.repeats,
        "grid_of_a_unit_and_fold_seconds": {"chiasm": fit_ours, "scikit-learn, scaled": fit_theirs},
        "scikit-learn_over_chiasm": statistics.median(fit_theirs) / statistics.median(fit_ours),
        "scaled_to_600_units_10_splits_2_cores_seconds": {
            "chiasm": statistics.median(fit_ours) * FITS / 2, "scikit-learn": statistics.median(fit_theirs) * FITS / 2},
        "not_converged": ours[-1]["not_converged"],
        "largest_difference_of_r_at_tight_tolerance": largest,
    }
    with open(os.path.join(ROOT, "bench", "results", a.output + ".json"), "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    print(json.dumps(result, indent=1))


main()
