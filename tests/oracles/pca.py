# SPDX-License-Identifier: Apache-2.0
"""Principal components against scikit-learn, of more rows than features and of fewer. The sign is fixed by our rule: the
largest loading is positive."""
import numpy as np
from sklearn.decomposition import PCA

from golden import Golden

rng = np.random.default_rng(5)
golden = Golden("pca")


def case(name, rows, features, components):
    # float32 values, so that both sides see the same numbers; a spectrum that falls, and a mean that is far from zero.
    x = rng.standard_normal((rows, features)) * 0.7 ** np.arange(features) @ rng.standard_normal((features, features))
    x = (x + 10 * rng.standard_normal(features)).astype(np.float32).astype(np.float64)
    pca = PCA(components, svd_solver="full").fit(x)
    largest = np.take_along_axis(pca.components_, np.abs(pca.components_).argmax(1)[:, None], 1)
    signs = np.sign(largest)
    golden.add(name + "/rows", x)
    golden.add(name + "/mean", pca.mean_)
    golden.add(name + "/components", pca.components_ * signs)
    golden.add(name + "/variance", pca.explained_variance_)
    golden.add(name + "/total", np.var(x, axis=0, ddof=1).sum())
    golden.add(name + "/projected", pca.transform(x) * signs[:, 0])


case("tall", 30, 7, 4)
case("wide", 9, 25, 5)
golden.write()
