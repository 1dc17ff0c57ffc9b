# SPDX-License-Identifier: Apache-2.0
"""Sources and targets of awkward shapes that the oracles of maps and tests/analysis/maps/map_cases.h both make."""
import numpy as np

from hashed import hashed

TEST_ROWS = 4
# name: rows to fit, source units, targets
SHAPES = {"tall": (120, 7, 4), "square": (40, 45, 6), "wide": (24, 300, 5), "one_unit": (50, 20, 1),
          "one_of_one": (12, 1, 1), "deficient": (30, 12, 3), "many_targets": (20, 100, 60), "few_sources": (60, 5, 40)}
DEFICIENT_RANK = 4


def case(name):
    """x and y of the rows to fit, and x of the rows to predict. All are exact in double."""
    rows, units, targets = SHAPES[name]
    x = hashed(name + "/x", (rows + TEST_ROWS) * units).reshape(-1, units)
    if name == "deficient":  # rank 4 and two constant columns
        for k in range(DEFICIENT_RANK, units - 2):
            x[:, k] = x[:, k % DEFICIENT_RANK] + 0.5 * x[:, (k + 1) % DEFICIENT_RANK]
        x[:, units - 2:] = 0.5
    y = hashed(name + "/y", rows * targets).reshape(-1, targets)
    y = 0.5 * y + x[:rows, np.arange(targets) % units] + 3.0
    return x[:rows], y, x[rows:]
