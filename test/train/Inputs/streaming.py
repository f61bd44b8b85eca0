"""streaming.py NETC FOLDER: data that are read while a training goes on, in the memory of a few pictures, give the bytes that data in
memory give; so does a training that was stopped. What goes wrong on the way is told with the file's name."""
import os
import resource
import signal
import struct
import subprocess
import sys
import time

import numpy as np

netc, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
os.chdir(folder)
generator = np.random.default_rng(7)
sample = "weights.safetensors"


def ppm(path, height, width, bright):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    pixels = generator.integers(0, 128, (height, width, 3)) + 100 * bright
    with open(path, "wb") as f: f.write(b"P6\n%d %d\n255\n" % (width, height) + pixels.astype("u1").tobytes())


def folders(root, each, low, high):
    for part, count in (("train", each), ("val", each // 4)):
        for label in (0, 1):
            for i in range(count):
                height, width = generator.integers(low, high, 2)
                ppm(f"{root}/{part}/{'ab'[label]}/{i}.ppm", height, width, label)


def net(name, size, channels, classes, block, more=""):
    with open(name, "w") as f:
        f.write(f"model net\ninput image: u8[N, {channels}, {size}, {size}]\ntarget label: class({classes})[N]\n{block}\n"
                f"logits = image / 255 |> conv(4, 3) |> relu |> flatten |> dense({classes})\noutput p = softmax(logits)\n"
                f"loss cross_entropy(logits, label)\ntrain sgd(lr = 0.05, momentum = 0.9){more}\n")


def train(*arguments, check=True):
    return subprocess.run([netc, "train", *arguments], check=check, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def weights(*arguments):
    if os.path.exists(sample): os.remove(sample)
    out = train(*arguments, "--weights-out", sample).stdout
    with open(sample, "rb") as f: return f.read(), out


def same(what, base, *others):
    first, _ = weights(*base)
    for other in others:
        found, _ = weights(*base, *other)
        if found != first: sys.exit(f"{what}: {' '.join(other)}: other weights than in memory")
    print(f"{what}: the same weights in {len(others) + 1} ways")


augment = "data image { random_resized_crop(16, scale = [0.3, 1]); random_horizontal_flip; color_jitter(0.3, 0.3, 0.3, 0.1) }"
folders("pictures", 60, 18, 60)
net("pictures.net", 16, 3, 2, augment)
net("plain.net", 16, 3, 2, "")
net("windows.net", 16, 3, 2, augment, ", every = 50")
with open("pictures/train/a/3.ppm", "r+b") as f: f.truncate(200)
ways = (["--data-memory", "1"], ["--data-memory", "60K"], ["--threads", "2", "--data-memory", "1"])
base = ["pictures.net", "--data", "pictures", "--epochs", "3", "--batch", "16"]
same("pictures", base, *ways)
same("without steps", ["plain.net", *base[1:]], *ways)
same("windows", ["windows.net", *base[1:]], *ways)
same("validation", [*base, "--validation", "0.25"], *ways)
_, out = weights(*base, "--data-memory", "1")
print(out.splitlines()[0])
if weights(*base)[0] == weights(*base, "--seed", "1")[0] or weights(*base)[0] == weights(*base, "--augment", "none")[0]:
    sys.exit("seed or steps change nothing")

# Stopped within an epoch, and gone on with.
whole, _ = weights(*base)
for stop in ("5", "8", "13"):
    train(*base, "--out", "run" + stop, "--steps", stop, "--data-memory", "1")
    train(*base, "--out", "run" + stop, "--resume")
    with open(f"run{stop}/weights.safetensors", "rb") as f:
        if f.read() != whole: sys.exit(f"stopped after {stop} steps: other weights")
print("resumed: the same weights")

# Arrays in files.
count = 200
pixels, labels = generator.integers(0, 256, (count, 1, 16, 16), dtype="u1"), generator.integers(0, 10, count, dtype="u1")
os.makedirs("idx")
for part in ("train", "t10k"):
    with open(f"idx/{part}-images-idx3-ubyte", "wb") as f: f.write(struct.pack(">IIII", 0x803, count, 16, 16) + pixels.tobytes())
    with open(f"idx/{part}-labels-idx1-ubyte", "wb") as f: f.write(struct.pack(">II", 0x801, count) + labels.tobytes())
colour = generator.integers(0, 256, (count, 3, 32, 32), dtype="u1")
os.makedirs("cifar")
for name in ("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"):
    with open("cifar/" + name, "wb") as f:
        for i in range(count): f.write(bytes([labels[i]]) + colour[(i + len(name)) % count].tobytes())
net("grey.net", 16, 1, 10, "")
net("grey_steps.net", 16, 1, 10, "data image { random_crop(16, padding = 2) }")
net("colour.net", 32, 3, 10, "")
net("colour_steps.net", 32, 3, 10, "data image { random_crop(32, padding = 4); random_horizontal_flip }")
for name, source in (("grey", "idx"), ("grey_steps", "idx"), ("colour", "cifar"), ("colour_steps", "cifar")):
    same(f"{name} from {source}", [name + ".net", "--data", source, "--epochs", "2"], ["--data-memory", "1K"])
with open("line.net", "w") as f:
    f.write("model line\ninput x: f32[N, 40]\ny = x |> dense(1)\noutput y\nloss mean(n) (y[n, 0] - x[n, 0])^2\ntrain sgd(lr = 0.01)\n")
with open("line.net") as f: line = f.read()
with open("byte.net", "w") as f: f.write(line.replace("f32[", "u8["))
for kind in ("f4", "f8", "u1"):
    np.save(f"x_{kind}.npy", generator.integers(0, 3, (count, 40)).astype(kind))
    same(f"{kind} from .npy", ["line.net", "--data", f"x_{kind}.npy", "--epochs", "2"], ["--data-memory", "1K"])


# Far more pictures than the memory that they may take.
def peak(*arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    train(*arguments)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, before


folders("large", 70, 380, 400)
base = ["pictures.net", "--data", "large", "--epochs", "1", "--batch", "16"]
streamed, before = peak(*base, "--data-memory", "8M")
kept, _ = peak(*base)
if kept - max(streamed, before) < 30000: sys.exit(f"{before} kB before, {streamed} kB streamed, {kept} kB in memory")
print("large: in the memory of a part")


def going(message, act, *arguments):
    """A training that would last for ever, to which something happens after its first epoch."""
    process = subprocess.Popen([netc, "train", *arguments, "--epochs", "1000000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("epoch"): break
    act(process)
    _, errors = process.communicate(timeout=60)
    print(f"{message}: status {process.returncode}, {errors.strip().splitlines()[-1 if message != 'stopped' else -2]}")


going("removed", lambda p: os.remove("pictures/train/b/5.ppm"), "pictures.net", "--data", "pictures", "--data-memory", "1")
# Without a test part, which is read anew in each epoch and would come first: what is mapped into memory is noticed.
mapped = ["--data-memory", "1K", "--validation", "0"]
going("truncated", lambda p: os.truncate("x_f4.npy", 1000), "line.net", "--data", "x_f4.npy", *mapped)
going("shortened by a byte", lambda p: os.truncate("x_u1.npy", os.path.getsize("x_u1.npy") - 1), "byte.net", "--data", "x_u1.npy",
      *mapped)
going("stopped", lambda p: p.send_signal(signal.SIGINT), "pictures.net", "--data", "pictures", "--data-memory", "1", "--out", "stopped")
