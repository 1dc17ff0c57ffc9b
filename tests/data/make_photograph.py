# SPDX-License-Identifier: Apache-2.0
"""Writes photograph.png: 96 x 128 pixels of the photograph "chelsea" of scikit-image (Stefan van der Walt, CC0)."""
import os

import skimage.data
from PIL import Image

Image.fromarray(skimage.data.chelsea()[70:166, 110:238]).save(
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "photograph.png"), optimize=True)
