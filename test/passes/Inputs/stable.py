"""stable.py NETC FOLDER: the naive formulas of stable_scalars.net and stable_vectors.net, computed by netc in float32,
against 80 digits. Values and gradients: no infinity, no NaN, relative error below 1e-6 times max(1, condition number),
where what is below the smallest normal float32 counts as 0, in a few terms of the result."""
import os
import subprocess
import sys

import mpmath as mp
import numpy as np

mp.mp.dps = 80
netc, folder = sys.argv[1:3]
here = os.path.dirname(os.path.abspath(__file__))
smallest = mp.mpf(2) ** -126
largest = mp.mpf(2) ** 128


class Dual:
    """A number with its derivatives for all variables."""

    def __init__(self, value, slopes):
        self.v, self.d = mp.mpf(value), slopes

    def with_slope(self, value, slope):
        return Dual(value, [slope * x for x in self.d])

    def __add__(self, o):
        o = lift(o, self)
        return Dual(self.v + o.v, [x + y for x, y in zip(self.d, o.d)])

    def __mul__(self, o):
        o = lift(o, self)
        return Dual(self.v * o.v, [x * o.v + y * self.v for x, y in zip(self.d, o.d)])

    def __truediv__(self, o):
        o = lift(o, self)
        return Dual(self.v / o.v, [(x - y * self.v / o.v) / o.v for x, y in zip(self.d, o.d)])

    def __neg__(self):
        return self * -1

    def __sub__(self, o):
        return self + -lift(o, self)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, o):
        return -self + o

    def __rtruediv__(self, o):
        return lift(o, self) / self


def lift(o, like):
    return o if isinstance(o, Dual) else Dual(o, [mp.mpf(0)] * len(like.d))


def exp(x):
    return x.with_slope(mp.exp(x.v), mp.exp(x.v))


def log(x):
    return x.with_slope(mp.log(x.v), 1 / x.v)


def root_of_square(x):
    return x.with_slope(abs(x.v), mp.sign(x.v))


def erf(x):
    return x.with_slope(mp.erf(x.v), 2 / mp.sqrt(mp.pi) * mp.exp(-x.v * x.v))


def mean(xs):
    return sum(xs[1:], xs[0]) / len(xs)


def total(xs):
    return sum(xs[1:], xs[0])


def nll(x, t):
    s = total([exp(v) for v in x])
    return -total([t[k] * log(exp(x[k]) / s) for k in range(3)])


def expected(x, t):
    s = total([exp(v) for v in x])
    return total([t[k] * (exp(x[k]) / s) for k in range(3)])


def weighted(x, t):
    return total([t[k] * exp(x[k]) for k in range(3)])


def mixture(x, t):
    return log(total([exp(x[k]) * t[k] * exp(-x[k] * x[k]) for k in range(3)]))


def digits(x):
    """Enough for 1 + exp(x) and the like: what is lost is below 1e-80 of the result's least part."""
    mp.mp.dps = 80 + int(0.9 * min(max(abs(v) for v in x), 300))


# Name, formula, and where it has a value, if not everywhere.
scalars = {
    'a': ('softplus_', lambda x: log(1 + exp(x))),
    'b': ('logistic', lambda x: log(1 + exp(-x))),
    'c': ('log_p', lambda x: -log(1 / (1 + exp(-x)))),
    'd': ('log_not_q', lambda x: log(1 + exp(x))),
    'e': ('length', root_of_square),
    'f': ('ratio', lambda x: 0 * x + 3),
    'g': ('gelu_', lambda x: 0.5 * x * (1 + erf(x / mp.sqrt(2)))),
    'h': ('elu_', lambda x: x if x.v > 0 else exp(x) - 1),
    'i': ('swish', lambda x: x / (1 + exp(-x))),
    'j': ('tangent', lambda x: (exp(x) - exp(-x)) / (exp(x) + exp(-x))),
    'k': ('cauchy', lambda x: log(1 + x * x)),
    'l': ('difference', lambda x: exp(2 * x)),
    'm': ('log_rest', lambda x: log(1 - exp(x)), lambda v: v < 0),
    'r': ('inverse', lambda x: log(exp(x) - 1), lambda v: v > 0),
    'o': ('scaled_rest', lambda x: log((1 - exp(x)) * 3), lambda v: v < 0),
    's': ('reciprocal', lambda x: log(1 + exp(-x))),
    't': ('logit', lambda x: x),
    'y': ('half', lambda x: 0 * x + 0.5),
    'z': ('whole', lambda x: 0 * x + 1),
    'A': ('two', lambda x: log(2 + exp(x))),
    'B': ('bottom', lambda x: log(exp(x) + mp.mpf(float(np.float32(0.001))))),
}
vectors = {
    'a': ('lse', lambda x, t: log(total([exp(v) for v in x]))),
    'b': ('log_mean', lambda x, t: log(mean([exp(v) for v in x]))),
    'c': ('nll', nll),
    'd': ('expected', expected),
    'e': ('variance', lambda x, t: mean([v * v for v in x]) - mean(x) * mean(x)),
    'p': ('spread', lambda x, t: 4 * (mean([v * v for v in x]) - mean(x) * mean(x))),
    'f': ('log_two', lambda x, t: log(exp(x[0]) + exp(x[1]))),
    'g': ('share', lambda x, t: exp(x[0]) / (exp(x[0]) + exp(x[1]))),
    'h': ('log_weighted', lambda x, t: log(weighted(x, t))),
    'o': ('attended', lambda x, t: weighted(x, t) / total([exp(v) for v in x])),
    'r': ('of_weighted', lambda x, t: exp(x[0]) / weighted(x, t)),
    'x': ('log_some', lambda x, t: log(exp(x[0]) + exp(x[2]))),
    'l': ('mixture', mixture),
    'y': ('surprise', lambda x, t: -log(exp(x[0]) / total([exp(v) for v in x]))),
}
# A probability that rounds to 1 takes its distance from 1 along, and tanh' = 1 - tanh^2 likewise: these gradients are right
# to 1e-6 of the largest term in them.
terms_of_gradient = {'c': max, 'd': max, 'g': lambda t: 1, 'o': max, 'r': lambda t: 1 / t[0], 'y': lambda t: 1}


def evaluate(f, x, t=None):
    """Value, gradient, and the condition numbers of both, by a small relative step."""
    digits(x)
    n = len(x)

    def at(values):
        duals = [Dual(v, [mp.mpf(j == k) for j in range(n)]) for k, v in enumerate(values)]
        return f(duals[0]) if t is None else f(duals, t)

    x = [mp.mpf(float(v)) for v in x]
    y = at(x)
    step = mp.mpf(10) ** -20
    of_value = sum(abs(v * g) for v, g in zip(x, y.d)) / abs(y.v) if y.v != 0 else mp.mpf(0)
    of_gradient = [mp.mpf(0)] * n
    for k in range(n):
        moved = at([v * (1 + step) if j == k else v for j, v in enumerate(x)])
        for j in range(n):
            if y.d[j] != 0:
                of_gradient[j] += abs((moved.d[j] - y.d[j]) / y.d[j]) / step
    return y.v, y.d, of_value, of_gradient


worst = 0


def compare(what, x, got, want, condition, scale=0):
    """`scale`: of terms that the result is the difference of."""
    global worst
    got = float(got)
    if abs(want) >= largest:
        good = got == float('inf') if want > 0 else got == float('-inf')
        assert good, f'{what} at {x}: {got}, not {mp.nstr(want, 9)}'
        return
    assert np.isfinite(got), f'{what} at {x}: {got}, not {mp.nstr(want, 9)}'
    allowed = mp.mpf(10) ** -6 * max(1, condition) * max(abs(want), scale) + 4 * smallest
    error = abs(mp.mpf(got) - want)
    worst = max(worst, float(error / allowed)) if abs(want) > smallest else worst
    assert error <= allowed, f'{what} at {x}: {got}, not {mp.nstr(want, 9)}; condition {mp.nstr(condition, 3)}'


def run(model, arrays, names, engine):
    arguments = [netc, 'run', os.path.join(here, model), '--engine', engine, '--batch', '64']
    for name, array in arrays.items():
        np.save(f'{folder}/{name}.npy', array.astype(np.float32))
        arguments += ['--input', f'{name}={folder}/{name}.npy']
    for index, name in enumerate(names):
        arguments += ['--save', f'{name}={folder}/out{index}.npy']
    subprocess.run(arguments, check=True)
    return [np.load(f'{folder}/out{index}.npy') for index in range(len(names))]


def grid():
    points = [0, -0.0, 1e-30, 1e-5, 1e-3, 0.3, 0.5, 1, 1.7, 3, 6.5, 9, 12, 17, 20, 44, 87, 88, 88.5, 90, 104, 1e4]
    return np.array([s * p for p in points for s in (1, -1)], dtype=np.float32)


def test_scalars(engine):
    x = grid()
    names = [y for y, *_ in scalars.values()] + [f'grad({i})' for i in scalars]
    got = run('stable_scalars.net', {i: x for i in scalars}, names, engine)
    for row, (name, f, *where) in enumerate(scalars.values()):
        for k, v in enumerate(x):
            if where and not where[0](v):
                continue
            value, slope, c, cg = evaluate(f, [v])
            compare(f'{engine} {name}', v, got[row][k], value, c)
            scale = 1 if name == 'tangent' else 0
            compare(f'{engine} gradient of {name}', v, got[len(scalars) + row][k], slope[0], cg[0], scale)


def test_vectors(engine):
    rows = [[0, -0.0, 0], [1, 2, 3], [1e4, -1e4, 0], [1e4, 1e4, 1e4], [-1e4, -1e4, -1e4], [88, -88, 0.5], [104, 103, 102],
            [-104, -104, -105], [1e-30, 0, -1e-30], [89, 89, 88], [-1e4, -9999, -1e4 + 2], [1e4, 9999, 9998], [12, -3, 5],
            [0.25, 0.25, -7], [1000.5, 1000.25, 1000.75], [-20, 3, -20], [30, 0, 0], [0, -20, -20], [0, -30, -40],
            [-17, 0, -16.5], [1e4, 9980, 9970], [-87, -88, -86], [0, 1e4, 1e-3]]
    random = np.random.default_rng(3)
    x = np.array(rows + list(random.normal(size=(10, 3)) * 8), dtype=np.float32)
    t = np.array(random.uniform(0.1, 1, size=x.shape), dtype=np.float32)
    names = [y for y, _ in vectors.values()] + [f'grad({i})' for i in vectors] + ['probability']
    got = run('stable_vectors.net', {**{i: x for i in vectors}, 't': t}, names, engine)
    for row, (letter, (name, f)) in enumerate(vectors.items()):
        for n in range(len(x)):
            weights = [mp.mpf(float(v)) for v in t[n]]
            value, slope, c, cg = evaluate(f, x[n], weights)
            parts = 1 if letter == 'b' else 0  # the logarithm of a sum less that of 3
            compare(f'{engine} {name}', x[n], got[row][n], value, c, parts)
            for k in range(3):
                scale = terms_of_gradient.get(letter, lambda t: 0)(weights)
                compare(f'{engine} gradient {k} of {name}', x[n], got[len(vectors) + row][n][k], slope[k], cg[k], scale)
    for n in range(len(x)):
        for k in range(3):
            one = [mp.mpf(j == k) for j in range(3)]
            value, _, c, _ = evaluate(expected, x[n], one)
            compare(f'{engine} probability', x[n], got[-1][n][k], value, c)


for engine in ('eval32', 'jit'):
    test_scalars(engine)
    test_vectors(engine)
print(f'stable: the worst error is {worst:.2f} of what is allowed')
