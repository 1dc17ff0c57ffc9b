# SPDX-License-Identifier: Apache-2.0
"""Object solution times of one model: chiasm against scikit-learn on the same features, in seconds of all cores together.

    python3 bench/analysis/object_solution_times.py BENCH [--units N] [--power P] [--repeats N] [--out FILE.json]

BENCH is the program object_solution_times_bench. It runs with 2 bins and 10, then 30 splits, which gives what a bin and
what a readout (a split of a bin) cost; scikit-learn runs one readout: PCA to 1000 components of 1000 training images,
LinearSVC with C = 5e4 and its default tolerance and 1000 rounds, a sigmoid for each class. Both are scaled to 19 bins of
200 splits. Runs alternate."""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
import warnings

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # threads that wait for others are no work

import numpy as np
import sklearn
from sklearn.calibration import _SigmoidCalibration
from sklearn.decomposition import PCA
from sklearn.svm import LinearSVC

IMAGES, CLASSES, BINS, SPLITS = 1320, 10, 19, 200

parser = argparse.ArgumentParser()
parser.add_argument("bench")
parser.add_argument("--units", type=int, default=25088)
parser.add_argument("--power", type=float, default=1.0)
parser.add_argument("--repeats", type=int, default=2)
parser.add_argument("--out")
options = parser.parse_args()


def chiasm(trials, features):
    command = [options.bench, "--units", options.units, "--bins", 2, "--trials", trials, "--power", options.power,
               "--threads", 2, "--out", features]
    environment = dict(os.environ, OMP_WAIT_POLICY="passive")
    return json.loads(subprocess.run([str(part) for part in command], env=environment, check=True,
                                     capture_output=True).stdout)


def scikit_learn(features, seed):
    x = np.fromfile(features, np.float32).reshape(IMAGES, options.units)
    labels = np.arange(IMAGES) // (IMAGES // CLASSES)
    rng = np.random.default_rng(seed)
    train = np.concatenate([rng.permutation(np.flatnonzero(labels == k))[:100] for k in range(CLASSES)])
    test = np.setdiff1d(np.arange(IMAGES), train)
    begin = time.process_time()
    pca = PCA(1000, svd_solver="full").fit(x[train])
    z = pca.transform(x)
    components = time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        svm = LinearSVC(C=5e4).fit(z[train], labels[train])
    machines = time.process_time()
    margins = svm.decision_function(z)
    p = np.stack([_SigmoidCalibration().fit(margins[train, k], labels[train] == k).predict(margins[test, k])
                  for k in range(CLASSES)], 1)
    end = time.process_time()
    return {"seconds": end - begin, "components": components - begin, "machines": machines - components,
            "sigmoids": end - machines, "converged": not caught, "accuracy": float(np.mean(p.argmax(1) == labels[test]))}


runs = []
with tempfile.TemporaryDirectory() as folder:
    features = os.path.join(folder, "features.f32")
    for repeat in range(options.repeats):
        few, many = chiasm(1, features), chiasm(3, features)
        readout = (many["cpu_seconds"] - few["cpu_seconds"]) / 40
        runs.append({"chiasm_few": few, "chiasm_many": many, "chiasm_readout": readout,
                     "chiasm_bin": few["cpu_seconds"] / 2 - 10 * readout, "scikit_learn": scikit_learn(features, repeat)})

median = lambda values: statistics.median(list(values))
ours = median(BINS * (r["chiasm_bin"] + SPLITS * r["chiasm_readout"]) for r in runs)
theirs = median(BINS * SPLITS * r["scikit_learn"]["seconds"] for r in runs)
result = {"what": "object solution times, 1320 images, 19 bins, 20 x 10 splits, C = 5e4; CPU seconds, scaled up",
          "units": options.units, "power": options.power, "scikit_learn_version": sklearn.__version__,
          "chiasm_cpu_seconds": ours, "scikit_learn_cpu_seconds": theirs, "ratio": theirs / ours,
          # What chiasm's readouts take, all of it, against scikit-learn's after the principal components.
          "ratio_without_components": median(r["scikit_learn"]["machines"] + r["scikit_learn"]["sigmoids"] for r in runs)
          / median(r["chiasm_readout"] for r in runs),
          "runs": runs}
text = json.dumps(result, indent=1)
if options.out:
    with open(options.out, "w") as f:
        f.write(text + "\n")
print(text)
