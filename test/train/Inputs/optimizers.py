"""Twenty steps of each optimizer, clipping and rate on a small network, against their formulas in numpy (float64).

usage: optimizers.py NETC FOLDER

The formulas are PyTorch's. All samples are alike, so that every batch has the same gradient, in whatever order; five
steps make an epoch, so that a rate by step and one by epoch differ.
"""
import json
import struct
import subprocess
import sys

import numpy as np

netc, folder = sys.argv[1:]
rng = np.random.default_rng(3)
perEpoch, epochs, batch = 5, 4, 3
steps = perEpoch * epochs
x = rng.normal(size=3).astype("f4").astype("f8")
t = rng.normal(size=2).astype("f4").astype("f8")
with open(f"{folder}/data.csv", "w") as f:  # a fifth of a table is kept for the test
    f.write("a,b,c,t,u\n" + (",".join(repr(float(v)) for v in [*x, *t]) + "\n") * (perEpoch * batch * 5 // 4))
model = """model optimizers
input x: f32[N, 3]
target t: f32[N, 2]
h = tanh(x |> dense(4))
y = h |> dense(2)
output y
loss square_loss(y, t)
train """
start = {
    "dense1.weight": rng.uniform(0.3, 0.9, (4, 3)),
    "dense1.bias": rng.uniform(0.3, 0.9, 4),
    "dense2.weight": rng.uniform(0.3, 0.9, (2, 4)),
    "dense2.bias": rng.uniform(0.3, 0.9, 2),
}
start = {name: w.astype("f4").astype("f8") for name, w in start.items()}


def write(path, tensors):
    head, data = {}, b""
    for name, w in tensors.items():
        part = w.astype("<f4").tobytes()
        head[name] = {"dtype": "F32", "shape": list(w.shape), "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(head).encode()
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8 : 8 + size])
    head.pop("__metadata__", None)
    at = lambda v: np.frombuffer(data[8 + size :][v["data_offsets"][0] : v["data_offsets"][1]], "<f4")
    return {name: at(v).astype("f8").reshape(v["shape"]) for name, v in head.items()}


def gradients(p):
    h = np.tanh(p["dense1.weight"] @ x + p["dense1.bias"])
    e2 = (p["dense2.weight"] @ h + p["dense2.bias"] - t) * 2 / t.size
    e1 = (p["dense2.weight"].T @ e2) * (1 - h * h)
    return {"dense1.weight": np.outer(e1, x), "dense1.bias": e1, "dense2.weight": np.outer(e2, h), "dense2.bias": e2}


# Each takes a parameter, its gradient, its states and the number of the step, and gives the new parameter.
def sgd(w, g, s, k, lr, momentum=0, weight_decay=0, nesterov=False):
    g = g + weight_decay * w
    if momentum:
        s["v"] = momentum * s.get("v", 0) + g
        g = g + momentum * s["v"] if nesterov else s["v"]
    return w - lr * g


def adam(w, g, s, k, lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0):
    g = g + weight_decay * w
    s["m"] = beta1 * s.get("m", 0) + (1 - beta1) * g
    s["v"] = beta2 * s.get("v", 0) + (1 - beta2) * g * g
    root = np.sqrt(s["v"]) / np.sqrt(1 - beta2 ** (k + 1)) + eps
    return w - lr / (1 - beta1 ** (k + 1)) * s["m"] / root


def adamw(w, g, s, k, lr, weight_decay=0.01, **more):
    return adam(w * (1 - lr * weight_decay), g, s, k, lr, **more)


def rmsprop(w, g, s, k, lr, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False):
    g = g + weight_decay * w
    s["q"] = alpha * s.get("q", 0) + (1 - alpha) * g * g
    s["m"] = alpha * s.get("m", 0) + (1 - alpha) * g
    g = g / (np.sqrt(s["q"] - (s["m"] ** 2 if centered else 0)) + eps)
    s["b"] = momentum * s.get("b", 0) + g
    return w - lr * s["b"]


def length(gs):
    return np.sqrt(sum((g * g).sum() for g in gs.values()))


def by_value(bound):
    return lambda gs: {n: np.clip(g, -bound, bound) for n, g in gs.items()}


def by_norm(bound):
    return lambda gs: {n: g * min(1, bound / (length(gs) + 1e-6)) for n, g in gs.items()}


def unclipped(gs):
    return gs


def cosine(lr, k):
    return 0.001 + 0.5 * (lr - 0.001) * (1 + np.cos(np.pi * k / steps))


# What stands after train: its rule, arguments and clipping. A rate is a number or a function of step and epoch.
runs = {
    "sgd(lr = 0.1)": (sgd, dict(lr=0.1), unclipped),
    "sgd(lr = 0.1, momentum = 0.9)": (sgd, dict(lr=0.1, momentum=0.9), unclipped),
    "sgd(lr = 0.1, weight_decay = 0.1)": (sgd, dict(lr=0.1, weight_decay=0.1), unclipped),
    "sgd(lr = 0.05, momentum = 0.9, weight_decay = 0.1, nesterov = true)":
        (sgd, dict(lr=0.05, momentum=0.9, weight_decay=0.1, nesterov=True), unclipped),
    "adam": (adam, dict(lr=0.001), unclipped),
    "adam(lr = 0.05, beta1 = 0.8, beta2 = 0.95, eps = 1e-3, weight_decay = 0.1)":
        (adam, dict(lr=0.05, beta1=0.8, beta2=0.95, eps=1e-3, weight_decay=0.1), unclipped),
    "adamw": (adamw, dict(lr=0.001), unclipped),
    "adamw(lr = 0.05, weight_decay = 0.2)": (adamw, dict(lr=0.05, weight_decay=0.2), unclipped),
    "rmsprop": (rmsprop, dict(lr=0.01), unclipped),
    "rmsprop(lr = 0.005, alpha = 0.9, momentum = 0.5, weight_decay = 0.1)":
        (rmsprop, dict(lr=0.005, alpha=0.9, momentum=0.5, weight_decay=0.1), unclipped),
    "rmsprop(lr = 0.005, eps = 1e-3, momentum = 0.5, centered = true)":
        (rmsprop, dict(lr=0.005, eps=1e-3, momentum=0.5, centered=True), unclipped),
    "sgd(lr = 0.1, clip_value = 0.05)": (sgd, dict(lr=0.1), by_value(0.05)),
    "sgd(lr = 0.1, clip_norm = 0.3)": (sgd, dict(lr=0.1), by_norm(0.3)),
    "adam(lr = 0.01, clip_norm = 0.3)": (adam, dict(lr=0.01), by_norm(0.3)),
    "adamw(lr = 0.01, clip_value = 0.05)": (adamw, dict(lr=0.01), by_value(0.05)),
    "rmsprop(lr = 0.01, clip_norm = 0.3)": (rmsprop, dict(lr=0.01), by_norm(0.3)),
    "sgd(lr = inverse_time_decay(0.1, 0.5))": (sgd, dict(lr=lambda k, e: 0.1 / (1 + 0.5 * k)), unclipped),
    "sgd(lr = exponential_decay(0.1, 0.6))": (sgd, dict(lr=lambda k, e: 0.1 * 0.6**e), unclipped),
    "sgd(lr = step_decay(0.1, every = 2, rate = 0.3))": (sgd, dict(lr=lambda k, e: 0.1 * 0.3 ** (e // 2)), unclipped),
    "sgd(lr = cosine_decay(0.1, end = 0.001), momentum = 0.5)": (sgd, dict(lr=lambda k, e: cosine(0.1, k), momentum=0.5), unclipped),
    "sgd(lr = warm_up(0.1, 8))": (sgd, dict(lr=lambda k, e: 0.1 * min(1, (k + 1) / 8)), unclipped),
    "adam(lr = warm_up(cosine_decay(0.02, 0.001), 8))":
        (adam, dict(lr=lambda k, e: cosine(0.02, k) * min(1, (k + 1) / 8)), unclipped),
}


def reference(rule, arguments, clip):
    p, states = dict(start), {name: {} for name in start}
    for k in range(steps):
        rate = arguments["lr"]
        now = {**arguments, "lr": rate(k, k // perEpoch) if callable(rate) else rate}
        gs = clip(gradients(p))
        p = {n: rule(p[n], gs[n], states[n], k, **now) for n in p}
    return p


def trained(plan):
    open(f"{folder}/m.net", "w").write(model + plan + "\n")
    command = [netc, "train", f"{folder}/m.net", "--data", f"{folder}/data.csv", "--bind", "x=a..c", "--bind", "t=t..u",
               "--epochs", str(epochs), "--batch", str(batch), "--weights", f"{folder}/start.safetensors",
               "--weights-out", f"{folder}/end.safetensors"]
    r = subprocess.run(command, capture_output=True, text=True)
    assert r.returncode == 0, (plan, r.stdout, r.stderr)
    return read(f"{folder}/end.safetensors")


if __name__ == "__main__":
    write(f"{folder}/start.safetensors", start)
    worst = 0
    for plan, run in runs.items():
        expected, found = reference(*run), trained(plan)
        assert expected.keys() == found.keys()
        errors = {n: np.abs(found[n] / expected[n] - 1).max() for n in start}
        moved = min(np.abs(expected[n] - start[n]).min() for n in start)
        assert moved > 1e-3, (plan, "hardly moves", moved)
        assert max(errors.values()) < 1e-5, (plan, errors)
        worst = max(worst, *errors.values())
    print(f"{len(runs)} plans agree, worst relative error {worst:.2g}")
