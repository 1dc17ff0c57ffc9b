# SPDX-License-Identifier: Apache-2.0
"""Makes matlab_plain.mat, matlab_compressed.mat, matlab_cells.mat and matlab_unreadable.mat with SciPy, and matlab_big_endian.mat by hand (SciPy writes the
machine's byte order only): what our reader of MATLAB files must understand. Arrays of numbers count upwards in
MATLAB's order of elements."""
import os
import struct

import numpy as np
import scipy.io
import scipy.sparse

here = os.path.dirname(os.path.abspath(__file__))
counting = np.arange(6).reshape(3, 2).T  # [[0, 2, 4], [1, 3, 5]]
content = {t: counting.astype(t) for t in "f4 f8 i1 i2 i4 i8 u1 u2 u4 u8".split()}
cells = np.empty((1, 3), object)
cells[0, 0], cells[0, 1], cells[0, 2] = "one", "tw\u00f6", counting.astype("f8")
units = np.empty((1, 2), [("id", object), ("rates", object)])
units[0, 0] = ("u1", np.array([[1.5, 2.5]]))
units[0, 1] = ("u2", {"deep": np.array([[7.0]])})
content |= {"large": 1e300 * counting, "logical": np.array([[True, False]]), "text": "V4 \u03bcV", "rows": np.array(["ab ", "cde"]),
            "cells": cells, "units": units, "nothing": np.zeros((0, 0)), "three": np.arange(12.0).reshape(2, 3, 2, order="F"),
            "complex": np.array([[1 + 2j]]), "sparse": scipy.sparse.csc_matrix(np.eye(2))}
for name, compress in (("plain", False), ("compressed", True)):
    path = os.path.join(here, f"matlab_{name}.mat")
    scipy.io.savemat(path, content, do_compression=compress)
    with open(path, "r+b") as f:  # the date and the machine
        f.write(b"MATLAB 5.0 MAT-file".ljust(116))


def element(kind, data):
    if len(data) <= 4:
        return struct.pack(">HH", len(data), kind) + data.ljust(4, b"\0")
    return struct.pack(">II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def array(kind, sizes, name, *parts):
    head = element(6, struct.pack(">II", kind, 0)) + element(5, struct.pack(f">{len(sizes)}i", *sizes)) + element(1, name)
    return element(14, head + b"".join(parts))


with open(os.path.join(here, "matlab_big_endian.mat"), "wb") as f:
    f.write(b"MATLAB 5.0 MAT-file".ljust(116) + b"\0" * 8 + b"\x01\x00MI")
    f.write(array(6, (2, 3), b"f8", element(9, struct.pack(">6d", *range(6)))))
    f.write(array(6, (2, 3), b"packed", element(3, struct.pack(">6h", *range(0, -6, -1)))))  # double kept as int16
    f.write(array(4, (1, 4), b"text", element(17, "V\u03bc\U0001f600".encode("utf-16-be"))))
    f.write(array(1, (1, 2), b"cells", array(4, (1, 2), b"", element(16, b"ab")), element(14, b"")))

# What recordings are kept in that is no array: a cell with one for each unit, and variables that cannot be read.
alike, unlike = np.empty((3, 1), object), np.empty((1, 2), object)
for i in range(3):
    alike[i, 0] = 10 * i + counting.astype("f8")
unlike[0, 0], unlike[0, 1] = counting.astype("f8"), counting[:1].astype("f8")
for name, variables in (("cells", {"responses": alike, "unlike": unlike}),
                        ("unreadable", {"rates": scipy.sparse.csc_matrix(np.eye(2)), "waves": np.array([[1 + 2j]])})):
    path = os.path.join(here, f"matlab_{name}.mat")
    scipy.io.savemat(path, variables, do_compression=True)
    with open(path, "r+b") as f:
        f.write(b"MATLAB 5.0 MAT-file".ljust(116))
