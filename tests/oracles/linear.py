# SPDX-License-Identifier: Apache-2.0
"""Linear with a separate backward weight, by NumPy einsum in float64."""
import numpy as np

from golden import Golden

rng = np.random.default_rng(5)
golden = Golden("linear")
for case, leading, n, m in [("matrix", (4,), 5, 3), ("image", (2, 3, 2), 3, 4), ("single", (1,), 1, 1)]:
    x = rng.standard_normal(leading + (n,))
    w = rng.standard_normal((n, m))
    b = rng.standard_normal((n, m))
    dy = rng.standard_normal(leading + (m,))
    y = np.einsum("...i,io->...o", x, w)
    dx = np.einsum("...o,io->...i", dy, b)
    dw = np.einsum("ri,ro->io", x.reshape(-1, n), dy.reshape(-1, m))
    golden.add_case(case, [x, w, b], [y], dy, [dx, dw, None])
golden.write()
