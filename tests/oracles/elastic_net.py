# SPDX-License-Identifier: Apache-2.0
"""Lasso and elastic net against scikit-learn: as they come (tolerance 1e-4) and at the minimum (1e-14), for shapes that
are awkward. Regressors have structure, so that coordinate descent needs many sweeps."""
import warnings

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Ridge

from golden import Golden

warnings.simplefilter("ignore", ConvergenceWarning)
rng = np.random.default_rng(21)
golden = Golden("elastic_net")


def case(name, rows, regressors, targets, penalties, change=lambda x: x):
    x = rng.standard_normal((rows, 4)) @ rng.standard_normal((4, regressors)) + rng.standard_normal((rows, regressors))
    x = np.round(change(x + 2), 6)
    y = x[:, :3] @ rng.standard_normal((min(3, regressors), targets)) + rng.standard_normal((rows, targets))
    y = np.round(y, 6)
    golden.add(name + "/x", x)
    golden.add(name + "/y", y)
    golden.add(name + "/penalties", np.array(penalties))
    new = np.round(rng.standard_normal((5, regressors)) + 2, 6)
    golden.add(name + "/new", new)
    for i, (alpha, ratio) in enumerate(penalties):
        for kind, settings in (("default", {}), ("exact", {"tol": 1e-14, "max_iter": 10**6})):
            model = ElasticNet(alpha=alpha, l1_ratio=ratio, **settings)
            if kind == "exact" and ratio < 1e-10:  # where descent takes too long
                model = Ridge(alpha=alpha * rows, solver="svd")
            fits = [clone(model).fit(x, y[:, t]) for t in range(targets)]
            golden.add(f"{name}/{kind}{i}", [fit.predict(new) for fit in fits])
            # Where the weights are not unique (lasso of dependent regressors) only predictions are compared.
            golden.add(f"{name}/{kind}{i}_weights", [fit.coef_ for fit in fits])
            if kind == "default":
                golden.add(f"{name}/{kind}{i}_sweeps", np.array([fit.n_iter_ for fit in fits]))


def dependent(x):
    x[:, 3] = x[:, 0]
    x[:, 4] = x[:, 1] - 2 * x[:, 2]
    return x


def constant(x):
    x[:, 1] = 7.25
    x[:, 4] = 0.0
    return x


usual = [(1.0, 0.5), (0.1, 1.0), (0.01, 0.2), (0.003, 0.9)]
case("tall", 60, 7, 2, usual)
case("wide", 12, 40, 2, usual)
case("square", 15, 15, 1, usual)
case("dependent", 25, 6, 2, usual, dependent)
case("constant", 20, 6, 2, usual, constant)
case("one", 10, 1, 1, usual)
case("ridge", 10, 20, 1, [(0.1, 1e-16), (1e-3, 1e-16)])
golden.write()
