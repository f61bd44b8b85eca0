"""usage: aarch64.py FOLDER: a data set of the MNIST format, 40 images for training and 10 for the test."""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
folder.mkdir()
rng = np.random.default_rng(1)
for part, n in (("train", 40), ("t10k", 10)):
    for name, array in (("images-idx3", rng.integers(0, 256, (n, 28, 28))), ("labels-idx1", rng.integers(0, 10, n))):
        header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
        (folder / f"{part}-{name}-ubyte").write_bytes(header + array.astype(np.uint8).tobytes())
