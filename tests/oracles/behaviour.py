# SPDX-License-Identifier: Apache-2.0
"""Linear support vector machines, sigmoids and folds against scikit-learn and SciPy.

Support vector machines: LinearSVC in its primal form with tolerance 1e-12 (the dual form ends at about 1e-5), of more
images than features, of fewer, of a matrix that lacks rank, and with a constant feature. Near a hard margin, where
LinearSVC does not converge, the dual by SciPy's NNLS. Sigmoids: the
likelihood of Lin, Lin & Weng minimised by SciPy to rounding (scikit-learn's own ends at 1e-5)."""
import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize, nnls, root
from scipy.stats import norm
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from golden import Golden

rng = np.random.default_rng(11)
golden = Golden("behaviour")


def by_dual(x, labels, classes, c):
    """min over alpha >= 0 of 1/2 a'Qa - 1'a with Q = yy' (XX' + 1 + I/2C) = R'R, which is min |R a - R'^-1 1|."""
    weights = []
    rows = np.hstack([x, np.ones((len(x), 1))])
    for k in range(classes):
        signed = rows * np.where(labels == k, 1, -1)[:, None]
        r = cholesky(signed @ signed.T + np.eye(len(x)) / (2 * c))
        alpha, _ = nnls(r, solve_triangular(r, np.ones(len(x)), trans="T"))
        weights.append(alpha @ signed)
    return np.array(weights)


def svm(name, images, features, classes, c, rank=None, constant=False):
    labels = rng.permutation(np.arange(images) % classes)
    x = rng.standard_normal((images, features))
    if rank:
        left, right = rng.standard_normal((images, rank)), rng.standard_normal((rank, features))
        x = np.round(left, 1) @ np.round(right, 1)
    x[:, : min(classes, features)] += 1.2 * np.eye(classes)[labels][:, : min(classes, features)]
    x = np.round(x, 3)  # short in the file
    if constant:
        x[:, -1] = 3
    if c * features > 1e6:
        both = by_dual(x, labels, classes, c)
    else:
        fit = LinearSVC(dual=False, C=c, tol=1e-12, max_iter=100000).fit(x, labels)
        both = np.hstack([fit.coef_, fit.intercept_[:, None]])
    golden.add(name + "/x", x)
    golden.add(name + "/labels", labels)
    golden.add(name + "/c", c)
    golden.add(name + "/weights", both[:, :-1])
    golden.add(name + "/intercepts", both[:, -1])


svm("tall", 40, 5, 3, 0.7)
svm("tall_small_c", 40, 5, 3, 1e-6)
svm("tall_large_c", 60, 4, 4, 1e4)
svm("wide", 24, 40, 3, 2.0)
svm("wide_hard_margin", 24, 40, 4, 5e4)
svm("low_rank", 30, 40, 3, 0.5, rank=4)
svm("constant", 25, 6, 3, 1.0, constant=True)


def sigmoid_of(margins, positive):
    n, p = np.sum(~positive), np.sum(positive)
    target = np.where(positive, (p + 1) / (p + 2), 1 / (n + 2))

    def loss(ab):
        z = ab[0] * margins + ab[1]
        return np.sum(np.logaddexp(0, z) - (1 - target) * z)

    def gradient(ab):
        e = target - 1 / (1 + np.exp(ab[0] * margins + ab[1]))
        return np.array([np.dot(margins, e), np.sum(e)])

    best = minimize(loss, [0, np.log((n + 1) / (p + 1))], jac=gradient, method="BFGS")
    return root(gradient, best.x, tol=1e-14).x


def sigmoid(name, margins, positive):
    golden.add(name + "/margins", margins)
    golden.add(name + "/positive", positive)
    golden.add(name + "/sigmoid", sigmoid_of(margins, positive))


positive = rng.random(60) < 0.3
sigmoid("overlapping", rng.standard_normal(60) + 1.5 * positive, positive)
sigmoid("separated", np.where(positive, 1, -1) * (1 + rng.random(60)), positive)
sigmoid("reversed", rng.standard_normal(60) - positive, positive)



def decode(name, images, units, classes, components, c):
    """One split of one bin: PCA of the training images, machines, sigmoids of their margins, I1 of the test images."""
    labels = rng.permutation(np.arange(images) % classes)
    x = rng.standard_normal((images, units)) * 0.9 ** np.arange(units) + rng.standard_normal(units)
    x = np.round(x + 0.5 * rng.standard_normal((classes, units))[labels], 3)
    train = np.sort(rng.permutation(images)[: images * 2 // 3])
    test = np.setdiff1d(np.arange(images), train)
    pca = PCA(components, svd_solver="full").fit(x[train])
    fit = LinearSVC(dual=False, C=c, tol=1e-12, max_iter=100000).fit(pca.transform(x[train]), labels[train])
    trained, margins = fit.decision_function(pca.transform(x[train])), fit.decision_function(pca.transform(x))
    p = np.zeros((len(test), classes))
    for k in range(classes):
        slope, offset = sigmoid_of(trained[:, k], labels[train] == k)
        p[:, k] = 1 / (1 + np.exp(slope * margins[test, k] + offset))
    p /= p.sum(1, keepdims=True)
    t, i1 = labels[test], []
    for i in range(len(test)):
        d_primes = []
        for d in range(classes):
            if d != t[i]:
                others = p[t == d]
                false_alarm = np.mean(others[:, t[i]] / (others[:, t[i]] + others[:, d]))
                d_primes.append(np.clip(norm.ppf(p[i, t[i]] / (p[i, t[i]] + p[i, d])) - norm.ppf(false_alarm), -5, 5))
        i1.append(np.mean(d_primes))
    for key, value in dict(x=x, labels=labels, train=train, margins=margins, probabilities=p, i1=i1).items():
        golden.add(name + "/" + key, value)
    golden.add(name + "/components", components)
    golden.add(name + "/c", c)


decode("decode_wide", 36, 45, 3, 9, 2.0)
decode("decode_wide_all", 36, 45, 3, 24, 0.1)
decode("decode_tall", 45, 12, 3, 5, 2.0)
decode("decode_tall_all", 45, 12, 3, 12, 2.0)

for name, labels in {"mixed": rng.permutation(np.repeat([0, 1, 2], [11, 7, 9])), "sorted": np.repeat([2, 0, 1], 8)}.items():
    folds = np.zeros(len(labels), int)
    for k, (_, test) in enumerate(StratifiedKFold(5).split(labels, labels)):
        folds[test] = k
    golden.add("folds_" + name + "/labels", labels)
    golden.add("folds_" + name + "/folds", folds)
golden.write()
