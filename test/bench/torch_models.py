"""The PyTorch side of test/bench/compare and contractions: one network and one way to run it.

    torch_models.py NET BATCH MODE VARIANT THREADS

Each line read from standard input asks for a round of that many seconds; the answer is a line with the milliseconds of the
fastest and of the median step. MODE is train (forward, cross entropy, backward, SGD with momentum), predict, or, of one layer
conv:IN:OUT:SIZE:KERNEL:STRIDE:PADDING or linear:IN:OUT, input or weight: one of its gradients.
"""
import os
import sys
import time

processor = open("/proc/cpuinfo").read()
os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx512" if "avx512f" in processor else "avx2")
# OpenBLAS does not know newer processors and falls back to SSE; on AMD's its AVX-512 code is slower than that.
os.environ.setdefault("OPENBLAS_CORETYPE", "Zen" if "AuthenticAMD" in processor else "SkylakeX" if "avx512f" in processor else "Haswell")

for library in ("OPENBLAS", "OMP"):  # torch.set_num_threads does not reach OpenBLAS's own threads
    os.environ[f"{library}_NUM_THREADS"] = sys.argv[5]

import torch
from torch import nn

pool = lambda: nn.MaxPool2d(2)


def convBlock(channels, out):
    return [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]


class Block(nn.Module):
    """A residual block of two 3x3 convolutions; the shortcut projects, or takes every other pixel and adds zero channels."""

    def __init__(self, channels, out, stride, projects):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out),
                                  nn.ReLU(inplace=True), nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out))
        self.stride, self.border = stride, (out - channels) // 2
        self.projection = None
        if projects and (stride > 1 or channels != out):
            self.projection = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = self.body(x)
        if self.projection is not None:
            x = self.projection(x)
        elif self.border:
            x = nn.functional.pad(x[:, :, ::self.stride, ::self.stride], [0, 0, 0, 0, self.border, self.border])
        return nn.functional.relu(y + x, inplace=True)


def residual(first, channels, stages, blocks, projects, classes):
    layers = list(first)
    for stage, out in enumerate(stages):
        for b in range(blocks):
            layers.append(Block(channels, out, 2 if stage and not b else 1, projects))
            channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def network(name):
    """The module and the shape of a sample."""
    kind, *sizes = name.split(":")
    if kind == "conv":
        channels, out, size, kernel, stride, padding = map(int, sizes)
        return nn.Conv2d(channels, out, kernel, stride, padding, bias=False), (channels, size, size)
    if kind == "linear":
        return nn.Linear(*map(int, sizes), bias=False), (int(sizes[0]),)
    if name == "mlp_relu":
        return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)), (784,)
    if name == "lenet5":
        return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(inplace=True), pool(), nn.Conv2d(6, 16, 5),
                             nn.ReLU(inplace=True), pool(), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(),
                             nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)), (1, 28, 28)
    if name == "labcnn":
        norm = lambda: [nn.BatchNorm2d(8), nn.ReLU(inplace=True)]
        return nn.Sequential(nn.Conv2d(1, 8, 5), pool(), *norm(), nn.Conv2d(8, 8, 3, padding=1), *norm(),
                             nn.Conv2d(8, 8, 5), pool(), *norm(), nn.Flatten(), nn.Linear(128, 10)), (1, 28, 28)
    if name == "mnist_cnn":
        return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(inplace=True), nn.Conv2d(32, 64, 3), nn.ReLU(inplace=True),
                             pool(), nn.Dropout(0.25), nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5),
                             nn.Linear(128, 10)), (1, 28, 28)
    if name == "vgg":
        return nn.Sequential(*convBlock(3, 64), *convBlock(64, 64), pool(), *convBlock(64, 128), *convBlock(128, 128),
                             pool(), *convBlock(128, 256), *convBlock(256, 256), *convBlock(256, 256), pool(),
                             nn.Flatten(), nn.Linear(4096, 10)), (3, 32, 32)
    if name == "resnet20":
        return residual(convBlock(3, 16), 16, (16, 32, 64), 3, False, 10), (3, 32, 32)
    if name == "resnet18":
        first = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
        return residual(first, 64, (64, 128, 256, 512), 2, True, 1000), (3, 224, 224)
    sys.exit(f"unknown network {name}")


def gradientOf(layer, x, mode, variant):
    """One gradient of a layer, by what autograd calls."""
    with torch.no_grad():
        y = torch.randn_like(layer(x))
    if isinstance(layer, nn.Linear):
        if variant != "eager":
            sys.exit("there is one way")
        weight = layer.weight.detach()
        return (lambda: y @ weight) if mode == "input" else (lambda: y.t() @ x)
    if variant == "mkldnn":
        x, y = x.to_mkldnn(), y.to_mkldnn()
    mask = [mode == "input", mode == "weight", False]
    return lambda: torch.ops.aten.convolution_backward(y, x, layer.weight.detach(), None, layer.stride, layer.padding, [1, 1], False,
                                                       [0, 0], 1, mask)


def stepOf(name, batch, mode, variant):
    model, shape = network(name)
    layout = torch.channels_last if variant == "channels_last" else torch.contiguous_format
    x = torch.randn(batch, *shape)
    if len(shape) == 3:
        x, model = x.contiguous(memory_format=layout), model.to(memory_format=layout)
    labels = torch.randint(10, (batch,))
    model.train(mode == "train")
    if mode == "predict":
        if variant == "frozen":
            with torch.no_grad():
                model = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, x)))

        x = x.to_mkldnn() if variant == "mkldnn" else x

        def predict():
            with torch.no_grad():
                model(x)
        return predict
    if mode in ("input", "weight"):
        return gradientOf(model, x, mode, variant)
    loss, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    forward = (lambda x: model(x.to_mkldnn()).to_dense()) if variant == "mkldnn" else model

    def train():
        loss(forward(x), labels).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return train


def main():
    name, batch, mode, variant, threads = sys.argv[1], int(sys.argv[2]), *sys.argv[3:5], int(sys.argv[5])
    torch.set_num_threads(threads)
    step = stepOf(name, batch, mode, variant)
    for _ in range(3):
        step()
    for line in sys.stdin:
        times, end = [], time.perf_counter() + float(line)
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            step()
            times.append(1e3 * (time.perf_counter() - start))
        print(min(times), sorted(times)[len(times) // 2], flush=True)


main()
