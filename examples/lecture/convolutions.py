"""Convolution in 1, 2 and 3 dimensions, kernels 3 and 5, strides 1 and 2, paddings 0 and 1: python3 convolutions.py

For each combination numpy convolves random data with random filters; the layer of convolutions.net is trained on these targets
and must find the filters again.
"""
import itertools
import sys
import tempfile

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, here, netc

SIZES = {"signal": (24,), "image": (9, 9), "volume": (7, 7, 7)}


def convolve(x, weight, bias, stride, padding):
    """y[n, o, i...] = bias[o] + sum over c, u... of x[n, c, stride*i + u...] * weight[o, c, u...]"""
    space = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0)] + [(padding, padding)] * space)
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=tuple(range(2, x.ndim)))
    windows = windows[(slice(None), slice(None)) + (slice(None, None, stride),) * space]
    inner = (1, *range(2 + space, 2 + 2 * space))  # c, u...
    y = np.tensordot(windows, weight, (inner, range(1, 2 + space)))  # n, i..., o
    return np.moveaxis(y, -1, 1) + bias.reshape(-1, *[1] * space)


def data(rows, kernel, stride, padding):
    """The arrays of the model, and the filters to be found by the parameters' names."""
    random, arrays, filters = np.random.default_rng(0), {}, {}
    for name, size in SIZES.items():
        x = random.normal(size=(rows, 2, *size)).astype(np.float32)
        weight, bias = random.normal(size=(3, 2) + (kernel,) * len(size)), random.normal(size=3)
        arrays[name] = x
        arrays[name + "_target"] = convolve(x, weight, bias, stride, padding).astype(np.float32)
        filters |= {f"{name}_conv.weight": weight, f"{name}_conv.bias": bias}
    return arrays, filters


def worstError(rows, epochs, kernel, stride, padding):
    arrays, filters = data(rows, kernel, stride, padding)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(folder + "/data.npz", **arrays)
        netc.train(here("convolutions.net"), data=folder + "/data.npz", epochs=epochs, batch=32, weights_out=folder + "/w.safetensors",
                   set={"kernel": kernel, "stride": stride, "padding": padding})
        found = netc.weights(folder + "/w.safetensors")
    return {len(size): max(np.abs(found[f"{name}_conv.{part}"] - filters[f"{name}_conv.{part}"]).max() for part in ("weight", "bias"))
            for name, size in SIZES.items()}


def main():
    given = arguments(__doc__)
    rows, epochs = (600, 20) if given.small else (1600, 30)
    worst = 0
    for kernel, stride, padding in itertools.product((3, 5), (1, 2), (0, 1)):
        errors = worstError(rows, epochs, kernel, stride, padding)
        print(f"kernel {kernel}, stride {stride}, padding {padding}: largest error of a weight "
              + ", ".join(f"{error:.1e} in {space}-D" for space, error in errors.items()))
        worst = max(worst, *errors.values())
    print(f"24 layers found their filters, every weight to {worst:.1e}")
    assert worst < 1e-3


if __name__ == "__main__":
    main()
