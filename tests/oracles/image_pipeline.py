# SPDX-License-Identifier: Apache-2.0
"""Golden values of what becomes of a photograph on its way to a network: torchvision's transforms on Pillow images, and
TensorFlow's legacy resizing (tf.compat.v1 without half-pixel centres), as the studies used them. The photograph is
tests/data/photograph.png (96 x 128); sizes are a quarter of the studies' (Resize 64, CenterCrop 56 for 256, 224). Random
numbers are chiasm's (kernels/random/random_stream.h), so that boxes and flips are the same; what is done with them is
the libraries'. Needs pillow, torch, torchvision, tensorflow (pip)."""
import math
import os

import numpy as np
import torch  # before TensorFlow: both bring an LLVM
import torchvision.transforms.functional as F
import tensorflow as tf
from PIL import Image

from golden import Golden
from hashed import sketch

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SEED = 7
BILINEAR, BICUBIC = F.InterpolationMode.BILINEAR, F.InterpolationMode.BICUBIC
photo = Image.open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "photograph.png"))
tall = Image.fromarray(np.ascontiguousarray(np.asarray(photo).transpose(1, 0, 2)))


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


class Draws:
    """Numbers of the augmentation of a sample: uniform in [0, 1) with 53 bits, in turn."""

    def __init__(self, sample, epoch=0):
        self.key = philox((3, 0, 0, 0), (SEED, 0))[:2]
        self.sample, self.epoch, self.next = sample, epoch, 0

    def uniform(self):
        w = philox((self.next // 2, 0, self.sample, self.epoch), self.key)
        high, low = w[0:2] if self.next % 2 == 0 else w[2:4]
        self.next += 1
        return ((high << 32 | low) >> 11) * 2.0**-53

    def below(self, count):
        return int(self.uniform() * count)


def box(draws, image, area, aspect, log, cover, attempts):
    """top, left, height, width; None after the last attempt."""
    w, h = image.size
    for _ in range(attempts):
        a = w * h * (area[0] + (area[1] - area[0]) * draws.uniform())
        u = draws.uniform()
        if log:
            r = math.exp(math.log(aspect[0]) + (math.log(aspect[1]) - math.log(aspect[0])) * u)
        else:
            r = aspect[0] + (aspect[1] - aspect[0]) * u
        bh, bw = round(math.sqrt(a / r)), round(math.sqrt(a * r))
        if not (0 < bh <= h and 0 < bw <= w) or bh * bw < cover * w * h:
            continue
        return draws.below(h - bh + 1), draws.below(w - bw + 1), bh, bw
    return None


def normalised(image):
    """[height, width, channels] of a Pillow image."""
    return F.normalize(F.to_tensor(image), MEAN, STD).permute(1, 2, 0).numpy()


def legacy(image, size, method):
    """TensorFlow 1 on values in [0, 1]."""
    x = tf.constant(np.asarray(image, np.float32)[None] / np.float32(255))
    return method(x, size, align_corners=False, half_pixel_centers=False)[0].numpy()


def standardised(x):
    return (x - np.float32(MEAN)) / np.float32(STD)


cubic, linear = tf.compat.v1.image.resize_bicubic, tf.compat.v1.image.resize_bilinear
golden = Golden("image_pipeline")


def keep(name, x):
    x = np.asarray(x, np.float64)
    golden.add(name + "/shape", np.array(x.shape))
    golden.add(name + "/sketch", sketch(name, x))
    golden.add(name + "/row", x[x.shape[0] // 2])


# Resizing alone: of a box that shrinks, and of one that grows, whole.
for case, (left, top, w, h), (oh, ow) in [("shrink", (3, 5, 120, 90), (9, 11)), ("grow", (40, 30, 9, 7), (12, 13)),
                                          ("squeeze", (0, 0, 128, 96), (130, 10))]:
    part = photo.crop((left, top, left + w, top + h))
    keep(case + "/pillow_bilinear", np.asarray(F.resize(part, (oh, ow), BILINEAR)))
    keep(case + "/pillow_bicubic", np.asarray(F.resize(part, (oh, ow), BICUBIC)))
    keep(case + "/tensorflow_bilinear", legacy(part, (oh, ow), linear))
    keep(case + "/tensorflow_bicubic", legacy(part, (oh, ow), cubic))
    t = F.to_tensor(part)
    keep(case + "/bilinear", F.resize(t, (oh, ow), BILINEAR, antialias=True).permute(1, 2, 0).numpy())
    keep(case + "/bicubic", F.resize(t, (oh, ow), BICUBIC, antialias=True).permute(1, 2, 0).numpy())

for name, image in [("wide", photo), ("tall", tall)]:
    # spec/mouse_vision.md 1: evaluation, stimuli for networks of CIFAR-10, and a grey network.
    square = F.center_crop(F.resize(image, 64, BILINEAR), 56)
    keep(name + "/mouse_evaluation", normalised(F.resize(square, 16, BILINEAR)))
    keep(name + "/resize_and_crop", normalised(square))
    keep(name + "/mouse_stimulus", normalised(F.resize(image, 24, BILINEAR)))
    keep(name + "/grey", np.asarray(F.resize(image.convert("L"), (16, 16), BILINEAR))[..., None] / np.float32(255))
    # spec/convrnn.md 7.3, evaluation.
    w, h = image.size
    side = int(0.875 * min(h, w))
    top, left = (h - side + 1) // 2, (w - side + 1) // 2
    centre = np.asarray(image)[top:top + side, left:left + side]
    keep(name + "/convrnn_evaluation", standardised(legacy(centre, (28, 28), cubic)))
    # The Inception program, evaluation: values in [-1, 1].
    centre = tf.image.central_crop(tf.constant(np.asarray(image)), 0.875).numpy()
    keep(name + "/inception_evaluation", (legacy(centre, (21, 21), linear) - np.float32(0.5)) * np.float32(2))

# Training: five epochs of two samples, 0 wide and 1 tall.
for epoch in range(5):
    for sample, image in enumerate([photo, tall]):
        at = f"/{epoch}/{sample}"
        draws = Draws(sample, epoch)
        flip = draws.uniform() < 0.5
        b = box(draws, image, (0.08, 1), (3 / 4, 4 / 3), True, 0, 10)
        crop = F.resized_crop(image, *b, (56, 56), BILINEAR)
        keep("mouse_training" + at, normalised(F.resize(F.hflip(crop) if flip else crop, 16, BILINEAR)))

        draws = Draws(sample, epoch)
        flip = draws.uniform() < 0.5
        # Of an area above 0.8 few boxes fit, and after the last attempt evaluation's crop is left.
        area = (0.08, 1) if epoch < 3 else (0.8, 1)
        b = box(draws, image, area, (3 / 4, 4 / 3), False, 0.1, 10 if epoch < 3 else 1)
        if b is None:
            w, h = image.size
            side = int(0.875 * min(h, w))
            b = ((h - side + 1) // 2, (w - side + 1) // 2, side, side)
        crop = np.asarray(image)[b[0]:b[0] + b[2], b[1]:b[1] + b[3]]
        x = legacy(crop, (28, 28), cubic)
        keep("convrnn_training" + at, standardised(x[:, ::-1] if flip else x))

        # RandomCrop with zeros around, flip, and a larger network: of what Resize 16 gives.
        draws = Draws(sample, epoch)
        flip = draws.uniform() < 0.5
        small = F.pad(F.resize(image, 16, BILINEAR), [2, 2, 2, 2])
        top, left = draws.below(small.size[1] - 15), draws.below(small.size[0] - 15)
        crop = F.crop(small, top, left, 16, 16)
        keep("cifar_training" + at, normalised(F.resize(F.hflip(crop) if flip else crop, 32, BILINEAR)))
golden.write()
