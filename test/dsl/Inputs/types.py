"""types.net against numpy: types.py NETC MODEL FOLDER."""
import os
import subprocess
import sys

import numpy as np

netc, model, folder = sys.argv[1:]
rng = np.random.default_rng(5)
a = rng.normal(0, 3, (5, 6)).astype("f4")
a[0, :5] = [3e9, -3e9, np.nan, np.inf, -0.9]
k = rng.integers(-9, 10, (5, 6)).astype("i4")
b = rng.integers(0, 3, (5, 6)).astype("u1")
with np.errstate(invalid="ignore"):
    cut = np.trunc(np.clip(np.nan_to_num(a.astype("f8"), nan=0.0, posinf=1e30, neginf=-1e30), -2.0**31, 2147483520.0))
k[1, 2] = int(cut[1, 2])
valid = rng.random((5, 6)) < 0.6
used = np.array([True, False, True, True, False, True])
named = {"a": a, "k": k, "b": b, "valid": valid}
for name, value in named.items():
    np.save(os.path.join(folder, name + ".npy"), value)
x = a.astype("f8")
i = np.arange(6)
c = x[:, 0] < x[:, 1]
with np.errstate(invalid="ignore", over="ignore"):
    z = x * np.prod(1 + x / 10, axis=1, keepdims=True)
    top = z.max(axis=1, keepdims=True)
    expected = {
        "cut": cut, "parity": (k + i) % 3, "thirds": k // 3, "same": (k == cut) * 1.0 + (x > 0),
        "chosen": np.where((x > 0) & (b != 0), x, b / 255), "count": (x > 1).sum(axis=1),
        "nested": ((x[:, :, None] - x[:, None, :]) ** 2).sum(axis=2).max(axis=1),
        "rising": (x[:, 1:] > x[:, :-1]) * 1.0,
        "picked": np.where((x[:, 1:] > x[:, :-1]) & (k[:, 1:] % 2 == 0) | (x[:, :1] > 0), x[:, :-1], k[:, :-1] % 2),
        "kept": np.where(valid, x, b), "agree": ((valid == (b == 1)) * (i + 1)).sum(axis=1),
        "masked": np.where(used & ~valid, 1, np.where(~valid[:, :1], 2, 3)),
        "both": np.where(~c | (k[:, 0] == 2), 1, np.where(c, 2, 3)),
    }
    finite = slice(1, 5)
    soft = np.mean((top + np.log(np.exp(z - top).sum(axis=1, keepdims=True)))[finite])
failed = 0
for engine in ("eval32", "jit"):
    for part, rows in (("all", slice(0, 5)), ("finite", finite)):
        for name in named:
            np.save(os.path.join(folder, name + ".npy"), named[name][rows])
        save = [s for n in [*expected, "soft"] for s in ("--save", f"{n}={folder}/{n}.out.npy")]
        subprocess.run([netc, "run", model, "--engine", engine, *(s for n in named for s in ("--input", f"{n}={folder}/{n}.npy")),
                        *save], check=True, stdout=subprocess.DEVNULL)
        wanted = dict(expected, soft=soft) if part == "finite" else expected
        for name, want in wanted.items():
            want = np.asarray(want, dtype="f8")
            want = want[rows] if want.ndim else want
            got = np.load(os.path.join(folder, name + ".out.npy")).astype("f8")
            if name == "nested" and part == "all":
                want, got = want[1:], got[1:]
            if got.shape != want.shape or not np.allclose(got, want, rtol=1e-4, atol=1e-5, equal_nan=True):
                failed += 1
                print(f"{engine} {part} {name}: found\n{got}\nexpected\n{want}")
print(f"{len(expected) + 1} values, {failed} failed")
sys.exit(1 if failed else 0)
