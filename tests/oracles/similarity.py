# SPDX-License-Identifier: Apache-2.0
"""Dissimilarity matrices against SciPy and scikit-learn, and centred kernel alignment and scaling by their definitions."""
import numpy as np
from scipy.spatial.distance import pdist
from sklearn.covariance import LedoitWolf

from golden import Golden
from hashed import hashed

golden = Golden("similarity")


def matrix(name, rows, columns):
    return hashed(name, rows * columns).reshape(rows, columns)


# 70 items: more than one tile; 600 units: more than one chunk. Only some of the 2415 distances are kept.
x = 3.0 * matrix("x", 70, 600) + matrix("units", 1, 600) + 0.5
for measure in ("correlation", "euclidean", "sqeuclidean", "cosine"):
    golden.add(f"distance/{measure}", pdist(x, measure)[::23])


def noise(name, trials, units, degrees):
    """Correlated noise; the covariance that is inverted is rescaled to the degrees of freedom."""
    rows = matrix(name, trials, units)
    rows[:, 1:] += 0.5 * rows[:, :-1]
    fit = LedoitWolf(assume_centered=True).fit(rows)
    covariance = fit.covariance_ * trials / degrees
    items = matrix(name + "/items", 9, units)
    golden.add(f"noise/{name}/shrinkage", np.array([fit.shrinkage_, np.trace(covariance) / units]))
    golden.add(f"noise/{name}/distance", pdist(items, "mahalanobis", VI=np.linalg.inv(covariance)))


noise("tall", 60, 11, 50)
noise("wide", 20, 33, 15)


def cross_validated(name, repeats, units, items, missing, covariance_of):
    trials = np.array([matrix(f"{name}/{r}", items, units) + matrix(name, items, units) for r in range(repeats)])
    for r, item in missing:
        trials[r, item, 0] = np.nan
    there = np.isfinite(trials).all(2)
    deviations = []
    for item in range(items):
        rows = trials[there[:, item], item]
        if len(rows) > 1:
            deviations.append(rows - rows.mean(0))
    degrees = sum(len(d) - 1 for d in deviations)
    deviations = np.concatenate(deviations)
    if covariance_of:
        covariance = LedoitWolf(assume_centered=True).fit(deviations).covariance_ * len(deviations) / degrees
    else:
        covariance = np.eye(units)
    precision = np.linalg.inv(covariance)
    out = []
    for i in range(items):
        for j in range(i + 1, items):
            folds = []
            for r in range(repeats):
                others = [s for s in range(repeats) if s != r]
                if not (there[r, i] and there[r, j] and there[others, i].any() and there[others, j].any()):
                    continue
                a = trials[r, i] - trials[r, j]
                b = [trials[[s for s in others if there[s, k]], k].mean(0) for k in (i, j)]
                folds.append(a @ precision @ (b[0] - b[1]))
            out.append(np.mean(folds) if folds else np.nan)
    golden.add(f"cross/{name}", np.array(out))


gaps = [(0, 1), (2, 1), (0, 3), (1, 3), (2, 3), (3, 3), (1, 4), (2, 4), (3, 4)]  # item 3 is never there, item 4 once
cross_validated("euclidean", 3, 8, 6, [], False)
cross_validated("mahalanobis", 4, 8, 7, [], True)
cross_validated("gaps", 4, 8, 7, gaps, True)


def alignment(name, n, p, q):
    a, b = matrix(name + "/a", n, p), matrix(name + "/b", n, q)
    b[:, :min(p, q)] += a[:, :min(p, q)]

    def song(k, l):  # on matrices that are not centred
        k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
        one = np.ones(n)
        sums = (one @ k @ one) * (one @ l @ one) / (n - 1) / (n - 2) - 2 / (n - 2) * (one @ k @ l @ one)
        return (np.trace(k @ l) + sums) / n / (n - 3)

    ca, cb = a - a.mean(0), b - b.mean(0)
    norm = np.linalg.norm
    k, l = a @ a.T, b @ b.T
    golden.add("cka/" + name, np.array([norm(ca.T @ cb) ** 2 / norm(ca.T @ ca) / norm(cb.T @ cb),
                                        song(k, l) / np.sqrt(song(k, k) * song(l, l))]))


alignment("wide", 12, 40, 25)
alignment("tall", 30, 4, 7)

d = pdist(matrix("points", 8, 3))
d[0] = 5.0  # not Euclidean: longer than by way of a third point
square = np.zeros((8, 8))
square[np.triu_indices(8, 1)] = d
square += square.T
centre = np.eye(8) - 1 / 8
values, vectors = np.linalg.eigh(-0.5 * centre @ square**2 @ centre)
points = vectors[:, ::-1][:, :3] * np.sqrt(values[::-1][:3])
points *= np.sign(np.take_along_axis(points, np.abs(points).argmax(0)[None], 0))
golden.add("mds/distances", d)
golden.add("mds/values", values[::-1])
golden.add("mds/points", points)
golden.write()
