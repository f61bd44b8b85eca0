"""What uniform() draws in each step of a training, and how it is distributed. Usage: random_steps.py NETC MODEL FOLDER"""
import json
import subprocess
import sys

import numpy as np
from threefry import uniform

netc, model, folder = sys.argv[1:]
np.savetxt(f"{folder}/data.csv", np.random.default_rng(0).normal(size=(40, 3)), delimiter=",", header="a,b,t", comments="")


def trained(steps, seed, threads):
    file = f"{folder}/w.safetensors"
    subprocess.run([netc, "train", model, "--data", f"{folder}/data.csv", "--bind", "x=a..b", "--bind", "t=t", "--batch", "8",
                    "--steps", str(steps), "--seed", str(seed), "--threads", str(threads), "--weights-out", file, "--quiet"],
                   check=True, stdout=subprocess.DEVNULL)
    data = open(file, "rb").read()
    size = int.from_bytes(data[:8], "little")
    place = json.loads(data[8:8 + size])["drawn"]["data_offsets"]
    return np.frombuffer(data[8 + size:][slice(*place)], "f4").reshape(2, 50 * 500)


elements = np.arange(50 * 500)
runs = []
for k in range(12):
    steps, seed = 1 + k % 4, 10 + k // 4
    drawn = trained(steps, seed, threads=1 + k % 2)
    for call, found in zip(("draw1", "draw2"), drawn):
        assert np.array_equal(found, uniform(f"{call}.uniform1", elements, seed, steps - 1)), (k, call)
    runs.append(drawn)
print(len(runs), "steps agree")

# Over seeds, steps, calls and elements: every statistic within 4 standard deviations of its distribution.
u = np.array([[uniform(f"draw{call}.uniform1", np.arange(100000), 10, step) for call in (1, 2)] for step in range(8)], "f8")


def near(name, values, mean, variance):
    z = (values.mean() - mean) / np.sqrt(variance / values.size)
    assert abs(z) < 4, (name, z)


c = u - 0.5
near("mean", u, 1 / 2, 1 / 12)
near("square", c**2, 1 / 12, 1 / 180)
for p in (0.1, 0.25, 0.5, 0.9):
    near(f"mask {p}", (u < p).astype("f8"), p, p * (1 - p))
for name, a, b in [("neighbours", c[..., 1:], c[..., :-1]), ("next but fifteen", c[..., 16:], c[..., :-16]),
                   ("steps", c[1:], c[:-1]), ("calls", c[:, 0], c[:, 1])]:
    near(name, a * b, 0, 1 / 144)
print("statistics of", u.size, "numbers agree")
