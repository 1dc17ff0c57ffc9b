# SPDX-License-Identifier: Apache-2.0
"""Non-negative least squares against scipy.optimize.nnls, one target at a time; the free intercept as two columns,
+1 and -1."""
import numpy as np
from scipy.optimize import nnls

from golden import Golden

rng = np.random.default_rng(11)
golden = Golden("nnls")


def case(name, rows, regressors, targets, change=lambda x: x, offset=0.0):
    x = change(rng.standard_normal((rows, regressors)) + offset)
    y = x @ np.maximum(rng.standard_normal((regressors, targets)), 0) + rng.standard_normal((rows, targets)) - 1
    golden.add(name + "/x", x)
    golden.add(name + "/y", y)
    fits = [nnls(x, y[:, t]) for t in range(targets)]
    golden.add(name + "/weights", [w for w, _ in fits])
    golden.add(name + "/residual", [r for _, r in fits])
    both = np.hstack([x, np.ones((rows, 1)), -np.ones((rows, 1))])
    fits = [nnls(both, y[:, t]) for t in range(targets)]
    golden.add(name + "/free_weights", [w[:-2] for w, _ in fits])
    golden.add(name + "/free_intercept", [w[-2] - w[-1] for w, _ in fits])
    golden.add(name + "/free_residual", [r for _, r in fits])


def repeated(x):
    x[:, 3] = x[:, 0] + x[:, 1]
    x[:, 4] = 2 * x[:, 2]
    return x


def constant(x):
    x[:, 2] = 3.0
    x[:, 5] = 0.0
    return x


case("tall", 40, 8, 5)
case("positive", 30, 6, 4, offset=2.0)  # correlated regressors, as dissimilarities are
case("wide", 8, 20, 3)
case("dependent", 25, 6, 4, repeated)
case("constant", 20, 7, 3, constant)
case("one", 12, 1, 1)
golden.write()
