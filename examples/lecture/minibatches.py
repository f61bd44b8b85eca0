"""Why mini-batches: the time of a sample and the variance of the gradient over batch sizes 1 to 256.

    python3 minibatches.py [--data MNIST-FOLDER] [--plot minibatches.svg]

The model is examples/mlp/mlp.net at its start. Gradient descent with rate 1 moves the weights by just the gradient, so the
gradient of a batch is the weights before a step minus the weights after it. Its variance, the mean of |g - mean g|^2, falls as
1 / batch size, and the time of a sample falls until the vector units are full: beyond that a larger batch buys a better
gradient only at the full price.
"""
import sys
import time

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, figure, here, netc

MODEL = "../mlp/mlp.net"
SIZES = [2 ** i for i in range(9)]


def gradient(model, start, images, labels):
    for name, values in start.items():
        model.set(name, values)
    model.trainStep(image=images, label=labels)
    return np.concatenate([(values - model.get(name)).ravel() for name, values in start.items()]).astype(np.float64)


def variances(images, labels, repeats):
    """For each size the mean of |g - mean g|^2 over `repeats` batches, and |mean g|^2."""
    model = netc.Model(here(MODEL), batch=SIZES[-1], set={"lr0": 1})
    start = {name: model.get(name) for name in model.names}
    whole = len(images) // SIZES[-1] * SIZES[-1]
    mean = np.mean([gradient(model, start, images[i:i + SIZES[-1]], labels[i:i + SIZES[-1]]) for i in range(0, whole, SIZES[-1])], 0)
    random = np.random.default_rng(1)
    found = []
    for size in SIZES:
        batches = (random.choice(whole, size, replace=False) for _ in range(repeats))
        found.append(np.mean([np.sum((gradient(model, start, images[b], labels[b]) - mean) ** 2) for b in batches]))
    return np.array(found), np.sum(mean ** 2)


def times(images, labels, steps):
    """Microseconds a sample, of the fastest training step with each batch size."""
    found = []
    for size in SIZES:
        model = netc.Model(here(MODEL), batch=size)
        batch = model.batch({"image": images[:size], "label": labels[:size]})
        clock = [time.perf_counter() for _ in range(steps) if model.step(batch)]
        found.append(np.diff(clock).min() * 1e6 / size)
    return np.array(found)


def draw(path, variance, signal, cost):
    with figure(path, 7, 2.8, columns=2) as (_, (left, right)):
        left.loglog(SIZES, cost, "o-")
        left.set(xlabel="batch size", ylabel="time of a sample (µs)")
        right.loglog(SIZES, variance / signal, "o-")
        right.loglog(SIZES, variance[0] / signal / np.array(SIZES), ":", color="black", label="1 / batch size")
        right.set(xlabel="batch size", ylabel="variance of the gradient / |gradient|²")
        right.legend()
        for axes in (left, right):
            axes.set_xticks(SIZES, SIZES)
            axes.minorticks_off()


def main():
    given = arguments(__doc__, data=("", "a folder in the MNIST form; else the built-in digits"))
    images, labels, _, _ = netc.digits(given.data)
    variance, signal = variances(images, labels, 40 if given.small else 200)
    cost = times(images, labels, 50 if given.small else 500)
    for size, v, t in zip(SIZES, variance, cost):
        print(f"batch {size:3}: {t:7.2f} µs a sample, variance of the gradient {v / signal:8.4f} |gradient|^2")
    slope = np.polyfit(np.log(SIZES), np.log(variance), 1)[0]
    print(f"the variance goes as batch size ^ {slope:.2f}; a sample in a batch of 64 takes {cost[6]:.2f} µs, alone {cost[0]:.1f} µs")
    assert abs(slope + 1) < 0.1 and cost[6] < cost[0] / 2
    if given.plot:
        draw(given.plot, variance, signal, cost)


if __name__ == "__main__":
    main()
