"""Activations, normalisation (in prediction) and losses of breadth.net in numpy. Usage: breadth.py NETC MODEL FOLDER"""
import math, subprocess, sys
import numpy as np

netc, model, folder = sys.argv[1:]
rng = np.random.default_rng(1)
B = 6
data = {"x": rng.normal(size=(B, 4, 6, 6)), "z": rng.normal(size=(B, 5)), "p": rng.dirichlet([1, 1, 1], size=B),
        "t": rng.random((B, 5)), "s": rng.choice([-1.0, 1.0], size=B)}
data = {name: v.astype("f4") for name, v in data.items()}
data["label"] = rng.integers(0, 3, size=B).astype("i4")
for name, v in data.items():
    np.save(f"{folder}/{name}.npy", v)
results = "out e1 e2 e3 e4 h v a b c d e f g h2".split()
weights = [f"{l}.{p}" for l in ("c2", "d1", "d2", "d3", "d4") for p in ("weight", "bias")] + ["c1.weight", "c3.weight"]


def conv(x, w, stride=1, groups=1):
    size = (x.shape[2] - w.shape[2]) // stride + 1
    part = lambda v, u: v[:, :, u[0]:u[0] + stride * (size - 1) + 1:stride, u[1]:u[1] + stride * (size - 1) + 1:stride]
    r, q = w.shape[0] // groups, w.shape[1]
    return sum(np.concatenate([np.einsum("nchw,oc->nohw", part(x, u)[:, g * q:(g + 1) * q],
                                         w[g * r:(g + 1) * r, :, u[0], u[1]]) for g in range(groups)], axis=1)
               for u in np.ndindex(*w.shape[2:]))


def normal(x):  # over the last dimension
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


fresh = lambda x: x / np.sqrt(1 + 1e-5)  # batch norm with its first statistics
gelu = lambda x: 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
softplus = lambda x: np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))
for engine in ("eval", "jit"):
    command = [netc, "run", model, "--engine", engine]
    for name in data:
        command += ["--input", f"{name}={folder}/{name}.npy"]
    for name in weights + results:
        command += ["--save", f"{name}={folder}/{name}.out.npy"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    got = {n: np.load(f"{folder}/{n}.out.npy").astype("f8") for n in weights + results}
    x, z, t, s, p = (data[n].astype("f8") for n in "xztsp")
    dense = lambda layer, v: v @ got[layer + ".weight"].T + got[layer + ".bias"]
    h = gelu(fresh(conv(x, got["c1.weight"])))
    h = conv(h, got["c2.weight"], groups=2) + got["c2.bias"].reshape(1, -1, 1, 1)
    h = normal(h.reshape(B, 3, -1)).reshape(h.shape)
    h = normal((h / (1 + np.exp(-h))).reshape(B, -1)).reshape(h.shape)
    d2 = dense("d2", z)
    want = {"h": h * np.clip(h + 3, 0, 6) / 6, "e1": np.where(dense("d1", z) > 0, 1, 0.01) * dense("d1", z),
            "e2": np.where(d2 > 0, d2, np.exp(np.minimum(d2, 0)) - 1), "e3": np.clip(normal(dense("d3", z)), 0, 6),
            "e4": softplus(dense("d4", np.tanh(fresh(conv(x, got["c3.weight"], stride=2))).reshape(B, -1)))}
    logp = got["out"] - np.log(np.exp(got["out"]).sum(1, keepdims=True))
    onehot = np.eye(3)[data["label"]]
    smooth = lambda target, e: -(((1 - e) * target + e / 3) * logp).sum(1).mean()
    margin = s * got["v"]
    far = abs(got["e2"] - t)
    want.update(a=smooth(onehot, 0), b=smooth(onehot, 0.1), c=smooth(p, 0), d=smooth(p, 0.2))
    want["e"] = abs(got["e1"] - t).mean() + np.where(far < 0.7, far ** 2 / 2, 0.7 * (far - 0.35)).mean()
    want["f"] = (np.maximum(0, 1 - margin) + np.exp(-margin) + softplus(-margin)).mean()
    want["g"] = (softplus(got["e3"]) - t * got["e3"]).mean() + ((got["e4"] - t) ** 2).mean()
    want["h2"] = (0.1 * abs(got["d1.weight"]).sum() + 0.01 * (got["d2.weight"] ** 2).sum()
                  + 0.1 * (got["c1.weight"] ** 2).sum())
    for name, y in want.items():
        assert np.allclose(got[name], y, rtol=1e-5, atol=1e-5), (engine, name, abs(got[name] - y).max())
print(len(want), "values agree")
