# SPDX-License-Identifier: Apache-2.0
"""Transfer read-outs by scikit-learn: a grid search over C or alpha in 5 folds (stratified with accuracy, contiguous with
R^2), refit, and the score of the test images, with and without principal components."""
import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.svm import LinearSVC

from golden import Golden

rng = np.random.default_rng(21)
golden = Golden("linear_readout")
GRID = [1e-6, 1e-3, 1e-2, 5e-2, 1e-1, 1.0, 10.0, 1e3]


def case(name, images, features, classes, components):
    labels = np.arange(images) % classes
    x = rng.standard_normal((images, features)) * 0.9 ** np.arange(features) + 2
    x[:, :classes] += 0.9 * np.eye(classes)[labels]
    x = np.round(x, 3)
    y = np.round(x @ rng.standard_normal((features, 2)) + 3 * rng.standard_normal((images, 2)), 3)
    train, test = np.arange(images * 2 // 3), np.arange(images * 2 // 3, images)
    z = PCA(components, svd_solver="full").fit(x[train]).transform(x) if features > components else x
    svm = GridSearchCV(LinearSVC(dual=False, tol=1e-10, max_iter=100000), {"C": GRID}, cv=StratifiedKFold(5),
                       scoring="accuracy").fit(z[train], labels[train])
    ridge = GridSearchCV(Ridge(), {"alpha": [1 / c for c in GRID]}, cv=KFold(5), scoring="r2").fit(z[train], y[train])
    predicted = ridge.predict(z[test])
    for key, value in dict(
            x=x, labels=labels, y=y, train=train, components=components, accuracies=svm.cv_results_["mean_test_score"],
            c=svm.best_params_["C"], accuracy=svm.score(z[test], labels[test]),
            r_squared=ridge.cv_results_["mean_test_score"], ridge_c=1 / ridge.best_params_["alpha"],
            r=[np.corrcoef(predicted[:, k], y[test][:, k])[0, 1] for k in range(2)]).items():
        golden.add(name + "/" + key, value)


golden.add("grid", GRID)
case("plain", 75, 6, 3, 1000)
case("components", 60, 14, 4, 5)
case("wide", 45, 60, 3, 1000)
golden.write()
