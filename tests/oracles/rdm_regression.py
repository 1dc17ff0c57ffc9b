# SPDX-License-Identifier: Apache-2.0
"""Regression of dissimilarity matrices with scipy.optimize.nnls fold by fold, and its signatures over random folds; and
the two-way analysis of variance as comparisons of least-squares models with explicit designs."""
import itertools

import numpy as np
from scipy import stats
from scipy.optimize import nnls
from sklearn.model_selection import KFold

from golden import Golden

rng = np.random.default_rng(7)
golden = Golden("rdm_regression")


def dissimilarities(responses):
    return (1 - np.corrcoef(responses))[np.triu_indices(len(responses), 1)]


def regress(items, regressors, target, folds):
    """Weights and intercept per fold, the mean prediction and its r."""
    i, k = np.triu_indices(items, 1)
    finite = np.isfinite(target) & np.isfinite(regressors).all(0)
    total, times, weights, intercepts = np.zeros(len(i)), np.zeros(len(i)), [], []
    for fold in folds:
        held = np.isin(i, fold) | np.isin(k, fold)
        train = ~held & finite
        x = np.vstack([regressors[:, train], np.ones(train.sum()), -np.ones(train.sum())]).T
        solution = nnls(x, target[train])[0]
        weights.append(solution[:-2])
        intercepts.append(solution[-2] - solution[-1])
        total[held] += weights[-1] @ regressors[:, held] + intercepts[-1]
        times[held] += 1
    predicted = np.where(finite, total / times, np.nan)
    return np.array(weights), np.array(intercepts), predicted, np.corrcoef(predicted[finite], target[finite])[0, 1]


items, layers, areas = 14, 5, 3
features = [rng.standard_normal((items, 9)) for _ in range(layers)]
regressors = np.array([dissimilarities(f) for f in features])
mix = [np.hstack([features[0], 0.7 * features[3]]), np.hstack([features[1], features[2], features[4]]), features[2]]
targets = np.array([dissimilarities(np.hstack([m, rng.standard_normal((items, 6))])) for m in mix])
targets[2, 5] = np.nan
golden.add("regressors", regressors)
golden.add("targets", targets)
folds = [test for _, test in KFold(4, shuffle=True, random_state=3).split(np.zeros(items))]
for t in range(areas):
    weights, intercepts, predicted, r = regress(items, regressors, targets[t], folds)
    golden.add(f"target{t}/weights", weights)
    golden.add(f"target{t}/intercepts", intercepts)
    golden.add(f"target{t}/predicted", np.nan_to_num(predicted, nan=-1.0))
    golden.add(f"target{t}/r", r)

# Signatures of three tasks (layers 0 and 1, layer 2, layers 3 and 4) over 25 splits into six folds.
groups = np.array([0, 0, 1, 2, 2])
contrasts = np.array([[1, -1, 0], [-0.5, -0.5, 1]])
for t in range(areas):
    by_split, r2 = [], []
    for seed in range(25):
        folds = [test for _, test in KFold(6, shuffle=True, random_state=seed).split(np.zeros(items))]
        weights, _, _, r = regress(items, regressors, targets[t], folds)
        by_split.append([weights[:, groups == g].mean() for g in range(3)])
        r2.append(r * r)
    by_split = np.array(by_split)
    golden.add(f"target{t}/signature", by_split.mean(0))
    golden.add(f"target{t}/deviation", by_split.std(0, ddof=1))
    golden.add(f"target{t}/contrast", (by_split @ contrasts.T).mean(0))
    golden.add(f"target{t}/positive", (by_split @ contrasts.T > 0).mean(0))
    golden.add(f"target{t}/r2", np.mean(r2))


def anova(name, a, b, y):
    """Types II and III, F and p of a, b and their interaction, each as the difference of two fits."""
    levels_a, levels_b = a.max() + 1, b.max() + 1

    def residual(*blocks):
        x = np.hstack([np.ones((len(y), 1))] + list(blocks))
        return np.sum((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2), np.linalg.matrix_rank(x)

    def sum_to_zero(labels, levels):
        return np.eye(levels)[labels][:, :-1] - np.eye(levels)[labels][:, -1:]

    ea, eb = sum_to_zero(a, levels_a), sum_to_zero(b, levels_b)
    both = np.hstack([ea[:, [i]] * eb[:, [k]] for i, k in itertools.product(range(levels_a - 1), range(levels_b - 1))])
    full = residual(ea, eb, both)
    freedom = len(y) - full[1]
    additive = residual(ea, eb)
    without = {"two": [residual(eb), residual(ea)], "three": [residual(eb, both), residual(ea, both)]}
    golden.add(name + "/a", a)
    golden.add(name + "/b", b)
    golden.add(name + "/y", y)
    golden.add(name + "/residual", [full[0], freedom])
    for kind, (no_a, no_b) in without.items():
        top = additive if kind == "two" else full
        rows = []
        for small, large in ((no_a, top), (no_b, top), (additive, full)):
            squares, df = small[0] - large[0], large[1] - small[1]
            f = squares / df / (full[0] / freedom)
            rows.append([squares, df, f, stats.f.sf(f, df, freedom)])
        golden.add(f"{name}/{kind}", rows)


def observations(counts):
    a = np.concatenate([np.full(n, i) for (i, _), n in np.ndenumerate(counts)])
    b = np.concatenate([np.full(n, k) for (_, k), n in np.ndenumerate(counts)])
    return a, b, 0.3 * a - 0.1 * b + 0.2 * a * b + rng.standard_normal(len(a)) + 5


anova("balanced", *observations(np.full((3, 4), 3)))
anova("unbalanced", *observations(rng.integers(1, 5, (5, 3))))
golden.write()
