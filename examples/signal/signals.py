#!/usr/bin/env python3
"""Draws noisy signals of five shapes, for signal.net: signals.py FILE.npz [--samples 20000] [--length 128] [--seed 1]"""
import argparse

import numpy as np

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("file")
p.add_argument("--samples", type=int, default=20000)
p.add_argument("--length", type=int, default=128)
p.add_argument("--noise", type=float, default=0.3)
p.add_argument("--seed", type=int, default=1)
a = p.parse_args()

rng = np.random.default_rng(a.seed)
label = rng.integers(0, 5, a.samples).astype("u1")
time = np.arange(a.length) / a.length
cycles = rng.uniform(3, 7, (a.samples, 1))
growth = np.where(label == 4, 1.5, 0.0)[:, None]  # the frequency of a chirp rises
phase = (cycles * time * (1 + growth * (time - 0.5)) + rng.uniform(0, 1, (a.samples, 1))) % 1
shapes = [np.sin(2 * np.pi * phase), np.sign(phase - 0.5), 4 * np.abs(phase - 0.5) - 1, 2 * phase - 1, np.sin(2 * np.pi * phase)]
wave = np.choose(label[:, None], shapes) * rng.uniform(0.7, 1.3, (a.samples, 1)) + rng.normal(0, a.noise, phase.shape)
np.savez(a.file, wave=wave[:, None, :].astype("f4"), label=label)
