# SPDX-License-Identifier: Apache-2.0
"""Writes golden values for C++ tests: tests/oracles/golden/<topic>.txt, one tensor a line,

    case/in0 float64 2,3,1 : v v v ...

read by tests/support/golden.h. A script of this folder makes one topic; run it again to regenerate the file:
    python3 tests/oracles/<topic>.py
Names: <case>/in0.. are inputs, <case>/out0.. outputs, <case>/dy the gradient of output 0, <case>/grad0.. the gradient of
<dy, out0> for each input (left out where none flows).
"""
import os

import numpy as np


class Golden:
    def __init__(self, topic):
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
        os.makedirs(folder, exist_ok=True)
        self._path = os.path.join(folder, topic + ".txt")
        self._lines = []

    def add(self, name, array):
        array = np.asarray(array)
        dtype = {"f": "float64", "i": "int32", "u": "uint8", "b": "uint8"}[array.dtype.kind]
        shape = ",".join(str(n) for n in array.shape)
        text = (repr(float(v)) if dtype == "float64" else str(int(v)) for v in array.reshape(-1))
        self._lines.append(f"{name} {dtype} {shape} : {' '.join(text)}")

    def add_case(self, case, inputs, outputs, dy=None, gradients=()):
        """gradients[i] may be None."""
        for i, x in enumerate(inputs):
            self.add(f"{case}/in{i}", x)
        for i, y in enumerate(outputs):
            self.add(f"{case}/out{i}", y)
        if dy is not None:
            self.add(f"{case}/dy", dy)
        for i, g in enumerate(gradients):
            if g is not None:
                self.add(f"{case}/grad{i}", g)

    def write(self):
        with open(self._path, "w") as f:
            f.write("\n".join(self._lines) + "\n")
        print(self._path, len(self._lines), "tensors")
