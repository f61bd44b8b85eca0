"""Convolution and pooling of dimensions.net by slices of numpy arrays. Usage: dimensions.py NETC MODEL FOLDER"""
import itertools, subprocess, sys
import numpy as np

netc, model, folder = sys.argv[1:]
rng = np.random.default_rng(1)
shapes = {"x1": (3, 4, 17), "x2": (3, 4, 9, 10), "x3": (3, 2, 5, 6, 7)}
x = {name: rng.normal(size=shape).astype("f4") for name, shape in shapes.items()}
for name, values in x.items():
    np.save(f"{folder}/{name}.npy", values)
weights = [f"{l}.{p}" for l in "abce" for p in ("weight", "bias")] + ["d.weight", "f.weight"]


def each(v, rank):
    return tuple(v) if isinstance(v, (tuple, list)) else (v,) * rank


def windows(x, kernel, stride, padding, dilation, fill):
    """For each place in the kernel: what all windows have there."""
    rank = x.ndim - 2
    k, t, p, d = (each(v, rank) for v in (kernel, stride, padding, dilation))
    x = np.pad(x, [(0, 0), (0, 0)] + [(q, q) for q in p], constant_values=fill)
    size = [(n - d[i] * (k[i] - 1) - 1) // t[i] + 1 for i, n in enumerate(x.shape[2:])]
    for u in itertools.product(*map(range, k)):
        at = tuple(slice(d[i] * u[i], d[i] * u[i] + t[i] * (size[i] - 1) + 1, t[i]) for i in range(rank))
        yield u, x[(slice(None), slice(None)) + at]


def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    r, q = w.shape[0] // groups, w.shape[1]
    y = 0
    for u, v in windows(x.astype("f8"), w.shape[2:], stride, padding, dilation, 0):
        k = w[(slice(None), slice(None)) + u]
        y = y + np.concatenate([np.einsum("nc...,oc->no...", v[:, g * q:(g + 1) * q], k[g * r:(g + 1) * r])
                                for g in range(groups)], axis=1)
    return y if b is None else y + b.reshape((1, -1) + (1,) * (x.ndim - 2))


def transposed(x, w, b=None, stride=1, padding=0, extra=0, dilation=1):
    rank, k = x.ndim - 2, w.shape[2:]
    full = [(n - 1) * stride + dilation * (k[i] - 1) + 1 + extra for i, n in enumerate(x.shape[2:])]
    y = np.zeros([x.shape[0], w.shape[1]] + full)
    for u in itertools.product(*map(range, k)):
        at = tuple(slice(dilation * u[i], dilation * u[i] + stride * (x.shape[2 + i] - 1) + 1, stride)
                   for i in range(rank))
        y[(slice(None), slice(None)) + at] += np.einsum("nc...,co->no...", x, w[(slice(None), slice(None)) + u])
    y = y[(slice(None), slice(None)) + tuple(slice(padding, n - padding) for n in full)]
    return y if b is None else y + b.reshape((1, -1) + (1,) * rank)


def pool(x, combine, kernel, stride, padding=0, fill=0):
    return combine(np.stack([v for _, v in windows(x, each(kernel, x.ndim - 2), stride, padding, 1, fill)]), axis=0)


for engine in ("eval", "jit"):
    command = [netc, "run", model, "--engine", engine]
    for name in x:
        command += ["--input", f"{name}={folder}/{name}.npy"]
    for name in weights + list("abcdefghi"):
        command += ["--save", f"{name}={folder}/{name}.npy"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    got = {name: np.load(f"{folder}/{name}.npy") for name in weights + list("abcdefghi")}
    w = lambda layer: (got[layer + ".weight"], got.get(layer + ".bias"))
    expected = {
        "a": conv(x["x1"], *w("a"), stride=2, padding=2, dilation=2, groups=2),
        "b": conv(x["x2"], *w("b"), stride=(1, 2), padding=(0, 1), groups=2),
        "c": conv(x["x3"], *w("c"), stride=2, padding=1),
        "d": conv(x["x2"], *w("d"), groups=4),
        "e": transposed(x["x2"], *w("e"), stride=2, padding=1, extra=1),
        "f": transposed(x["x1"], *w("f"), stride=3, dilation=2),
        "g": pool(x["x2"], np.max, 3, 2, padding=1, fill=-np.inf),
        "h": pool(x["x3"], np.mean, 2, 2, padding=1),
        "i": pool(x["x1"], np.max, 2, 2),
    }
    for name, y in expected.items():
        assert got[name].shape == y.shape, (engine, name, got[name].shape, y.shape)
        assert np.allclose(got[name], y, rtol=1e-5, atol=1e-5), (engine, name, np.abs(got[name] - y).max())
print("9 layers agree")
