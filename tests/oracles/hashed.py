# SPDX-License-Identifier: Apache-2.0
"""Numbers that an oracle and its C++ test both make: tests/support/hashed.h."""
import numpy as np


def hashed(name, count):
    """Numbers in [-1, 1), multiples of 2^-23: murmur3's finaliser over a name's FNV-1a hash and an index."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(seed)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float64) * 2.0**-23 - 1.0


def sketch(name, values):
    """What a golden file keeps of a tensor: its product with a hashed direction, and its norm."""
    v = np.asarray(values).reshape(-1)
    return np.array([np.dot(v, hashed(name + "/direction", v.size)), np.linalg.norm(v)])
