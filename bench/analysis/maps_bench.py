# SPDX-License-Identifier: Apache-2.0
"""Fits of maps and of principal components beside scikit-learn and NumPy.

    /usr/bin/python3 bench/analysis/maps_bench.py --output NAME [--threads N] [--repetitions N] [--only pls,ridge,pca]

Needs build/bench/maps_bench, NumPy, SciPy and scikit-learn. Each contestant is a process of its own that waits while
the others compute; they take turns, A B C A B C, after a small fit to warm up. Their first predictions (variances, for
principal components) must agree. A fit begins with raw matrices in memory and ends with predictions. Seconds are of the
wall; processor seconds are beside them, because other work on the machine stretches only the former. Peak memory is
VmHWM of the process, with what it was after the small fit beside it.

Writes bench/results/NAME.json and prints a table.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ALPHAS = [10.0 ** k for k in range(-4, 6)]
PROBLEMS = {
    "pls": {"method": "pls", "rows": 3840, "units": 4096, "targets": 168, "tests": 960, "components": 25,
            "dtype": "float32"},
    "pls_float64": {"method": "pls", "rows": 3840, "units": 4096, "targets": 168, "tests": 960, "components": 25,
                    "dtype": "float64"},
    "ridge": {"method": "ridge", "rows": 1000, "units": 2000, "targets": 2000, "tests": 250, "alphas": ALPHAS,
              "dtype": "float64"},
    "ridge_float32": {"method": "ridge", "rows": 1000, "units": 2000, "targets": 2000, "tests": 250, "alphas": ALPHAS,
                      "dtype": "float32"},
    "pca": {"method": "pca", "rows": 1320, "units": 25088, "targets": 1000, "tests": 0, "dtype": "float32"},
}
# The first of each is the one that the others' values are compared with. A loop over Ridge, one fit per penalty and
# fold, takes nearly three times the processor time of RidgeCV and is left out.
CONTESTANTS = {"pls": ["sklearn"], "ridge": ["sklearn RidgeCV", "numpy eigh"],
               "pca": ["sklearn full", "sklearn auto", "numpy eigh"]}
# Relative to the norm. Both sides stop the iteration of PLS at the same round.
AGREEMENT = {"pls": 1e-6, "ridge": 1e-6, "pca": 1e-3}


def data(problem):
    """Features with a spectrum that falls as it does in networks, and targets that depend on them with noise."""
    import numpy as np
    random = np.random.default_rng(0)
    n, p, q, tests = (problem[k] for k in ("rows", "units", "targets", "tests"))
    rank = min(400, p)
    latent = random.standard_normal((n + tests, rank)) * (1 + np.arange(rank)) ** -0.5
    x = latent @ random.standard_normal((rank, p)) / 3 + random.standard_normal((n + tests, p)) + 1
    if problem["method"] == "pca":
        return x, x[:, :1]
    y = latent @ random.standard_normal((rank, q)) * 0.5 + random.standard_normal((n + tests, q))
    return x, y[:n]


def numpy_ridge(x, y, new, alphas):
    """What a careful user writes: one eigendecomposition of the Gram matrix, errors in closed form."""
    import numpy as np
    import scipy.linalg
    n = len(x)
    mean_x, mean_y = x.mean(0), y.mean(0)
    x, y = x - mean_x, y - mean_y
    values, vectors = scipy.linalg.eigh(x @ x.T, driver="evd", check_finite=False)
    along, squares = vectors.T @ y, vectors ** 2
    errors = []
    for alpha in alphas:
        residual = y - vectors @ ((values / (values + alpha))[:, None] * along)
        slack = 1 - 1 / n - squares @ (values / (values + alpha))
        errors.append(((residual / slack[:, None]) ** 2).sum(0))
    chosen = np.asarray(alphas, x.dtype)[np.argmin(errors, 0)]
    dual = vectors @ (along / (values[:, None] + chosen))
    return ((new - mean_x) @ x.T) @ dual + mean_y


def numpy_pca(x, components):
    import numpy as np
    import scipy.linalg
    x = x.astype(np.float64)
    x -= x.mean(0)
    values, vectors = scipy.linalg.eigh(x @ x.T, driver="evd", check_finite=False)
    values, vectors = values[::-1][:components], vectors[:, ::-1][:, :components]
    loadings = (vectors / np.sqrt(values)).T @ x
    assert loadings.shape == (components, x.shape[1])
    return values / (len(x) - 1)


def fit(name, problem, x, y):
    n = problem["rows"]
    train, new, alphas = x[:n], x[n:], problem.get("alphas")
    if problem["method"] == "pls":
        from sklearn.cross_decomposition import PLSRegression
        return PLSRegression(problem["components"], scale=False).fit(train, y).predict(new)
    if name == "sklearn RidgeCV":
        from sklearn.linear_model import RidgeCV
        return RidgeCV(alphas, alpha_per_target=True).fit(train, y).predict(new)
    if problem["method"] == "ridge":
        return numpy_ridge(train, y, new, alphas)
    if name == "numpy eigh":
        return numpy_pca(train, problem["targets"])
    from sklearn.decomposition import PCA
    return PCA(problem["targets"], svd_solver=name.split()[1], random_state=0).fit(train).explained_variance_


def serve(name):
    """A process that answers requests on its input, one fit each."""
    import numpy as np
    import scipy.linalg  # noqa: F401
    import sklearn.cross_decomposition, sklearn.decomposition, sklearn.linear_model  # noqa: E401, F401
    import warnings
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        problem = json.loads(line)
        dtype, folder = np.dtype(problem["dtype"]), problem["folder"]
        x = np.fromfile(folder + "/x.bin", dtype).reshape(-1, problem["units"])
        y = np.fromfile(folder + "/y.bin", dtype).reshape(problem["rows"], -1)
        start = time.perf_counter()
        result = fit(name, problem, x, y)
        seconds = time.perf_counter() - start
        np.asarray(result, np.float64 if problem["method"] == "pca" else dtype).tofile(folder + "/predictions.bin")
        print(json.dumps({"seconds": seconds}), flush=True)


class Contestant:
    def __init__(self, name, threads):
        self.name, self.seconds, self.processor = name, [], []
        command = ([os.path.join(ROOT, "build", "bench", "maps_bench"), str(threads)] if name == "chiasm" else
                   [sys.executable, os.path.abspath(__file__), "--serve", name])
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
        if name == "chiasm":
            environment["GOMP_SPINCOUNT"] = "20000"  # the chiasm command sets this for itself
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)

    def fit(self, problem):
        self.process.stdin.write(json.dumps(problem) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with status {self.process.wait()}")
        return json.loads(line)["seconds"]

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(name, options):
    import numpy as np
    problem = dict(PROBLEMS[name])
    method, dtype = problem["method"], np.dtype(problem["dtype"])
    small = dict(problem, rows=problem["rows"] // 8, units=problem["units"] // 8, targets=problem["targets"] // 8)
    with tempfile.TemporaryDirectory() as folder:
        for inside in (small, problem):
            inside["folder"] = os.path.join(folder, str(inside["rows"]))
            os.mkdir(inside["folder"])
            x, y = data(inside)
            x.astype(dtype).tofile(inside["folder"] + "/x.bin")
            y.astype(dtype).tofile(inside["folder"] + "/y.bin")
        del x, y
        contestants = [Contestant(c, options.threads) for c in CONTESTANTS[method] + ["chiasm"]]
        for contestant in contestants:
            contestant.fit(small)
        base = {c.name: c.peak_resident_bytes() for c in contestants}
        reference, agreement = None, {}
        for turn in range(options.repetitions):
            for contestant in contestants:
                before = contestant.processor_seconds()
                contestant.seconds.append(contestant.fit(problem))
                contestant.processor.append(contestant.processor_seconds() - before)
                if turn > 0:
                    continue
                found = np.fromfile(problem["folder"] + "/predictions.bin", np.float64 if method == "pca" else dtype)
                found = found.astype(np.float64)
                reference = found if reference is None else reference
                agreement[contestant.name] = float(np.linalg.norm(found - reference) / np.linalg.norm(reference))
        limit = AGREEMENT[method] if dtype == np.float64 or method == "pca" else 1e-3
        if agreement["chiasm"] > limit:
            raise RuntimeError(f"{name}: chiasm is {agreement['chiasm']:.1e} from {contestants[0].name}")
        rows = {c.name: {"seconds": statistics.median(c.seconds), "all_seconds": c.seconds,
                         "processor_seconds": statistics.median(c.processor),
                         "distance": agreement[c.name], "peak_resident_bytes": c.peak_resident_bytes(),
                         "resident_bytes_after_small_fit": base[c.name]} for c in contestants}
        for contestant in contestants:
            contestant.close()
    own = rows["chiasm"]["seconds"]
    best = min(row["seconds"] for other, row in rows.items() if other != "chiasm")
    del problem["folder"]
    print(f"\n{name}: {problem}\n| | median s | time / chiasm | processor s | distance | peak MiB "
          "| after the small fit |\n|---|---|---|---|---|---|---|")
    for other, row in rows.items():
        print(f"| {other} | {row['seconds']:.3f} | {row['seconds'] / own:.2f} | {row['processor_seconds']:.2f} "
              f"| {row['distance']:.1e} | {row['peak_resident_bytes'] / 2**20:.0f} "
              f"| {row['resident_bytes_after_small_fit'] / 2**20:.0f} |", flush=True)
    return {"name": name, "problem": problem, "threads": options.threads, "best_other_over_chiasm": best / own,
            "rows": rows}


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False).stdout.strip()


def machine_facts():
    import numpy
    import scipy
    import sklearn
    with open("/proc/cpuinfo") as f:
        models = {line.split(":", 1)[1].strip() for line in f if line.startswith("model name")}
    return {"processor": sorted(models), "cores": os.cpu_count(), "system": platform.platform(),
            "load_average": os.getloadavg(), "commit": git("rev-parse", "HEAD"),
            "changed_files": len(git("status", "--porcelain").splitlines()), "python": sys.version.split()[0],
            "numpy": numpy.__version__, "scipy": scipy.__version__, "sklearn": sklearn.__version__}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", help="name of the JSON below bench/results, without .json")
    parser.add_argument("--only", default=",".join(PROBLEMS))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.serve)
    results = {"machine": machine_facts(), "fits": [measure(name, options) for name in options.only.split(",")]}
    if options.output:
        with open(os.path.join(ROOT, "bench", "results", options.output + ".json"), "w") as f:
            json.dump(results, f, indent=1)


if __name__ == "__main__":
    main()
