# SPDX-License-Identifier: Apache-2.0
"""Ridge regression against scikit-learn: one penalty; one of ten chosen for each target by leave-one-out; and by the mean
correlation over contiguous folds."""
import numpy as np
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import KFold

from golden import Golden
from map_cases import SHAPES, case

ALPHAS = 10.0 ** np.arange(-4, 6)
golden = Golden("ridge")


def correlation(a, b):
    a, b = a - a.mean(0), b - b.mean(0)
    return (a * b).sum(0) / np.sqrt((a * a).sum(0) * (b * b).sum(0))


for name in SHAPES:
    x, y, new = case(name)
    for alpha in (1e-3, 1.0):
        golden.add(f"{name}/predicted{alpha:g}", Ridge(alpha).fit(x, y).predict(new)[:, :8])
    loo = RidgeCV(ALPHAS, alpha_per_target=True).fit(x, y)
    golden.add(name + "/loo/alpha", np.log10(np.atleast_1d(loo.alpha_)))
    golden.add(name + "/loo/predicted", loo.predict(new)[:, :8])
    errors = RidgeCV(ALPHAS, store_cv_values=True).fit(x, y[:, :8]).cv_values_.mean(0)  # [targets, alphas]
    golden.add(name + "/loo/errors", errors.reshape(-1, len(ALPHAS)).T)
    scores = np.zeros((len(ALPHAS), y.shape[1]))
    for train, test in KFold(3).split(x):
        for a, alpha in enumerate(ALPHAS):
            scores[a] += correlation(Ridge(alpha).fit(x[train], y[train]).predict(x[test]), y[test]) / 3
    golden.add(name + "/folds/scores", scores[:, :8])
golden.write()
