# SPDX-License-Identifier: Apache-2.0
"""Partial least squares against scikit-learn: with its iteration and default tolerance, and converged, for which its own
singular vectors are used."""
import warnings

import numpy as np
from sklearn.cross_decomposition import PLSRegression
from sklearn.cross_decomposition._pls import _PLS

from golden import Golden
from map_cases import SHAPES, DEFICIENT_RANK, case

golden = Golden("pls")
warnings.simplefilter("ignore")


class Converged(_PLS):
    def __init__(self, n_components, scale):
        super().__init__(n_components=n_components, scale=scale, deflation_mode="regression", mode="A", algorithm="svd")


for name, (rows, units, targets) in SHAPES.items():
    x, y, new = case(name)
    most = min(6, units, DEFICIENT_RANK if name == "deficient" else units)
    for scale in (False, True):
        for converged in (False, True):
            label = f"{name}/{'scaled' if scale else 'raw'}/{'converged' if converged else 'library'}"
            for k in sorted({1, most}):
                fit = Converged(k, scale) if converged else PLSRegression(k, scale=scale)
                fit.fit(x, y)
                golden.add(f"{label}/predicted{k}", fit.predict(new)[:, :8])
            if not converged:
                golden.add(label + "/rounds", np.array(fit.n_iter_))
golden.write()
