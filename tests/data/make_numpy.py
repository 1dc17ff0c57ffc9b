# SPDX-License-Identifier: Apache-2.0
"""Makes stored.npz and deflated.npz with NumPy: what our reader must understand. Every array but the last four holds
[[0, 1, 2], [3, 4, 5]] in some type, order and format version."""
import io
import os
import zipfile

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
counting = np.arange(6).reshape(2, 3)
arrays = {t: counting.astype(t) for t in "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8".split()}
arrays |= {"big_" + t: counting.astype(">" + t) for t in "f2 f4 f8 i2 i4 i8 u2".split()}
arrays |= {"fortran": np.asfortranarray(counting.astype("f4")), "fortran_big": np.asfortranarray(counting.astype(">i4"))}
arrays |= {"bool": np.array([True, False]), "scalar": np.array(2.5), "empty": np.zeros((0, 3), "f4"),
           "one_axis": np.array([7], "i4")}
np.savez_compressed(os.path.join(here, "deflated.npz"), **arrays)
with zipfile.ZipFile(os.path.join(here, "stored.npz"), "w") as z:
    for major in (1, 2, 3):
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, counting.astype("f4"), version=(major, 0))
        z.writestr(f"version{major}.npy", buffer.getvalue())
