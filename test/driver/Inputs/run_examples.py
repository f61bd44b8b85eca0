"""Runs the commands that documentation shows: run_examples.py NETC ROOT FOLDER FILE.md [PATTERN]. They are the lines
that begin with `netc`, in ```sh blocks or (given a pattern) anywhere; they run in FOLDER, with data made for them."""
import os
import random
import re
import struct
import subprocess
import sys

import numpy

netc, root, folder, page = sys.argv[1:5]
pattern = sys.argv[5] if len(sys.argv) > 5 else None
os.makedirs(folder + "/mnist", exist_ok=True)
os.chdir(folder)
if not os.path.lexists("examples"):
    os.symlink(root + "/examples", "examples")


def makeIris():
    """150 rows in the form of the UCI file, about as its classes lie."""
    generator = random.Random(1)
    means = {"setosa": (5.0, 3.4, 1.5, 0.2), "versicolor": (5.9, 2.8, 4.3, 1.3), "virginica": (6.6, 3.0, 5.5, 2.0)}
    with open("iris.data", "w") as f:
        for name, mean in means.items():
            for _ in range(50):
                f.write(",".join("%.1f" % max(0.1, generator.gauss(m, 0.2)) for m in mean) + f",Iris-{name}\n")
        f.write("\n")


def makeMnist():
    generator = numpy.random.default_rng(1)
    for part, n in (("train", 40), ("t10k", 10)):
        with open(f"mnist/{part}-images-idx3-ubyte", "wb") as f:
            f.write(struct.pack(">IIII", 0x803, n, 28, 28) + generator.integers(0, 256, n * 784, "u1").tobytes())
        with open(f"mnist/{part}-labels-idx1-ubyte", "wb") as f:
            f.write(struct.pack(">II", 0x801, n) + generator.integers(0, 10, n, "u1").tobytes())


makeIris()
makeMnist()
numpy.save("x.npy", numpy.array([[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]], "f4"))
digits = numpy.random.default_rng(2)
numpy.savez_compressed("drawn.npz", x_train=digits.integers(0, 256, (50, 28, 28), "u1"), y_train=digits.integers(0, 10, 50))
text = open(page, encoding="utf-8").read().replace("\\\n", " ")
if pattern is None:
    text = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S))
commands = [c for c in re.findall(r"^ *netc( .*)", text, re.M) if re.search(pattern or "", c)]
for command in commands:
    print("$ netc" + command, flush=True)
    result = subprocess.run(["bash", "-c", f"'{netc}'" + command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(result.stdout, flush=True)
    if result.returncode:
        sys.exit(f"{page}: this command fails: netc{command}")
sys.exit(0 if commands else f"{page}: no commands")
