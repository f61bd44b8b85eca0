"""A picture in grey, smoothed, and its edges, by filters that are tensor literals: python3 picture.py [--plot picture.png]"""
import sys

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, figure, grid, here, netc

SIZE = 64


def scene():
    """A red disc and a green square before a blue sky that fades, with some noise."""
    y, x = np.mgrid[:SIZE, :SIZE]
    picture = np.stack([60 + y, 90 + y, 220 - y], -1).astype(float)
    picture[(y - 26) ** 2 + (x - 22) ** 2 < 15 ** 2] = [200, 40, 30]
    picture[(y > 30) & (y < 56) & (x > 36) & (x < 58)] = [50, 160, 60]
    noise = np.random.default_rng(0).normal(size=picture.shape) * 4
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def correlate(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    return np.einsum("ijuv,uv->ij", windows, kernel)


def main():
    given = arguments(__doc__)
    picture = scene()
    g, smooth, edges = (a[0] for a in netc.run(here("picture.net"), {"image": picture[None]}, ["g", "smooth", "edges"], engine="jit"))
    grey = picture @ [0.299, 0.587, 0.114] / 255
    across = np.outer([1, 2, 1], [-1, 0, 1])
    right = {"grey": (g, grey), "smoothed": (smooth, correlate(grey, np.outer([1, 2, 1], [1, 2, 1]) / 16)),
             "edges": (edges, np.hypot(correlate(grey, across), correlate(grey, across.T)))}
    errors = {name: np.abs(found - expected).max() for name, (found, expected) in right.items()}
    assert max(errors.values()) < 3e-6 and min(expected.max() for _, expected in right.values()) > 0.5
    print("differs from numpy's by at most " + ", ".join(f"{error:.1e} ({name})" for name, error in errors.items()))
    if given.plot:
        with figure(given.plot, 7, 1.9, columns=4) as (_, axes):
            for one, (name, image) in zip(axes, {"picture": picture / 255, "grey": g, "smoothed": smooth, "edges": edges / edges.max()}.items()):
                grid(one, [image], 1, symmetric=False)
                one.set_title(name)


if __name__ == "__main__":
    main()
