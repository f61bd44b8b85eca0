"""Updates of gradients that were summed up over several calls equal those of one large batch.

usage: accumulation.py NETC FOLDER
"""
import hashlib
import subprocess
import sys

import numpy as np

from optimizers import read

netc, folder = sys.argv[1:]
rng = np.random.default_rng(5)

# A loss with data, one without, a norm over the parameters of two parts with rates of their own, and N in a rate.
model = """model windows
input x: f32[N, 5]
target t: f32[N, 2]
h = x |> dense(7) |> LAYER
y = h |> dense(2) as head
output y
loss fit = square_loss(y, t)
loss decay = 0.01 * l2(dense1.weight)
train """
plain, normed = model.replace("LAYER", "tanh"), model.replace("LAYER", "batchnorm |> tanh")


def table(rows):
    path = f"{folder}/{rows}.csv"
    data = rng.normal(size=(rows * 5 // 4, 7))  # a fifth is kept for the test
    with open(path, "w") as f:
        f.write("a,b,c,d,e,t,u\n" + "".join(",".join(f"{v:.6g}" for v in row) + "\n" for row in data))
    return path


def trained(source, data, batch, epochs, *more, env=None):
    open(f"{folder}/m.net", "w").write(source + "\n")
    command = [netc, "train", f"{folder}/m.net", "--data", data, "--bind", "x=a..e", "--bind", "t=t..u", "--batch", str(batch),
               "--epochs", str(epochs), "--weights-out", f"{folder}/w.safetensors", *more]
    r = subprocess.run(command, capture_output=True, text=True, env=env)
    assert r.returncode == 0, (source, r.stdout, r.stderr)
    return read(f"{folder}/w.safetensors")


def difference(a, b):
    assert a.keys() == b.keys()
    return max(np.abs(a[n] - b[n]).max() / np.abs(b[n]).max() for n in a)


def same(a, b, what):
    assert difference(a, b) < 2e-6, (what, difference(a, b))


even, uneven = table(128), table(100)
plans = [
    "sgd(lr = 0.05, momentum = 0.9, nesterov = true, weight_decay = 0.1, clip_norm = 0.5)",
    "adam(lr = warm_up(cosine_decay(0.02), 3), clip_norm = 0.5)",
    "sgd(lr = exponential_decay(0.1, 0.5), clip_norm = 0.2) on *.weight + sgd(lr = 0.2 * N / 64, clip_norm = 0.2) on *.bias",
    "rmsprop(lr = inverse_time_decay(0.01, 0.1), centered = true, clip_value = 0.1) on head.*",
]
for plan in plans:
    large = trained(plain + plan, even, 64, 3)
    for batch in (24, 128):  # 24 leaves 16 for the last call of a window; a window is no larger than asked for
        same(trained(plain + plan + ", every = 64", even, batch, 3), large, (plan, batch))
    small = trained(plain + plan, even, 16, 3)
    assert difference(small, large) > 1e-3, (plan, "every is not tested")
# The last window of an epoch holds what is left of it, as the last batch does: 64 and 36 samples.
plan = plans[0]
same(trained(plain + plan + ", every = 64", even, 16, 3), trained(plain + plan, even, 64, 3), "64 samples")
same(trained(plain + plan + ", every = 64", uneven, 16, 3), trained(plain + plan, uneven, 64, 3), "36 samples")
same(trained(plain + plan + ", every = epoch", uneven, 16, 3), trained(plain + plan, uneven, 100, 3), "full batch")
# steps counts updates.
same(trained(plain + plan + ", every = 64", even, 16, 3, "--steps", "3"), trained(plain + plan, even, 64, 3, "--steps", "3"), "steps")

# Statistics follow each call: every = 64 does not change them, as long as the weights stand still.
still = "sgd(lr = 0)"
windows, calls = trained(normed + still + ", every = 64", even, 16, 2), trained(normed + still, even, 16, 2)
for name in ("running_mean", "running_var"):
    assert (windows[f"batchnorm1.{name}"] == calls[f"batchnorm1.{name}"]).all(), name
    assert np.abs(calls[f"batchnorm1.{name}"] - trained(normed + still, even, 64, 2)[f"batchnorm1.{name}"]).max() > 1e-3


# The same bytes, whatever the threads and the instruction set.
def digest(*more):
    trained(normed + plan + ", every = 64", even, 24, 2, *more)
    return hashlib.sha256(open(f"{folder}/w.safetensors", "rb").read()).hexdigest()


assert len({digest("--threads", n, "--target", t) for n, t in (("1", "native"), ("2", "native"), ("3", "x86-64-v3"))}) == 1
print(len(plans), "plans accumulate")
