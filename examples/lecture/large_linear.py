"""Trains the linear layer 256 x 256 x 3 -> 1000 for two epochs, and measures what memory netc takes: python3 large_linear.py

The pictures are noisy views of 10 random prototypes, each a class among the 1000: no data set is needed, and the layer must
read all test pictures after two epochs.
"""
import resource
import sys
import tempfile

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, here, netc

CLASSES, VIEWS = 10, 10


def pictures(size):
    random = np.random.default_rng(0)
    prototypes = random.integers(0, 256, (CLASSES, 3, size, size))
    label = np.repeat(np.arange(CLASSES), VIEWS)
    noise = random.integers(-60, 61, (len(label), 3, size, size))
    return {"image": np.clip(prototypes[label] + noise, 0, 255).astype(np.uint8), "label": label * 50}


def train(size):
    """The last epoch, and the peak of netc's memory in bytes."""
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file.name, **pictures(size))
        rate = 3e-4 * (256 / size) ** 2  # the gradient has that many parts fewer
        last = netc.train(here("large_linear.net"), data=file.name, batch=16, epochs=2, set={"size": size, "lr0": rate})[-1]
    return last, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def main():
    given = arguments(__doc__)
    size = 128 if given.small else 256
    _, alone = train(16)
    last, peak = train(size)
    weights = 4 * 3 * size * size * 1000
    print(f"{weights // 4} weights: {peak / weights:.2f} times their bytes at the peak, of which a layer for 16 x 16 pixels needs "
          f"{alone / weights:.2f}, too; test accuracy {last['test_accuracy']}, {last['seconds']:.1f} s for 80 pictures")
    assert last["test_accuracy"] == 1
    assert peak - given.small * alone < 2.5 * weights


if __name__ == "__main__":
    main()
