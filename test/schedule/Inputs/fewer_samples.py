"""netc run with fewer samples than the batch: gradients of compiled code against the evaluator's, and threads against one.

    fewer_samples.py NETC MODEL FOLDER GRADIENT...
"""
import array
import random
import subprocess
import sys

netc, model, folder, *gradients = sys.argv[1:]


def save(name, code, shape, values):
    header = f"{{'descr': '{code}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    with open(f"{folder}/{name}.npy", "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + values.tobytes())


def run(engine, *options):
    inputs = [f"--input={name}={folder}/{name}.npy" for name in ("image", "label")]
    saves = [f"--save=grad({g})={folder}/{engine}.{g}.npy" for g in gradients]
    subprocess.run([netc, "run", model, "--batch", "32", "--engine", engine, *inputs, *saves, *options], check=True)
    found = []
    for g in gradients:
        with open(f"{folder}/{engine}.{g}.npy", "rb") as file:
            data = file.read()
        header = data[:data.index(b"\n") + 1]
        found.append(array.array("d" if b"<f8" in header else "f", data[len(header):]))
    return found


draw = random.Random(1)
for samples in (1, 5, 30):
    save("image", "|u1", (samples, 1, 28, 28), array.array("B", draw.randbytes(samples * 784)))
    save("label", "<i4", (samples,), array.array("i", (draw.randrange(10) for _ in range(samples))))
    exact, one, three = run("eval"), run("jit"), run("jit", "--threads=3")
    for gradient, a, b, c in zip(gradients, exact, one, three):
        largest = max(map(abs, a))
        error = max(abs(x - y) for x, y in zip(a, b)) / largest if largest > 0 else 1
        print(f"{samples} samples, {gradient}: {'close' if error < 1e-4 else error}, {'same' if b == c else 'other'} bits")
