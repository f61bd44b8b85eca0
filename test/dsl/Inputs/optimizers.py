"""Ten full-batch steps of each optimizer against its formulas in numpy; batch norm's running statistics.
Usage: optimizers.py NETC FOLDER"""
import json, struct, subprocess, sys
import numpy as np

netc, folder = sys.argv[1:]
rng = np.random.default_rng(3)
B, steps = 4, 10  # netc train keeps a fifth of five rows and more for the test
x = rng.normal(size=(B, 3)).astype("f4")
t = rng.normal(size=B).astype("f4")
with open(f"{folder}/data.csv", "w") as f:
    f.write("a,b,c,t\n")
    for row, y in zip(x, t):
        f.write(",".join(repr(float(v)) for v in [*row, y]) + "\n")
model = """model optimizers
input x: f32[N, 3]
target t: f32[N]
param w: [3] ~ constant(0.5)
param b: [] ~ constant(0.25)
r = x |> batchnorm(affine = false) as norm
y[n] = 3 * (b + sum(k) w[k] * x[n, k]) + 0 * r[n, 0]
output y
loss square_loss(y, t)
train """


def safetensors(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + size])
    head.pop("__metadata__", None)
    at = lambda v: np.frombuffer(data[8 + size + v["data_offsets"][0]:8 + size + v["data_offsets"][1]], "<f4")
    return {name: at(v).astype("f8") for name, v in head.items()}


def gradient(p):
    y = 3 * (p[3] + x.astype("f8") @ p[:3])
    e = 2 * (y - t) / B * 3
    return np.append(x.astype("f8").T @ e, e.sum())


def sgd(p, g, s, k, lr, momentum=0, wd=0, nesterov=False):
    g = g + wd * p
    if momentum:
        s["v"] = momentum * s.get("v", 0) + g
        g = g + momentum * s["v"] if nesterov else s["v"]
    return p - lr * g


def adam(p, g, s, k, lr, wd=0, decoupled=False, b1=0.9, b2=0.999, eps=1e-8):
    if decoupled:
        p = p * (1 - lr * wd)
    else:
        g = g + wd * p
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g * g
    return p - lr / (1 - b1 ** (k + 1)) * s["m"] / (np.sqrt(s["v"]) / np.sqrt(1 - b2 ** (k + 1)) + eps)


def rmsprop(p, g, s, k, lr, momentum=0, centered=False, alpha=0.99, eps=1e-8):
    s["q"] = alpha * s.get("q", 0) + (1 - alpha) * g * g
    s["m"] = alpha * s.get("m", 0) + (1 - alpha) * g
    g = g / (np.sqrt(s["q"] - (s["m"] ** 2 if centered else 0)) + eps)
    s["b"] = momentum * s.get("b", 0) + g
    return p - lr * s["b"]


by_value = lambda g: np.clip(g, -0.3, 0.3)
by_norm = lambda g: g * min(1, 0.5 / (np.sqrt((g * g).sum()) + 1e-6))
same = lambda g: g
cosine = lambda k: 0.001 + 0.5 * 0.009 * (1 + np.cos(np.pi * min(1, k / steps)))
runs = {
    "sgd(lr = 0.01)": (sgd, dict(lr=0.01), same),
    "sgd(lr = 0.01, momentum = 0.9, weight_decay = 0.1)": (sgd, dict(lr=0.01, momentum=0.9, wd=0.1), same),
    "sgd(lr = 0.01, momentum = 0.9, nesterov = true)": (sgd, dict(lr=0.01, momentum=0.9, nesterov=True), same),
    "sgd(lr = 0.01, clip_value = 0.3)": (sgd, dict(lr=0.01), by_value),
    "sgd(lr = 0.01, clip_norm = 0.5)": (sgd, dict(lr=0.01), by_norm),
    "adam(lr = 0.05)": (adam, dict(lr=0.05), same),
    "adam(lr = 0.05, weight_decay = 0.1)": (adam, dict(lr=0.05, wd=0.1), same),
    "adamw(lr = 0.05, weight_decay = 0.1)": (adam, dict(lr=0.05, wd=0.1, decoupled=True), same),
    "rmsprop()": (rmsprop, dict(lr=0.01), same),
    "rmsprop(lr = 0.01, momentum = 0.5, centered = true)": (rmsprop, dict(lr=0.01, momentum=0.5, centered=True), same),
    "sgd(lr = inverse_time_decay(0.01, 0.5))": (sgd, dict(lr=lambda k: 0.01 / (1 + 0.5 * k)), same),
    "sgd(lr = exponential_decay(0.01, 0.8))": (sgd, dict(lr=lambda k: 0.01 * 0.8 ** k), same),
    "sgd(lr = step_decay(0.01, every = 3))": (sgd, dict(lr=lambda k: 0.01 * 0.1 ** (k // 3)), same),
    "sgd(lr = cosine_decay(0.01, end = 0.001))": (sgd, dict(lr=cosine), same),
    "sgd(lr = warm_up(0.01, 4))": (sgd, dict(lr=lambda k: 0.01 * min(1, (k + 1) / 4)), same),
}
mean, var = x.astype("f8").mean(0), x.astype("f8").var(0, ddof=1)
for train, (rule, arguments, clip) in runs.items():
    open(f"{folder}/m.net", "w").write(model + train + "\n")
    r = subprocess.run([netc, "train", f"{folder}/m.net", "--data", f"{folder}/data.csv", "--bind", "x=a..c",
                        "--epochs", str(steps), "--batch", str(B), "--weights-out", f"{folder}/w.safetensors"],
                       capture_output=True, text=True)
    assert r.returncode == 0, (train, r.stdout, r.stderr)
    got = safetensors(f"{folder}/w.safetensors")
    p, s = np.array([0.5, 0.5, 0.5, 0.25]), {}
    for k in range(steps):
        lr = arguments["lr"]
        p = rule(p, clip(gradient(p)), s, k, **{**arguments, "lr": lr(k) if callable(lr) else lr})
    w = np.append(got["w"], got["b"])
    assert np.allclose(w, p, rtol=2e-5, atol=2e-5), (train, w, p)
    keep = 0.9 ** steps
    assert np.allclose(got["norm.running_mean"], (1 - keep) * mean, atol=1e-5), got["norm.running_mean"]
    assert np.allclose(got["norm.running_var"], keep + (1 - keep) * var, atol=1e-5), got["norm.running_var"]
print(len(runs), "training rules agree")
