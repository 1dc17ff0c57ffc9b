# SPDX-License-Identifier: Apache-2.0
"""Scores of a grid of elastic nets over two contiguous folds, as scikit-learn's GridSearchCV gives them at a tight
tolerance; ratios of (nearly) zero as the ridge that they are. Each fit has n alpha = the listed alpha."""
import warnings

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import ElasticNet, Ridge
from sklearn.model_selection import GridSearchCV, KFold

from golden import Golden

warnings.simplefilter("ignore")
rng = np.random.default_rng(33)
golden = Golden("elastic_net_search")


class OverN(BaseEstimator, RegressorMixin):
    def __init__(self, alpha=1.0, l1_ratio=0.5):
        self.alpha, self.l1_ratio = alpha, l1_ratio

    def fit(self, x, y):
        if self.l1_ratio < 1e-10:
            self.model_ = Ridge(alpha=self.alpha, solver="svd").fit(x, y)
        else:
            self.model_ = ElasticNet(alpha=self.alpha / len(x), l1_ratio=self.l1_ratio, tol=1e-13,
                                     max_iter=5000000).fit(x, y)
        return self

    def predict(self, x):
        return self.model_.predict(x)


def correlation(model, x, y):
    predicted = model.predict(x)
    return np.corrcoef(predicted, y)[0, 1] if np.ptp(predicted) > 0 else np.nan


def case(name, rows, regressors, targets, change=lambda x: x):
    x = rng.standard_normal((rows, 3)) @ rng.standard_normal((3, regressors)) + rng.standard_normal((rows, regressors))
    x = np.round(change(x), 6)
    y = np.round(x[:, :3] @ rng.standard_normal((min(3, regressors), targets)) + rng.standard_normal((rows, targets)), 6)
    alphas, ratios = 10.0 ** np.array([-2, 3, 0, 1, -1]), [1e-16, 0.9, 0.02, 0.5, 1.0]
    golden.add(name + "/x", x)
    golden.add(name + "/y", y)
    golden.add(name + "/alphas", alphas)
    golden.add(name + "/ratios", np.array(ratios))
    scores, best = [], []
    for t in range(targets):
        search = GridSearchCV(OverN(), {"alpha": alphas, "l1_ratio": ratios}, scoring=correlation, cv=KFold(2),
                              refit=False, error_score=np.nan).fit(x, y[:, t])
        scores.append(search.cv_results_["mean_test_score"])
        best.append(np.nanargmax(scores[-1]))
    golden.add(name + "/scores", np.nan_to_num(scores, nan=-9.0))
    golden.add(name + "/best", np.array(best))


def constant(x):
    x[:, 1] = 2.5
    return x


case("wide", 16, 25, 2)
case("tall", 41, 6, 2, constant)
case("one", 11, 1, 1)
golden.write()
