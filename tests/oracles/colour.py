# SPDX-License-Identifier: Apache-2.0
"""Golden values of tests/engine/data/transforms_test.cpp: colours changed with Python's colorsys and the formulas of
spec/mouse_vision.md 1.1. Run it to print them."""
import colorsys

PIXELS = [(0.8, 0.4, 0.1), (0.2, 0.3, 0.9)]


def clip(x):
    return min(max(x, 0.0), 1.0)


def grey(p):
    return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]


def show(name, pixels):
    print(name, [round(clip(x), 6) for p in pixels for x in p])


def hue(turns):
    result = []
    for p in PIXELS:
        h, s, v = colorsys.rgb_to_hsv(*p)
        result.append(colorsys.hsv_to_rgb((h + turns) % 1.0, s, v))
    return result


mean = sum(grey(p) for p in PIXELS) / len(PIXELS)
show("brightness 1.3", [[1.3 * x for x in p] for p in PIXELS])
show("contrast 0.5", [[0.5 * x + 0.5 * mean for x in p] for p in PIXELS])
show("saturation 0.5", [[0.5 * x + 0.5 * grey(p) for x in p] for p in PIXELS])
show("grey", [[grey(p)] * 3 for p in PIXELS])
show("hue 0.1", hue(0.1))
show("hue -0.25", hue(-0.25))
