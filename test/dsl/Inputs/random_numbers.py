"""What random_numbers.net draws, against Threefry in numpy. Usage: random_numbers.py NETC MODEL FOLDER"""
import subprocess
import sys

import numpy as np
from threefry import uniform

netc, model, folder = sys.argv[1:]
batch = 40


def drawn(path, count, *shape, seed):  # n counts slowest, the last index fastest
    return uniform(path, np.arange(count * int(np.prod(shape, dtype=int))), seed=seed).reshape(count, *shape)


def expected(n, seed):
    def of(number, *shape):
        return drawn(f"uniform{number}", n, *shape, seed=seed)

    image = (4, 6)
    want = {"a": of(1, 5, 3), "b": of(2, *image), "c": of(3, *image).max(2), "d": of(4, 4),
            "one": uniform("uniform5", np.zeros(1, int), seed=seed), "f": of(6, *image), "g": of(7, *image)}
    want["e"] = np.full((n, *image), want["one"])
    want["h"] = drawn("draw1.uniform1", n, *image, seed=seed) * drawn("second.uniform1", n, *image, seed=seed)
    want["h1"] = drawn("third.uniform1", n, *image, seed=seed)
    want["last"] = np.where(of(9, *image) < 0.5, 1, 2) * np.where(of(10, *image) < 0.5, 1, 2)
    want["l"] = 2 * of(11, *image)
    want["m"] = of(12, *image)
    want["again"] = drawn("draw1.uniform1", n, *image, seed=seed)
    return want


compared = 0
for n, seed, engines in [(1, 0, ("eval", "jit")), (15, 1, ("jit --target x86-64-v3",)), (16, 2**63 - 1, ("eval32", "jit")),
                         (17, 2**40 + 3, ("eval", "jit --threads 3")), (batch, 7, ("jit", "jit --threads 2 --target x86-64-v3"))]:
    np.save(f"{folder}/x.npy", np.ones((n, 4, 6), "f4"))
    want = expected(n, seed)
    for engine in engines:
        command = [netc, "run", model, "--batch", str(batch), "--input", f"x={folder}/x.npy", "--seed", str(seed),
                   "--engine", *engine.split()]
        for name in want:
            command += ["--save", f"{name}={folder}/{name}.out.npy"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for name, y in want.items():
            got = np.load(f"{folder}/{name}.out.npy")
            if engine == "eval" and name == "h":  # a product of two, rounded in float32
                got = got.astype("f4")
            assert np.array_equal(got.reshape(y.shape), y), (engine, n, seed, name)
            compared += y.size
print(compared, "numbers agree")
