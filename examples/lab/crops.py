"""Random crops of a picture, ranked by the probability that a network gives them: python3 crops.py [--data MNIST-FOLDER]

A digit is hidden in a picture of scribbles. The network that reads digits (convnet.net) has a class more here, "none", trained
on scribbles and on digits cut off at the side. The crops with the highest probability of a digit must lie over it.
"""
import sys
import tempfile

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, figure, grid, here, netc

SIDE, CROPS, NONE = 84, 1500, 10


def scribble(images, random, size):
    """A heap of patches of digits, turned and cut so that none can be read."""
    canvas = np.zeros((size, size), np.uint8)
    for _ in range(size * size // 90):
        h, w = random.integers(4, 9, 2)
        patch = np.rot90(images[random.integers(len(images)), 8:20, 8:20][:h, :w], random.integers(4))
        y, x = random.integers(size - 12, size=2)
        canvas[y:y + patch.shape[0], x:x + patch.shape[1]] = patch
    return canvas


def cut(image, random):
    """A digit moved so far that a part of it is missing."""
    dy, dx = random.choice([-14, -11, -8, 0, 8, 11, 14], 2)
    moved = np.roll(image, (dy, dx), (0, 1))
    if dy == dx == 0:
        moved = np.roll(image, 14, 1)
    return moved


def trainingSet(images, labels, random, count):
    """Digits on a thin scribble, and scribbles and cut digits as the class `none`."""
    x, t = [], []
    for i in random.choice(len(images), count, replace=False):
        kind = random.integers(4)
        if kind >= 2:
            x.append(images[i])
        elif kind == 1:
            x.append(np.maximum(cut(images[i], random), scribble(images, random, 28) // 3))
        else:
            x.append(scribble(images, random, 28))
        t.append(labels[i] if kind >= 2 else NONE)
    return np.array(x), np.array(t)


def picture(images, random):
    """The picture, and where its digit's corner lies."""
    canvas = scribble(images, random, SIDE)
    y, x = random.integers(SIDE - 28, size=2)
    canvas[y:y + 28, x:x + 28] = images[random.integers(len(images))]
    return canvas, (y, x)


def ranked(canvas, weights, random):
    """Corners of crops, the surest digit first, and their probabilities of being one."""
    corners = random.integers(SIDE - 27, size=(CROPS, 2))
    crops = np.stack([canvas[y:y + 28, x:x + 28] for y, x in corners])
    probability, = netc.run(here("convnet.net"), {"image": crops}, ["probability"], weights=weights, engine="jit", batch=CROPS,
                            set={"classes": NONE + 1})
    digit = 1 - probability[:, NONE]
    order = np.argsort(-digit)
    return corners[order], digit[order], crops[order]


def main():
    given = arguments(__doc__, data=("", "a folder in the MNIST form; else the built-in digits"))
    images, labels, test, _ = netc.digits(given.data)
    random = np.random.default_rng(0)
    x, t = trainingSet(images, labels, random, 4000 if given.small else 12000)
    near, pictures = [], 5 if given.small else 20
    with tempfile.TemporaryDirectory() as folder:
        np.savez(folder + "/crops.npz", image=x, label=t)
        netc.train(here("convnet.net"), data=folder + "/crops.npz", epochs=3, weights_out=folder + "/w.safetensors",
                   set={"classes": NONE + 1})
        for _ in range(pictures):
            canvas, place = picture(test, random)
            corners, probability, crops = ranked(canvas, folder + "/w.safetensors", random)
            near.append(np.abs(corners[0] - place).max())
    print(f"the first of {CROPS} crops lies within 4 pixels of the digit in {np.sum(np.array(near) <= 4)} of {pictures} pictures")
    assert np.sum(np.array(near) <= 4) >= 0.8 * pictures
    if given.plot:
        with figure(given.plot, 6.4, 3.2, columns=2) as (_, (left, right)):
            grid(left, [255 - canvas], 1, symmetric=False)
            left.images[0].set_clim(0, 255)
            for (y, x), color in zip(corners[:3], ("tab:red", "tab:orange", "tab:green")):
                left.plot([x, x + 28, x + 28, x, x], [y, y, y + 28, y + 28, y], color=color, linewidth=1.5)
            left.set_title("the three surest crops")
            grid(right, [1 - crop / 255 for crop in crops[[0, 1, 2, 3, -4, -3, -2, -1]]], 4, symmetric=False)
            right.set_title(f"first: p = {probability[0]:.2f}; last: {probability[-1]:.2f}")


if __name__ == "__main__":
    main()
