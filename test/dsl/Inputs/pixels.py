"""pixels.net against numpy: pixels.py NETC MODEL FOLDER."""
import os
import subprocess
import sys

import numpy as np

netc, model, folder = sys.argv[1:]
rng = np.random.default_rng(3)
soft = rng.random((2, 3, 4, 5)).astype("f4")
soft /= soft.sum(axis=1, keepdims=True)
data = {"x": 5 * rng.normal(size=(2, 3, 4, 5)).astype("f4"), "label": rng.integers(0, 3, (2, 4, 5)).astype("i4"), "soft": soft,
        "mark": rng.integers(0, 3, (2, 4)).astype("i4")}
for name, value in data.items():
    np.save(os.path.join(folder, name + ".npy"), value)
out = {n: os.path.join(folder, n + ".out.npy") for n in ("z", "probability", "logarithm", "a", "b", "c")}
subprocess.run([netc, "run", model, *(s for n in data for s in ("--input", f"{n}={folder}/{n}.npy")),
                *(s for n, f in out.items() for s in ("--save", f"{n}={f}"))], check=True, stdout=subprocess.DEVNULL)
got = {n: np.load(f).astype("f8") for n, f in out.items()}


def logSoftmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def smoothed(p, smoothing):
    return (1 - smoothing) * p + smoothing / p.shape[1]


def onehot(label):
    return np.moveaxis(np.eye(3)[label], -1, 1)


l, s = logSoftmax(got["z"]), logSoftmax(got["z"].mean(axis=3))
expected = {"probability": np.exp(l), "logarithm": l, "a": -(onehot(data["label"]) * l).sum(axis=1).mean(),
            "b": -(smoothed(soft.astype("f8"), 0.1) * l).sum(axis=1).mean(),
            "c": -(smoothed(onehot(data["mark"]), 0.3) * s).sum(axis=1).mean()}
bad = [n for n, v in expected.items() if not np.allclose(got[n], v, rtol=1e-5, atol=1e-6) or np.allclose(v, 0)]
print(f"{len(expected)} values, {len(bad)} wrong", *bad)
