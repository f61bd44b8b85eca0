"""Logistic regression by full-batch gradient descent, by single-sample SGD and by mini-batch SGD.

    python3 convergence.py [--data MNIST-FOLDER] [--epochs 10] [--plot convergence.svg]

The model is examples/logistic/logistic.net: is the digit 5 or more? The loss of the whole training set is computed by numpy
from the weights, now and then; the seconds are those of the training steps alone.
"""
import sys
import time

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, figure, here, netc

MODEL = "../logistic/logistic.net"
METHODS = {"gradient descent": (None, 0.05), "SGD, one sample": (1, 0.002), "SGD, batch 64": (64, 0.02)}  # batch, rate


def lossOf(model, x, t):
    margin = t * (x @ model.get("w") + model.get("b"))
    return np.mean(np.logaddexp(0, -margin))


def descend(images, labels, batch, rate, epochs, points):
    """Arrays of epochs, seconds and losses, `points` in each epoch at most."""
    rows = len(images)
    batch = batch or rows
    model = netc.Model(here(MODEL), batch=batch, set={"lr0": rate})
    x, t = images.reshape(rows, -1).astype(np.float32) / 255, np.where(labels < 5, -1, 1)
    random = np.random.default_rng(0)
    curve, seconds, steps = [(0, 0, lossOf(model, x, t))], 0, -(-rows // batch)
    every = max(1, steps // points)
    for epoch in range(epochs):
        order = random.permutation(rows)
        shuffled, chosen = images[order], labels[order]
        batches = [model.batch({"image": shuffled[i:i + batch], "label": chosen[i:i + batch]}) for i in range(0, rows, batch)]
        for first in range(0, steps, every):
            start = time.perf_counter()
            for one in batches[first:first + every]:
                model.step(one)
            seconds += time.perf_counter() - start
            curve.append((epoch + min(first + every, steps) / steps, seconds, lossOf(model, x, t)))
    return np.array(curve).T


def draw(path, curves):
    with figure(path, 7, 3, columns=2, sharey=True) as (_, (left, right)):
        for name, (epochs, seconds, losses) in curves.items():
            left.plot(epochs, losses, label=name)
            right.plot(seconds[1:], losses[1:], label=name)
        left.set(xlabel="epochs", ylabel="loss of the training set")
        right.set(xlabel="seconds", xscale="log")
        left.legend()


def main():
    given = arguments(__doc__, data=("", "a folder in the MNIST form; else the built-in digits"), epochs=(10, "passes over the data"))
    images, labels, _, _ = netc.digits(given.data)
    if given.small:
        images, labels, given.epochs = images[:4000], labels[:4000], 10
    curves = {name: descend(images, labels, batch, rate, given.epochs, 10) for name, (batch, rate) in METHODS.items()}
    whole, single, mini = curves.values()
    for name, (_, seconds, losses) in curves.items():
        print(f"{name:16}: loss {losses[-1]:.4f} after {given.epochs} epochs and {seconds[-1]:.3f} s")
    reached = [np.interp(-whole[2, -1], -np.minimum.accumulate(c[2]), c[1]) for c in (single, mini)]
    print(f"after {given.epochs} epochs: gradient descent {whole[2, -1]:.4f}, one sample {single[2, -1]:.4f}, batches of 64 {mini[2, -1]:.4f}; "
          f"gradient descent takes {whole[1, -1]:.3f} s to its last loss, one sample {reached[0]:.4f} s, batches of 64 {reached[1]:.4f} s")
    assert (np.diff(whole[2]) < 0).all()  # descent never rises; the others do
    assert (np.diff(single[2]) > 0).any()
    assert max(single[2, -1], mini[2, -1]) < whole[2, -1] - 0.02
    assert reached[1] < whole[1, -1] and (given.small or reached[1] < reached[0])
    if given.plot:
        draw(given.plot, curves)


if __name__ == "__main__":
    main()
