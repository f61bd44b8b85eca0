"""usage: make_data.py FOLDER: small data sets in the MNIST format, good ones and broken ones, each in a folder."""
import gzip
import pathlib
import sys

import numpy as np

root = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(1)


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.astype(np.uint8).tobytes()


def files(size=(6, 6), rows=40, labels=None):
    made = {}
    for part, n in (("train", rows), ("t10k", 10)):
        made[f"{part}-images-idx3-ubyte"] = idx(rng.integers(0, 256, (n, *size)))
        made[f"{part}-labels-idx1-ubyte"] = idx(rng.integers(0, 4, n))
    return made


def write(name, contents):
    (root / name).mkdir()
    for file, data in contents.items():
        (root / name / file).write_bytes(data)


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
good = files()
write("good", good)
write("gzipped", {name + ".gz": gzip.compress(data) for name, data in good.items()})
write("cutgzip", {**{k: v for k, v in good.items() if k != IMAGES}, IMAGES + ".gz": gzip.compress(good[IMAGES])[:-300]})
write("missing", {k: v for k, v in good.items() if k != "t10k-labels-idx1-ubyte"})
write("truncated", {**good, IMAGES: good[IMAGES][:-7]})
write("empty", {**good, IMAGES: b""})
write("magic", {**good, IMAGES: b"\x00\x01" + good[IMAGES][2:]})
write("rows", {**good, LABELS: idx(np.zeros(39))})
write("size", files(size=(5, 6)))
write("labels", {**good, LABELS: idx(np.where(np.arange(40) == 2, 7, 1))})
