"""Shows a few of the built-in test digits as text, with a trained network's predictions.

usage: show_digits.py NETC MODEL.net WEIGHTS.safetensors FOLDER

FOLDER is where `netc train` was told to keep its cache (XDG_CACHE_HOME).
"""
import pathlib
import shutil
import subprocess
import sys

import numpy as np

SHADES = np.array(list(" .:-=+*#%@"))


def readIdx(path):
    data = path.read_bytes()
    rank = data[3]
    shape = np.frombuffer(data, ">i4", rank, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def asText(image):
    """Every other row: characters are twice as high as wide."""
    shades = SHADES[image[::2] // 26]
    return ["".join(row) for row in shades]


def main():
    netc, model, weights, folder = sys.argv[1], sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
    images = readIdx(next(folder.glob("netc/*/t10k-images-idx3-ubyte")))[:8]
    labels = readIdx(next(folder.glob("netc/*/t10k-labels-idx1-ubyte")))[:8]
    np.save(folder / "digits.npy", images)
    subprocess.run([netc, "run", model, "--weights", weights, "--engine", "jit", "--input", f"image={folder / 'digits.npy'}",
                    "--save", f"probability={folder / 'probability.npy'}"], check=True)
    probability = np.load(folder / "probability.npy")
    aside = 4 if shutil.get_terminal_size((120, 24)).columns >= 4 * 30 - 2 else 2
    for first in range(0, len(images), aside):
        some = range(first, first + aside)
        for lines in zip(*(asText(images[i]) for i in some)):
            print("  ".join(lines))
        print("  ".join(f"  read as {probability[i].argmax()} ({probability[i].max():4.0%}), is {labels[i]}".ljust(28) for i in some))


if __name__ == "__main__":
    main()
