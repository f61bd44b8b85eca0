"""Multinomial logistic regression, 5 epochs of batches of 64, and its weights as ten images.

    python3 weight_images.py [--data MNIST-FOLDER] [--plot weights.png]

A class's weights are bright where its digits have ink and others have none: each image must be most like the mean of its own
digits (less the mean of all), not of another class's.
"""
import sys
import tempfile

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, figure, grid, here, netc


def similarity(weights, images, labels):
    """[i, k]: the correlation of class i's weights with the mean image of class k, where there is ever ink."""
    flat = images.reshape(len(images), -1).astype(float)
    inked = flat.std(0) > 20
    means = np.array([flat[labels == k].mean(0) - flat.mean(0) for k in range(10)])
    return np.corrcoef(weights.reshape(10, -1)[:, inked], means[:, inked])[:10, 10:]


def main():
    given = arguments(__doc__, data=("", "a folder in the MNIST form; else the built-in digits"))
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        log = netc.train(here("softmax_regression.net"), data=given.data or None, batch=64, epochs=5, weights_out=file.name)
        weights = netc.weights(file.name)["head.weight"].reshape(10, 28, 28)
    images, labels, _, _ = netc.digits(given.data)
    like = similarity(weights, images, labels)
    right = (like.argmax(1) == np.arange(10)).sum()
    running = np.mean([epoch["loss"] for epoch in log])
    print(f"the weights of {right} of 10 classes are most like the mean of their own digits (correlation {np.diag(like).mean():.2f})")
    print(f"running mean of the loss over 5 epochs {running:.4f}, test accuracy {log[-1]['test_accuracy']:.4f}")
    assert running < (0.45 if given.data else 0.6) and right >= 9 and log[-1]["test_accuracy"] > 0.9
    if given.plot:
        with figure(given.plot, 6, 2.5) as (_, axes):
            grid(axes, weights, 5, gap=2)


if __name__ == "__main__":
    main()
