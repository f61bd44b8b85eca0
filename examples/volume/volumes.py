#!/usr/bin/env python3
"""Draws noisy volumes with a ball, a cube, a torus or a rod, for volume.net: volumes.py FILE.npz [--samples 5000] [--size 16]"""
import argparse

import numpy as np

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("file")
p.add_argument("--samples", type=int, default=5000)
p.add_argument("--size", type=int, default=16)
p.add_argument("--noise", type=float, default=40)
p.add_argument("--seed", type=int, default=1)
a = p.parse_args()

rng = np.random.default_rng(a.seed)
grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, a.size)] * 3, indexing="ij"), axis=-1)


def solid(kind):
    """The density of one solid, turned and moved at random."""
    turned = (grid - rng.uniform(-0.2, 0.2, 3)) @ np.linalg.qr(rng.normal(size=(3, 3)))[0]
    x, y, z = np.moveaxis(turned, -1, 0)
    r = rng.uniform(0.45, 0.6)
    inside = [x**2 + y**2 + z**2 < r**2, np.maximum(np.maximum(abs(x), abs(y)), abs(z)) < 0.8 * r,
              (np.sqrt(x**2 + y**2) - r) ** 2 + z**2 < 0.22**2, (x**2 + y**2 < 0.25**2) & (abs(z) < 1.6 * r)]
    return inside[kind]


label = rng.integers(0, 4, a.samples).astype("u1")
density = np.stack([200.0 * solid(k) for k in label]) + rng.normal(30, a.noise, (a.samples,) + grid.shape[:3])
np.savez(a.file, density=np.clip(density, 0, 255).astype("u1"), label=label)
