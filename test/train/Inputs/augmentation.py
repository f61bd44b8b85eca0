"""augmentation.py NETC FOLDER THREEFRY: the pictures that a training and a test see, against numpy's computation of each step from
the random numbers of seed, epoch and sample.

A training step on all pictures at once adds each picture to the parameter of its own class, so the weights show what was seen.
"""
import colorsys
import itertools
import json
import math
import os
import struct
import subprocess
import sys

import numpy as np

netc, folder = sys.argv[1:3]
sys.path.insert(0, sys.argv[3])
from threefry import WORD, hashed, threefry, words  # noqa: E402

os.chdir(folder)
samples = 8  # a power of two: means are exact
generator = np.random.default_rng(3)


def draws(epoch, sample, seed):
    key = words(seed)
    for word in (hashed("augmentation of image"), epoch, sample): key = threefry(key, words(word))
    for i in itertools.count():
        x, _ = threefry(key, words(i))
        yield float(x >> WORD(8)) * 2.0**-24


def rounded(x): return np.clip(np.floor(x + 0.5), 0, 255)


def crop(p, top, left, height, width, fill=0):
    out = np.full((len(p), height, width), float(fill))
    for y in range(height):
        for x in range(width):
            if 0 <= y + top < p.shape[1] and 0 <= x + left < p.shape[2]: out[:, y, x] = p[:, y + top, x + left]
    return out


def taps(size, to):
    scale = size / to
    weights = np.maximum(0, 1 - abs(np.arange(size) + 0.5 - (np.arange(to)[:, None] + 0.5) * scale) / max(scale, 1))
    return weights / weights.sum(axis=1, keepdims=True)


def resize(p, height, width): return rounded(np.einsum("yi,xj,cij->cyx", taps(p.shape[1], height), taps(p.shape[2], width), p))


def centre(p, height, width): return crop(p, round((p.shape[1] - height) / 2), round((p.shape[2] - width) / 2), height, width)


def random_crop(size, padding, fill):
    def apply(p, u):
        if not u: return centre(p, *size)
        p = crop(p, -padding, -padding, p.shape[1] + 2 * padding, p.shape[2] + 2 * padding, fill)
        return crop(p, int(next(u) * (p.shape[1] - size[0] + 1)), int(next(u) * (p.shape[2] - size[1] + 1)), *size)
    return apply


def random_resized_crop(size, scale, ratio):
    def box(p, u):
        high, wide = p.shape[1:]
        for _ in range(10):
            area = high * wide * (scale[0] + (scale[1] - scale[0]) * next(u))
            r = math.exp(math.log(ratio[0]) + (math.log(ratio[1]) - math.log(ratio[0])) * next(u))
            w, h = round(math.sqrt(area * r)), round(math.sqrt(area / r))
            if 0 < w <= wide and 0 < h <= high: return int(next(u) * (high - h + 1)), int(next(u) * (wide - w + 1)), h, w
        r = min(max(wide / high, ratio[0]), ratio[1])
        w, h = (wide, round(wide / r)) if wide / high < r else (round(high * r), high)
        return (high - h) // 2, (wide - w) // 2, h, w

    def apply(p, u):
        if u: return resize(crop(p, *box(p, u)), *size)
        side = min(p.shape[1] / size[0], p.shape[2] / size[1])
        h, w = round(side * size[0]), round(side * size[1])
        return resize(crop(p, (p.shape[1] - h) // 2, (p.shape[2] - w) // 2, h, w), *size)
    return apply


def flip(axis, probability):
    return lambda p, u: np.flip(p, axis) if u and next(u) < probability else p


def grey(p): return np.tensordot([0.299, 0.587, 0.114], p, 1) if len(p) == 3 else p[0]


def blend(p, other, factor): return np.clip(factor * p + (1 - factor) * other, 0, 255)


def hue(p, turn):
    out = np.empty_like(p)
    for y in range(p.shape[1]):
        for x in range(p.shape[2]):
            h, s, v = colorsys.rgb_to_hsv(*p[:, y, x])
            out[:, y, x] = colorsys.hsv_to_rgb((h + turn) % 1, s, v)
    return out


def color_jitter(*ranges):
    changes = [lambda p, f: blend(p, 0, f), lambda p, f: blend(p, grey(p).mean(), f),
               lambda p, f: blend(p, grey(p), f) if len(p) == 3 else p, lambda p, f: hue(p, f) if len(p) == 3 else p]

    def apply(p, u):
        if not u: return p
        order = [0, 1, 2, 3]
        for i in (3, 2, 1):
            j = int(next(u) * (i + 1))
            order[i], order[j] = order[j], order[i]
        by = [low + (high - low) * next(u) for low, high in ranges]
        for k in order: p = changes[k](p, by[k])
        return rounded(p)
    return apply


# What is written, what numpy makes of it, the sizes before and after, channels; and how far a rounded value may be off (halves).
cases = [
    ("random_crop(12, padding = 4)", [random_crop((12, 12), 4, 0)], (12, 12), (12, 12), 3, 0),
    ("random_crop([9, 7], padding = 1, fill = 200)", [random_crop((9, 7), 1, 200)], (10, 11), (9, 7), 1, 0),
    ("random_horizontal_flip", [flip(2, 0.5)], (6, 7), (6, 7), 3, 0),
    ("random_vertical_flip(p = 0.25)", [flip(1, 0.25)], (5, 6), (5, 6), 1, 0),
    ("pad([1, 2, 3, 4], fill = 9)", [lambda p, u: crop(p, -2, -1, 16, 14, 9)], (10, 10), (16, 14), 3, 0),
    ("center_crop([5, 8])", [lambda p, u: centre(p, 5, 8)], (8, 5), (5, 8), 3, 0),
    ("resize([7, 20])", [lambda p, u: resize(p, 7, 20)], (16, 13), (7, 20), 3, 1),
    ("resize(9), center_crop(9)", [lambda p, u: resize(p, 9, 14), lambda p, u: centre(p, 9, 9)], (12, 19), (9, 9), 3, 1),
    ("random_resized_crop(8)", [random_resized_crop((8, 8), (0.08, 1), (3 / 4, 4 / 3))], (20, 15), (8, 8), 3, 1),
    ("random_resized_crop([6, 9], scale = [0.9, 1], ratio = [0.1, 0.2])", [random_resized_crop((6, 9), (0.9, 1), (0.1, 0.2))], (14, 12), (6, 9), 1, 1),
    ("color_jitter(brightness = 0.5)", [color_jitter((0.5, 1.5), (1, 1), (1, 1), (0, 0))], (6, 6), (6, 6), 3, 1),
    ("color_jitter(contrast = [0.2, 3])", [color_jitter((1, 1), (0.2, 3), (1, 1), (0, 0))], (6, 6), (6, 6), 1, 1),
    ("color_jitter(saturation = [0, 2])", [color_jitter((1, 1), (1, 1), (0, 2), (0, 0))], (6, 6), (6, 6), 3, 1),
    ("color_jitter(hue = 0.5)", [color_jitter((1, 1), (1, 1), (1, 1), (-0.5, 0.5))], (6, 6), (6, 6), 3, 1),
    ("random_crop(8, padding = 2), random_horizontal_flip, color_jitter(0.4, 0.4, 0.4, 0.1)",
     [random_crop((8, 8), 2, 0), flip(2, 0.5), color_jitter((0.6, 1.4), (0.6, 1.4), (0.6, 1.4), (-0.1, 0.1))], (8, 8), (8, 8), 3, 1),
]


def weights(path):
    with open(path, "rb") as f:
        length = struct.unpack("<Q", f.read(8))[0]
        f.read(length)
        return np.frombuffer(f.read(), "<f4")


def run(*arguments): return subprocess.run([netc, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


seen = changed = 0
for number, (text, steps, before, after, channels, slack) in enumerate(cases):
    pictures = generator.integers(0, 256, (samples, channels, *before), dtype=np.uint8)
    np.savez("set.npz", image=pictures, label=np.arange(samples, dtype=np.int32))
    with open("look.net", "w") as f:
        f.write(f"model look\ninput image: u8[N, {channels}, {after[0]}, {after[1]}]\ntarget label: class({samples})[N]\n"
                f"data image {{ {text.replace('), ', '); ').replace('flip, ', 'flip; ')} }}\n"
                f"param w: [{samples}, {channels}, {after[0]}, {after[1]}] ~ zeros\n"
                "output y = image / 1\nloss -mean(n) sum(k, c, i, j) [k == label[n]] * w[k, c, i, j] * image[n, c, i, j]\n"
                f"train sgd(lr = {samples})\n")

    def compare(found, random, epoch):
        global seen, changed
        for i in range(samples):
            u = draws(epoch, i, number) if random else None
            p = pictures[i].astype(float)
            for step in steps: p = step(p, u)
            off = abs(p - found[i])
            assert off.max() <= slack and (off > 0).mean() <= 0.02, (text, i, epoch, off.max(), (off > 0).mean())
            seen += 1
            changed += p.shape != pictures[i].shape or (p != pictures[i]).any()

    total = 0
    for epoch in range(2):
        run("train", "look.net", "--data", "set.npz", "--validation", "0", "--batch", str(samples), "--seed", str(number),
            "--epochs", str(epoch + 1), "--weights-out", "w.safetensors", "--quiet")
        sums = weights("w.safetensors").reshape(samples, channels, *after)
        compare(sums - total, True, epoch)
        total = sums
    lines = run("predict", "look.net", "--weights", "w.safetensors", "--data", "set.npz", "--format", "json").splitlines()
    compare([np.array(json.loads(line)["y"]).reshape(channels, *after) for line in lines], False, 0)
print(f"{len(cases)} data blocks, {seen} pictures as numpy has them, {changed} of them changed")
