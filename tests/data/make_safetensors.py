# SPDX-License-Identifier: Apache-2.0
"""Makes python.safetensors with the Python package `safetensors` (0.8.0): what our reader must understand."""
import os

import numpy as np
from safetensors.numpy import save_file

here = os.path.dirname(os.path.abspath(__file__))
save_file(
    {
        "conv/weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 8 - 1,
        "double": np.array([np.pi, -0.0, np.inf]),
        "half": np.array([1.5, -2.0**-24, 65504.0, np.inf], np.float16),
        "labels": np.array([[-1], [2147483647]], np.int32),
        "long": np.array([-5, 7], np.int64),
        "bytes": np.array([0, 255, 7], np.uint8),
        "mask": np.array([True, False]),
        "scalar": np.array(3.25, np.float32),
        "empty": np.zeros((0, 4), np.float32),
    },
    os.path.join(here, "python.safetensors"),
    metadata={"format": "np", "note": "µ"},
)
