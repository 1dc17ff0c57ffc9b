# SPDX-License-Identifier: Apache-2.0
"""Rank correlations and tests of paired scores against SciPy."""
import numpy as np
from scipy import stats

from golden import Golden

rng = np.random.default_rng(12)
golden = Golden("significance")


def scores(n, levels=0):
    x = rng.standard_normal(n)
    return np.round(x * levels) / levels if levels else x


def correlation(name, a, b):
    golden.add(f"correlation/{name}/a", a)
    golden.add(f"correlation/{name}/b", b)
    concordant = np.sign(np.subtract.outer(a, a)) * np.sign(np.subtract.outer(b, b))
    tau_a = concordant.sum() / (a.size * (a.size - 1))  # not in SciPy
    golden.add(f"correlation/{name}/values", np.array([stats.spearmanr(a, b)[0], tau_a, stats.kendalltau(a, b)[0]]))
    golden.add(f"correlation/{name}/ranks", stats.rankdata(a))


a = scores(64)
correlation("smooth", a, 0.5 * a + scores(64))
a = scores(75, 2)
correlation("tied", a, np.round(a + scores(75)))
correlation("two", np.array([1.0, 2.0]), np.array([5.0, 3.0]))


def paired(name, a, b, modes):
    golden.add(f"paired/{name}/a", a)
    golden.add(f"paired/{name}/b", b)
    for mode in modes:
        out = []
        for alternative in ("two-sided", "greater", "less"):
            r = stats.wilcoxon(a, b, alternative=alternative, mode=mode)
            out += [r.statistic, r.pvalue]
        golden.add(f"paired/{name}/{mode}", np.array(out))
    golden.add(f"paired/{name}/t", np.array(stats.ttest_rel(a, b)))


a = scores(20)
paired("small", a, a + 0.5 * scores(20) - 0.2, ("exact", "approx"))
a = scores(50)
paired("limit", a, a + scores(50) + 0.3, ("exact", "approx"))
a = scores(51)
paired("many", a, a + scores(51) + 0.8, ("exact", "approx"))
a = scores(40, 2)
paired("tied", a, scores(40, 2), ("approx",))
paired("three", np.array([0.3, 1.2, 2.5]), np.array([0.1, 0.7, 3.9]), ("exact", "approx"))


def treatments(name, x):
    golden.add(f"friedman/{name}/scores", x)
    golden.add(f"friedman/{name}/values", np.array(stats.friedmanchisquare(*x.T)))


treatments("smooth", scores((17, 4)) + [0, 0.2, 0.5, 1])
treatments("tied", np.round(scores((30, 5)) + [0, 0.1, 0, 1, 0.3]))


def distributions(name, a, b):
    golden.add(f"ks/{name}/a", a)
    golden.add(f"ks/{name}/b", b)
    golden.add(f"ks/{name}/values", np.array(stats.ks_2samp(a, b, mode="exact")))


distributions("spec", np.array([0.1, 0.2, 0.35, 0.4, 0.9]), np.array([0.15, 0.5, 0.55, 0.6]))
distributions("spec_tied", np.array([1.0, 2, 2, 3]), np.array([2.0, 3, 4]))
distributions("equal", scores(40), scores(40) + 0.4)
distributions("coprime", scores(31), 1.5 * scores(48))
distributions("tied", scores(60, 1), scores(35, 1) + 1)
distributions("far", scores(70), scores(60) + 3)
distributions("same", np.array([1.0, 2, 3]), np.array([1.0, 2, 3]))
golden.write()
