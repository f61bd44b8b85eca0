"""Draws small colour images of ten classes, gratings of ten directions and colours with noise: gratings.py FILE.npz SAMPLES SIZE"""
import sys

import numpy as np

file, samples, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(2)
label = rng.integers(0, 10, samples).astype("u1")
y, x = np.mgrid[0:size, 0:size]
angle = (np.pi * (label % 5) / 5)[:, None, None]
phase = rng.uniform(0, 2 * np.pi, (samples, 1, 1))
wave = np.sin(2 * np.pi / 5 * (x * np.cos(angle) + y * np.sin(angle)) + phase)  # five pixels a period
tint = np.where((label < 5)[:, None], [1.0, 0.6, 0.2], [0.2, 0.6, 1.0])
image = 128 + 60 * wave[:, None] * tint[:, :, None, None] + rng.normal(0, 25, (samples, 3, size, size))
np.savez(file, image=np.clip(image, 0, 255).astype("u1"), label=label)
