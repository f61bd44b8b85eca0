"""The filters of the first layer as images, beside Gabor filters: python3 filters.py [--data FOLDER] [--plot filters.svg]

FOLDER holds MNIST or CIFAR-10; without it netc's built-in digits are read. The Gabor filters are those of a bank of 5760 that
come nearest to each trained filter; before the training they explain much less of it.
"""
import sys
import tempfile

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, figure, grid, here, netc

KERNEL = 9


def gaborBank():
    """Pairs (cosine, sine) of waves under a Gaussian, over angles, wave lengths, widths and places, as unit vectors."""
    line = np.arange(KERNEL) - KERNEL // 2
    y, x = np.meshgrid(line, line, indexing="ij")
    bank = []
    for angle in np.arange(16) * np.pi / 16:
        for wave in (4, 6, 8, 12, 18):
            for width in (1.5, 2, 3):
                for cy, cx in np.ndindex(5, 5):
                    dy, dx = y - 1.5 * (cy - 2), x - 1.5 * (cx - 2)
                    envelope = np.exp(-(dy ** 2 + dx ** 2) / (2 * width ** 2))
                    phase = 2 * np.pi / wave * (dx * np.cos(angle) + dy * np.sin(angle))
                    pair = np.stack([(envelope * np.cos(phase)).ravel(), (envelope * np.sin(phase)).ravel()], 1)
                    bank.append(np.linalg.qr(pair - pair.mean(0))[0])
    return np.array(bank)


def nearest(bank, filters):
    """For each filter the nearest Gabor filter, any phase, and the share of the filter's variance that it explains."""
    flat = filters.reshape(len(filters), -1)
    flat = flat - flat.mean(1, keepdims=True)
    parts = np.einsum("bpk,fp->fbk", bank, flat)
    best = (parts ** 2).sum(2).argmax(1)
    fit = np.array([bank[b] @ part[b] for b, part in zip(best, parts)])
    return fit.reshape(-1, KERNEL, KERNEL), (fit ** 2).sum(1) / (flat ** 2).sum(1)


def train(data, epochs, shape):
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        log = netc.train(here("filters.net"), data=data or None, epochs=epochs, weights_out=file.name, set=shape, threads=2)
        return log[-1], netc.weights(file.name)["first.weight"]


def main():
    given = arguments(__doc__, data=("", "a folder with MNIST or CIFAR-10; else the built-in digits"), epochs=(0, "default 3, CIFAR-10 10"))
    coloured = "cifar" in given.data
    shape = {"colours": 3, "size": 32} if coloured else {"colours": 1, "size": 28}
    start = netc.Model(here("filters.net"), set=shape).get("first.weight")
    last, filters = train(given.data, given.epochs or (10 if coloured else 1 if given.small else 3), shape)
    bank = gaborBank()
    _, before = nearest(bank, start.mean(1))
    gabors, after = nearest(bank, filters.mean(1))
    print(f"test accuracy {last['test_accuracy']:.4f}; Gabor filters explain {before.mean():.2f} of the filters' variance before "
          f"the training, {after.mean():.2f} after it")
    assert after.mean() > before.mean() + 0.2
    if given.plot:
        images = filters.transpose(0, 2, 3, 1) if coloured else filters[:, 0]
        order = np.argsort(-after)
        with figure(given.plot, 6, 3.2, columns=2) as (_, (left, right)):
            grid(left, images[order], 4)
            grid(right, gabors[order], 4)
            left.set_title("filters of the first layer")
            right.set_title("the nearest Gabor filters")


if __name__ == "__main__":
    main()
