# SPDX-License-Identifier: Apache-2.0
"""Tail probabilities by mpmath with 40 digits: normal, Student's t, chi-square, F, Kolmogorov. Rows are arguments and result."""
import numpy as np
from mpmath import betainc, erfc, exp, findroot, gammainc, log, mp, mpf, nsum, sqrt

from golden import Golden

mp.dps = 40
golden = Golden("distributions")


def rows(name, function, arguments):
    table = []
    for row in arguments:
        result = float(function(*(mpf(float(x)) for x in row)))
        if result == 0.0 or abs(result) > 1e-300:  # smaller ones have lost digits as doubles
            table.append([*map(float, row), result])
    golden.add(name, np.array(table))


def t_two_sided(t, degrees):
    return betainc(degrees / 2, mpf(1) / 2, 0, degrees / (degrees + t * t), regularized=True)


def f_upper(f, d1, d2):
    return betainc(d2 / 2, d1 / 2, 0, d2 / (d2 + d1 * f), regularized=True)


def quantile(p):
    if p == 0.5:
        return mpf(0)
    tail, sign = (p, -1) if p < 0.5 else (1 - p, 1)
    return sign * findroot(lambda x: log(erfc(x / sqrt(2)) / (2 * tail)), (mpf(0), mpf(40)), solver="anderson")


def kolmogorov(x):
    return 1 - sqrt(2 * mp.pi) / x * nsum(lambda k: exp(-((2 * k - 1) * mp.pi / x) ** 2 / 8), [1, mp.inf])


rows("normal_cdf", lambda x: erfc(-x / sqrt(2)) / 2,
     [[x] for x in (-37, -30.3, -20, -10.1, -5.1, -3, -1, -.1, -1e-9, 0, .3, 1, 2, 5, 8)])
rows("normal_quantile", quantile,
     [[p] for p in (1e-300, 1e-100, 1e-20, 1e-8, .001, .024, .1, .2, .24999, .25, .2500001, .4, .4999999, .5,
                    .50000001, .6, .75, .76, .9, .999, 1 - 1e-12, 1 - 2**-53)])
rows("t", t_two_sided, [[t, d] for d in (1, 2, 3, 4.5, 10, 29, 100, 1e3, 1e6) for t in (1e-8, .5, .999, 1.001, 1.75, 5, 30)])
rows("chi_square", lambda x, k: gammainc(k / 2, x / 2, regularized=True),
     [[m * d, d] for d in (1, 2, 3, 4.5, 10, 101, 1e3, 1e6) for m in (.01, .3, .9, .99, 1, 1.01, 1.1, 1.5, 3, 10)
      if d < 1e4 or abs(m - 1) < .02])
rows("f", f_upper, [[f, a, b] for a in (1, 2, 5, 40, 1000) for b in (1, 3, 20, 200, 50000) for f in (.5, .99, 1, 1.2, 2, 20)])
rows("kolmogorov", kolmogorov, [[x] for x in (.2, .4, .6, .9, .999, 1, 1.001, 1.3, 2, 4)])
golden.write()
