"""initialisers.py NETC MODEL FOLDER: the first values of the model's parameters, against what PyTorch's documentation says
of them. Each statistic lies within 5 of its standard deviations."""
import math
import subprocess
import sys

import numpy as np

netc, model, folder = sys.argv[1:]


def fans(shape):
    """torch.nn.init._calculate_fan_in_and_fan_out."""
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def kaiming_uniform(shape, a=0):
    return "uniform", math.sqrt(2 / (1 + a * a)) * math.sqrt(3 / fans(shape)[0])


def kaiming_normal(shape, a=0):
    return "normal", math.sqrt(2 / (1 + a * a)) / math.sqrt(fans(shape)[0])


def xavier_uniform(shape, gain=1):
    return "uniform", gain * math.sqrt(6 / sum(fans(shape)))


def xavier_normal(shape, gain=1):
    return "normal", gain * math.sqrt(2 / sum(fans(shape)))


# nn.Linear and nn.ConvNd: weight and bias; nn.ConvTranspose2d, whose weight is [in, out, ...].
layers = {"dense": (40, 12 * 9 * 9), "conv": (50, 12, 3, 3), "wide": (48, 12, 3, 5), "grouped": (96, 3, 5, 5),
          "depthwise": (240, 1, 3, 3), "transposed": (12, 36, 5, 3), "line": (96, 16, 7)}
want = {"ku": ((160, 24), kaiming_uniform((160, 24))), "ku1": ((24, 160), kaiming_uniform((24, 160), 1)),
        "ku3": ((48, 16, 3, 5), kaiming_uniform((48, 16, 3, 5), math.sqrt(5))),
        "kn": ((160, 24), kaiming_normal((160, 24))), "kn2": ((96, 10, 7), kaiming_normal((96, 10, 7), 2)),
        "xu": ((160, 24), xavier_uniform((160, 24))), "xu2": ((64, 12, 3, 3), xavier_uniform((64, 12, 3, 3), 2)),
        "xn": ((24, 160), xavier_normal((24, 160))), "xn3": ((16, 8, 3, 3, 3), xavier_normal((16, 8, 3, 3, 3), 5 / 3)),
        "narrow": ((4000,), ("normal", 0.3))}
for layer, shape in layers.items():
    outputs = shape[1] if layer == "transposed" else shape[0]
    want[f"{layer}.weight"] = (shape, kaiming_uniform(shape, math.sqrt(5)))
    want[f"{layer}.bias"] = ((outputs,), ("uniform", 1 / math.sqrt(fans(shape)[0])))


def near(name, what, got, expected, deviation):
    assert abs(got - expected) < 5 * deviation, f"{name}: the {what} is {got:.6g}, not {expected:.6g} +- {deviation:.2g}"


def test(name, v, kind, size):
    """Uniform within `size`, or normal with this standard deviation."""
    n = v.size
    v = v.astype(float).ravel() / size  # of a known distribution now
    variance, fourth, eighth = (1 / 3, 1 / 5, 1 / 9) if kind == "uniform" else (1, 3, 105)
    near(name, "mean", v.mean(), 0, math.sqrt(variance / n))
    near(name, "variance", (v**2).mean(), variance, math.sqrt((fourth - variance**2) / n))
    near(name, "fourth moment", (v**4).mean(), fourth, math.sqrt((eighth - fourth**2) / n))
    if kind == "uniform":
        largest = abs(v).max()
        assert 1 - 15 / n < largest <= 1.0000001, f"{name}: the largest is {largest} of the bound"


command = [netc, "run", model, "--input", f"x={folder}/x.npy", "--input", f"s={folder}/s.npy"]
np.save(f"{folder}/x.npy", np.zeros((1, 12, 9, 9), "f4"))
np.save(f"{folder}/s.npy", np.zeros((1, 16, 30), "f4"))
for name in want:
    command += ["--save", f"{name}={folder}/{name}.npy"]
subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
values = {name: np.load(f"{folder}/{name}.npy") for name in want}
for name, (shape, (kind, size)) in want.items():
    assert values[name].shape == shape, f"{name} is {values[name].shape}"
    test(name, values[name], kind, size)
for a, b in (("kn", "xn"), ("ku", "xu")):  # each parameter draws its own numbers
    x, y = values[a].ravel(), values[b].ravel()
    near(f"{a} and {b}", "correlation", np.corrcoef(x, y)[0, 1], 0, 1 / math.sqrt(x.size))
print(f"{len(want)} tensors: {sum(v.size for v in values.values())} numbers as PyTorch would draw them")
