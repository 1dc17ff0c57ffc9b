# SPDX-License-Identifier: Apache-2.0
"""Makes recording.nwb, assembly.nc, matlab73.mat, matlab73_string.mat, matlab73_cells.mat and circles.h5 with h5py, laid out as pynwb, xarray with netCDF4, and MATLAB's -v7.3
lay them out: the small files that our readers of recordings must understand."""
import os

import h5py
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
text = h5py.string_dtype()


def new(name, **options):
    return h5py.File(os.path.join(here, name), "w", track_order=False, **options)


# Two units in three trials of two images. Times in seconds; a trial takes 0.2.
with new("recording.nwb") as f:
    f.attrs["nwb_version"] = "2.6.0"
    spikes = [[1.01, 1.05, 1.149, 2.1, 3.02, 3.03], [1.0, 2.05, 2.15, 3.199, 9.0]]
    units = f.create_group("units")
    units["spike_times"] = np.concatenate(spikes)
    units["spike_times_index"] = np.cumsum([len(s) for s in spikes]).astype("u1")
    units["id"] = np.array([950911880, 8589934592])
    units["electrodes"] = np.array([2, 0, 1], "i4")
    units["electrodes_index"] = np.array([1, 3], "u1")
    # A column of texts as pynwb writes it now: in chunks, packed.
    units.create_dataset("quality", data=np.array(["good", "noise"], object), dtype=text, maxshape=(None,), chunks=(1,),
                         compression="gzip", shuffle=True)
    f.create_dataset("general/extracellular_ephys/electrodes/location", data=np.array(["V1", "LM", "V4 \u03bc"], object), dtype=text)
    f.create_dataset("general/subject/subject_id", data="monkey A", dtype=text)
    for name in ("trials", "epochs"):
        table = f.create_group("intervals/" + name)
        table["start_time"] = np.array([1.0, 2.0, 3.0])
        table["stop_time"] = np.array([1.2, 2.2, 3.25])
        table["id"] = np.arange(3)
    table = f["intervals/trials"]
    table.create_dataset("stimulus_id", data=np.array(["b.png", "a.png", "b.png"], object), dtype=text)
    table["frame"] = np.array([10.0, 9.0, 10.0])
    table["correct"] = np.array([True, False, True])  # an enumeration

# Five presentations of three images, two neuroids, two time bins; coordinates as netCDF4 writes them.
with new("assembly.nc") as f:
    sizes = {"presentation": 5, "neuroid": 2, "time_bin": 2}
    for name, size in sizes.items():
        f[name] = np.zeros(size, ">f4")
        f[name].make_scale("This is a netCDF dimension but not a netCDF variable.%10d" % size)
    rates = 100 * np.arange(5)[:, None, None] + 10 * np.arange(2)[None, :, None] + np.arange(2)[None, None, :]
    coordinates = {
        "rates": (rates.astype("f4"), "presentation neuroid time_bin"),
        "image_id": (["c", "a", "c", "\u00e9", "a"], "presentation"),
        "object_name": (["car"] * 5, "presentation"),
        "repetition": ([0, 0, 1, 0, 1], "presentation"),
        "neuroid_id": (["Chabo_L_M_5_9", "Tito_L_P_1_2"], "neuroid"),
        "region": (["IT", "V4"], "neuroid"),
        "animal": (["Chabo", "Tito"], "neuroid"),
        "time_bin_start": ([70, 170], "time_bin"),
        "time_bin_end": ([170, 270], "time_bin"),
    }
    for name, (values, axes) in coordinates.items():
        if isinstance(values[0], str):
            f.create_dataset(name, data=np.array(values, object), dtype=text)
        else:
            f[name] = values
        for axis, dimension in enumerate(axes.split()):
            f[name].dims[axis].attach_scale(f[dimension])
    f["rates"].attrs["coordinates"] = " ".join(n for n in coordinates if n != "rates")

# MATLAB keeps arrays transposed and texts as numbers, behind a block of 512 bytes.
with new("matlab73.mat", userblock_size=512) as f:
    f["rates"] = np.arange(6.0).reshape(3, 2)  # in MATLAB 2 x 3: [0 2 4; 1 3 5]
    f["rates"].attrs["MATLAB_class"] = np.bytes_("double")
    f.create_dataset("names", data=np.array(["one", "three"], object), dtype=text)
# Cells are references: three alike, two that are not, one in another that holds itself, texts; and what cannot be read.
with new("matlab73_cells.mat", userblock_size=512) as f:
    places = f.create_group("#refs#")

    def place(data, kind="double"):
        d = places.create_dataset(f"p{len(places)}", **data if kind == "cell" else {"data": data})
        d.attrs["MATLAB_class"] = np.bytes_(kind)
        return d.ref

    def cell(name, elements):
        d = f.create_dataset(name, (len(elements), 1), dtype=h5py.ref_dtype)  # in MATLAB 1 x n
        d.attrs["MATLAB_class"] = np.bytes_("cell")
        d[:, 0] = elements

    counting = np.arange(6.0).reshape(3, 2)
    cell("responses", [place(counting + 10 * i) for i in range(3)])
    cell("unlike", [place(counting), place(counting[:, :1])])
    inner = place({"shape": (2, 1), "dtype": h5py.ref_dtype}, "cell")
    f[inner][:, 0] = [place([[5.0]]), inner]
    cell("nested", [inner, place([[7.0]])])
    codes = [[[ord(c)] for c in word] for word in ("one", "tw\u00f6")]
    cell("names", [place(np.array(word, "u2"), "char") for word in codes])
    f["waves"] = np.zeros((1, 1), [("real", "f8"), ("imag", "f8")])
    f["waves"].attrs["MATLAB_class"] = np.bytes_("double")
# A string object: what is stored is not the text.
with new("matlab73_string.mat", userblock_size=512) as f:
    f["responses"] = np.array([[3707764736, 2, 1, 1, 1, 1]], "u4")
    f["responses"].attrs["MATLAB_class"] = np.bytes_("string")
for name in ("matlab73.mat", "matlab73_string.mat", "matlab73_cells.mat"):
    with open(os.path.join(here, name), "r+b") as f:
        f.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")

# Groups that hold each other: three ways from each to both, so that paths of length n are 3^n.
with new("circles.h5") as f:
    inner = f.create_group("inner")
    for name in ("one", "two", "three"):
        inner[name] = f["/"]
        f[name] = inner
    inner["rates"] = np.arange(6.0).reshape(2, 3)
