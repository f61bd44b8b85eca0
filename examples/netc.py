"""netc from Python, for the scripts of this folder: the command line, and compiled models in this process.

    import netc
    for epoch in netc.train("lenet5/lenet5.net", epochs=3):
        print(epoch["test_accuracy"])
    model = netc.Model("mlp/mlp.net", batch=16, set={"hidden": 32})
    loss = model.trainStep(image=images, label=labels)

netc itself is the program that $NETC names, else build/release/bin/netc. Needs numpy, and g++ for Model.
"""
import ctypes
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("NETC", str(ROOT / "build/release/bin/netc"))


def command(*arguments):
    """Runs netc and returns what it prints; ends this program with netc's message if it fails."""
    result = subprocess.run([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(result.stderr.strip() or f"netc ended with status {result.returncode}")
    return result.stdout


def options(given):
    """{"lr": 0.1, "weights_out": "w"} under `set` and by name -> ["--set", "lr=0.1", "--weights-out", "w"]"""
    words = []
    for name, value in given.items():
        if name in ("set", "bind", "input", "save"):
            for key, item in value.items():
                words += ["--" + name, f"{key}={json.dumps(item) if isinstance(item, (bool, list)) else item}"]
        elif value is not None:
            words += ["--" + name.replace("_", "-"), str(value)]
    return words


def train(model, **given):
    """netc train: a dictionary for each epoch. train("x.net", epochs=2, set={"lr0": 0.1}, weights_out="w.safetensors")"""
    return [json.loads(line) for line in command("train", model, "--json", *options(given)).splitlines()]


def run(model, inputs, names, **given):
    """netc run: the values called `names`, as numpy arrays, for the arrays `inputs`."""
    with tempfile.TemporaryDirectory() as folder:
        for name, array in inputs.items():
            np.save(f"{folder}/{name}.npy", array)
        files = {name: f"{folder}/value{i}.npy" for i, name in enumerate(names)}
        command("run", model, *options({"input": {name: f"{folder}/{name}.npy" for name in inputs}, "save": files}), *options(given))
        return [np.load(files[name]) for name in names]


def weights(path):
    """The tensors of a .safetensors file by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    return {name: np.frombuffer(data[slice(*about["data_offsets"])], "<f4").reshape(about["shape"])
            for name, about in header.items() if name != "__metadata__"}


def writeWeights(path, tensors):
    """A .safetensors file of float32 tensors, such as `--weights` reads."""
    header, at = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [at, at + 4 * array.size]}
        at += 4 * array.size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(np.ascontiguousarray(a, "<f4").tobytes() for a in tensors.values()))


def readIdx(path):
    """An array of the MNIST format, gzipped or not."""
    data = pathlib.Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        import gzip
        data = gzip.decompress(data)
    shape = np.frombuffer(data, ">i4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def digits(folder=None):
    """(training images, labels, test images, labels) of a folder in the MNIST form, or netc's built-in digits."""
    if not folder:
        cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "netc"
        if not list(cache.glob("digits-*/t10k-labels*")):
            command("train", ROOT / "examples/logistic/logistic.net", "--steps", 1)  # draws and keeps them
        folder = sorted(cache.glob("digits-*"))[-1]
    names = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"]
    return [readIdx(next(pathlib.Path(folder).glob(name + "-ubyte*"))) for name in names]


def dataFolder(name):
    """$NETC_DATA/name, or None (and a line that says so) if there is none."""
    folder = pathlib.Path(os.environ.get("NETC_DATA", "")) / name
    if os.environ.get("NETC_DATA") and folder.exists():
        return str(folder)
    print(f"NETC_DATA names no folder with {name}")
    return None


class Tensor(ctypes.Structure):  # NetcTensor of netc/abi.h
    _fields_ = [("name", ctypes.c_char_p), ("role", ctypes.c_int64), ("type", ctypes.c_int64), ("rank", ctypes.c_int64),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("batch", ctypes.c_int64), ("classes", ctypes.c_int64),
                ("classNames", ctypes.c_void_p), ("init", ctypes.c_int64), ("initA", ctypes.c_double),
                ("initB", ctypes.c_double), ("store", ctypes.c_int64), ("values", ctypes.c_void_p),
                ("digits", ctypes.c_int64), ("layout", ctypes.c_void_p)]


class Tables(ctypes.Structure):  # NetcModel
    _fields_ = [("version", ctypes.c_int64), ("name", ctypes.c_char_p), ("fingerprint", ctypes.c_char_p),
                ("maxBatch", ctypes.c_int64), ("storeBytes", ctypes.c_int64), ("tensors", ctypes.POINTER(Tensor)),
                ("tensorCount", ctypes.c_int64)]


class Options(ctypes.Structure):  # NetcOptions of netc/netc.h
    _fields_ = [("seed", ctypes.c_uint64), ("threads", ctypes.c_uint32), ("memory", ctypes.c_void_p),
                ("memorySize", ctypes.c_size_t), ("target", ctypes.c_char_p), ("executor", ctypes.c_void_p * 2)]


def library(model, folder, given):
    """Compiles a .net file and netc's run time into one shared library, and loads it."""
    command(model, "-o", f"{folder}/model.o", *options(given))
    ready = pathlib.Path(PROGRAM).parent.parent / "lib/libnetc_runtime.a"
    runtime = ["-Wl,--whole-archive", ready, "-Wl,--no-whole-archive"] if ready.exists() else \
        ["-O2", "-fPIC", "-ffp-contract=off", "-I", ROOT / "runtime/include", *(ROOT / "runtime/src").glob("*.cpp")]
    subprocess.run(["g++", "-shared", "-o", f"{folder}/model.so", f"{folder}/model.o", *map(str, runtime), "-lpthread"], check=True)
    loaded = ctypes.CDLL(f"{folder}/model.so")
    loaded.netc_message.restype = loaded.netc_parameter_name.restype = ctypes.c_char_p
    loaded.netc_last_result.restype = ctypes.c_float
    loaded.netc_parameter_count.restype = loaded.netc_parameter_size.restype = ctypes.c_size_t
    return loaded


class Model:
    """A .net file, compiled: trainStep and predict take numpy arrays by the names of the inputs and targets."""

    TYPES = [np.float32, np.int32, np.uint8, np.bool_]
    PARAMETER = 2  # the role

    def __init__(self, path, seed=0, threads=1, **given):
        path = pathlib.Path(path)
        with tempfile.TemporaryDirectory() as folder:
            self.code = library(path, folder, given)
            header = pathlib.Path(folder, "model.h").read_text()
        name = header.split("extern const NetcModel ")[1].split("_model;")[0]
        tables = Tables.in_dll(self.code, name + "_model")
        if tables.version != 6:
            sys.exit(f"netc/abi.h has version {tables.version}, netc.py expects 6")
        tensors = tables.tensors[:tables.tensorCount]
        self.inputs = [t for t in tensors if t.role < self.PARAMETER]
        self.shapes = {t.name.decode(): tuple(t.shape[:t.rank]) for t in tensors if t.role == self.PARAMETER}
        self.core = ctypes.c_void_p()
        settings = Options(seed=seed, threads=threads)
        self.check(self.code.netc_create(ctypes.byref(tables), ctypes.byref(settings), ctypes.byref(self.core)))
        count = self.code.netc_parameter_count(self.core)
        self.names = [self.code.netc_parameter_name(self.core, ctypes.c_size_t(i)).decode() for i in range(count)]

    def __del__(self):
        if getattr(self, "core", None):
            self.code.netc_destroy(self.core)

    def check(self, status):
        if status:
            sys.exit(f"netc: status {status}: {(self.code.netc_message(self.core) or b'').decode() if self.core else ''}")

    def batch(self, arrays):
        """Arrays of the inputs' types, kept alive by the caller, pointers to them, and how many samples they hold."""
        kept = [np.ascontiguousarray(arrays[t.name.decode()], self.TYPES[t.type]) if t.name.decode() in arrays else None
                for t in self.inputs]
        pointers = (ctypes.c_void_p * (len(kept) + 1))(*[a.ctypes.data if a is not None else None for a in kept], None)
        return kept, pointers, ctypes.c_size_t(len(next(a for a in kept if a is not None)))

    def step(self, batch):
        """A training step on what batch() returned; the loss before it."""
        loss = ctypes.c_float()
        self.check(self.code.netc_train_step(self.core, batch[1], batch[2], ctypes.byref(loss)))
        return loss.value

    def trainStep(self, **arrays):
        return self.step(self.batch(arrays))

    def evaluate(self, batch):
        """The first loss or metric of the file on what batch() returned."""
        self.check(self.code.netc_run(self.core, b"evaluate", batch[1], None, batch[2]))
        return self.code.netc_last_result(self.core, ctypes.c_size_t(0))

    def predict(self, shape, **arrays):
        """The only output, as an array of this shape."""
        kept, pointers, count = self.batch(arrays)
        out = np.empty(shape, np.float32)
        outputs = (ctypes.c_void_p * 1)(out.ctypes.data)
        self.check(self.code.netc_run(self.core, b"predict", pointers, outputs, count))
        return out

    def get(self, name):
        values = np.empty(self.shapes[name], np.float32)
        self.check(self.code.netc_parameter_get(self.core, ctypes.c_size_t(self.names.index(name)), values.ctypes.data_as(ctypes.c_void_p)))
        return values

    def set(self, name, values):
        kept = np.ascontiguousarray(np.broadcast_to(values, self.shapes[name]), np.float32)
        self.check(self.code.netc_parameter_set(self.core, ctypes.c_size_t(self.names.index(name)), kept.ctypes.data_as(ctypes.c_void_p)))

    def setLearningRate(self, rate):
        self.check(self.code.netc_set_learning_rate(self.core, ctypes.c_float(rate)))
