"""The prelude's layers, activations and losses against PyTorch's in float64: values, and gradients for inputs and parameters.

usage: NETC=... pytorch.py EXAMPLES FOLDER
"""
import re
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

examples, folder = sys.argv[1:]
sys.path.append(examples)
import netc

torch.set_default_dtype(torch.float64)
torch.manual_seed(1)
LINE, ROW, IMAGE, VOLUME = (3, 4, 11), (3, 6), (3, 4, 7, 6), (3, 2, 5, 4, 5)

# A layer in netc, PyTorch's module, the shape of its input.
LAYERS = [
    ("dense(5)", nn.Linear(6, 5), ROW),
    ("dense(5, bias = false)", nn.Sequential(nn.Flatten(), nn.Linear(168, 5, bias=False)), IMAGE),
    ("conv(3, kernel_size = 3)", nn.Conv1d(4, 3, 3), LINE),
    ("conv(6, kernel_size = 2, stride = 2, padding = 1, dilation = 3, groups = 2, bias = false)",
     nn.Conv1d(4, 6, 2, 2, 1, 3, 2, bias=False), LINE),
    ("conv(3, kernel_size = [3, 2], stride = [1, 2], padding = [2, 0], dilation = [2, 1])",
     nn.Conv2d(4, 3, (3, 2), (1, 2), (2, 0), (2, 1)), IMAGE),
    ("conv(8, kernel_size = 3, padding = 1, groups = 4)", nn.Conv2d(4, 8, 3, padding=1, groups=4), IMAGE),
    ("conv(3, kernel_size = 3, padding = 1, stride = 2)", nn.Conv3d(2, 3, 3, 2, 1), VOLUME),
    ("conv_transpose(3, kernel_size = 4, stride = 3, padding = 1, output_padding = 2, dilation = 2)",
     nn.ConvTranspose1d(4, 3, 4, 3, 1, 2, dilation=2), LINE),
    ("conv_transpose(2, kernel_size = 3, stride = 2, padding = 1, output_padding = 1, bias = false)",
     nn.ConvTranspose2d(4, 2, 3, 2, 1, 1, bias=False), IMAGE),
    ("conv_transpose(2, kernel_size = 2, stride = [2, 1, 3])", nn.ConvTranspose3d(2, 2, 2, (2, 1, 3)), VOLUME),
    ("maxpool(3, stride = 2, padding = 1)", nn.MaxPool1d(3, 2, 1), LINE),
    ("maxpool(3, stride = 2, padding = 1)", nn.MaxPool2d(3, 2, 1), IMAGE),
    ("maxpool([2, 3, 1], stride = 1)", nn.MaxPool3d((2, 3, 1), 1), VOLUME),
    ("avgpool(2)", nn.AvgPool1d(2), LINE),
    ("avgpool([3, 2], stride = [2, 3], padding = 1)", nn.AvgPool2d((3, 2), (2, 3), 1), IMAGE),
    ("avgpool(3, stride = 1)", nn.AvgPool3d(3, 1), VOLUME),
    ("global_avgpool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), IMAGE),
    ("flatten", nn.Flatten(), VOLUME),
    ("pad_zero([1, 2])", nn.ZeroPad2d((2, 2, 1, 1)), IMAGE),
    ("layernorm", nn.LayerNorm(IMAGE[1:]), IMAGE),
    ("layernorm(eps = 0.1, affine = false)", nn.LayerNorm(6, 0.1, False), ROW),
    ("groupnorm(2, eps = 0.01)", nn.GroupNorm(2, 4, 0.01), LINE),
    ("softmax", nn.Softmax(1), ROW),
    ("softmax", nn.Softmax(1), IMAGE),
    ("log_softmax", nn.LogSoftmax(1), ROW),
    ("relu", nn.ReLU(), ROW),
    ("relu6", nn.ReLU6(), ROW),
    ("leaky_relu", nn.LeakyReLU(), ROW),
    ("leaky_relu(0.3)", nn.LeakyReLU(0.3), ROW),
    ("elu", nn.ELU(), ROW),
    ("elu(alpha = 0.5)", nn.ELU(0.5), ROW),
    ("gelu", nn.GELU(), ROW),
    ("silu", nn.SiLU(), ROW),
    ("sigmoid", nn.Sigmoid(), ROW),
    ("tanh", nn.Tanh(), ROW),
    ("softplus", nn.Softplus(), ROW),
    ("hardsigmoid", nn.Hardsigmoid(), ROW),
    ("hardswish", nn.Hardswish(), ROW),
]

# A loss in netc of the scores x and the targets given: label [N], p (probabilities), t [N, 6], sign (-1 or +1), bit (0 or 1).
WEIGHT = torch.tensor([1, 2, 0.5, 3, 0.25, 1.5])
LOSSES = [
    ("square_loss(x, t)", lambda x, g: F.mse_loss(x, g["t"])),
    ("quadratic_loss(x, t)", lambda x, g: 0.5 * ((x - g["t"]) ** 2).sum(1).mean()),
    ("absolute_loss(x, t)", lambda x, g: F.l1_loss(x, g["t"])),
    ("huber_loss(x, t)", lambda x, g: F.smooth_l1_loss(x, g["t"])),
    ("huber_loss(x, t, delta = 0.4)", lambda x, g: F.huber_loss(x, g["t"], delta=0.4)),
    ("hinge_loss(x, sign)", lambda x, g: torch.clamp(1 - g["sign"] * x, min=0).mean()),
    ("exponential_loss(x, sign)", lambda x, g: torch.exp(-g["sign"] * x).mean()),
    ("logistic_loss(x, sign)", lambda x, g: F.soft_margin_loss(x, g["sign"])),
    ("binary_cross_entropy(x, bit)", lambda x, g: F.binary_cross_entropy_with_logits(x, g["bit"])),
    ("binary_cross_entropy(x, p)", lambda x, g: F.binary_cross_entropy_with_logits(x, g["p"])),
    ("cross_entropy(x, label)", lambda x, g: F.cross_entropy(x, g["label"])),
    ("cross_entropy(x, label, label_smoothing = 0.2)", lambda x, g: F.cross_entropy(x, g["label"], label_smoothing=0.2)),
    ("cross_entropy(x, p)", lambda x, g: F.cross_entropy(x, g["p"])),
    ("cross_entropy(x, p, label_smoothing = 0.1)", lambda x, g: F.cross_entropy(x, g["p"], label_smoothing=0.1)),
    ("cross_entropy(x, onehot)", lambda x, g: F.cross_entropy(x, g["label"])),
    ("weighted_cross_entropy(x, label, weight)", lambda x, g: F.cross_entropy(x, g["label"], WEIGHT)),
    ("weighted_cross_entropy(x, label, weight, label_smoothing = 0.2)",
     lambda x, g: F.cross_entropy(x, g["label"], WEIGHT, label_smoothing=0.2)),
    ("weighted_cross_entropy(x, p, weight)", lambda x, g: F.cross_entropy(x, g["p"], WEIGHT)),
    ("l1(x) / N", lambda x, g: torch.linalg.vector_norm(x, 1) / len(x)),
    ("l2(x) / N", lambda x, g: torch.linalg.vector_norm(x) ** 2 / len(x)),
]


def draw(shape, size=1):
    """Random numbers that are floats."""
    return (size * torch.randn(shape)).float().double()


def given():
    label = torch.tensor([4, 0, 2])
    return {"label": label, "t": draw(ROW), "p": torch.softmax(draw(ROW), 1).float().double(), "sign": torch.sign(draw(ROW)),
            "bit": (draw(ROW) > 0).double(), "onehot": F.one_hot(label, 6).double()}


def values(text, arrays, names, **given):
    """The model's values by their names, from compiled code and from the evaluator in float32."""
    with open(f"{folder}/m.net", "w") as f:
        f.write(text)
    arrays = {name: a.detach().numpy().astype("i4" if a.dtype == torch.int64 else "f4") for name, a in arrays.items()}
    for engine in ("jit", "eval32"):
        yield dict(zip(names, netc.run(f"{folder}/m.net", arrays, list(names), engine=engine, **given)))


compared = 0


def agree(what, found, expected, tolerance=2e-6):
    global compared
    expected = expected.detach().numpy()
    assert found.size == expected.size, (what, found.shape, expected.shape)
    error = np.abs(found.reshape(expected.shape) - expected).max()
    assert error < tolerance * max(1, np.abs(expected).max()) and np.abs(expected).max() > 1e-6, (what, error, found, expected)
    compared += 1


def number(name):
    return int(re.search(r"\d+", name)[0])


def layers(numbers):
    text, arrays, tensors, wanted = "model layers\n", {}, {}, {}
    for k in numbers:
        call, module, shape = LAYERS[k]
        x = draw(shape, 2).requires_grad_()
        for parameter in module.parameters():
            parameter.data = draw(parameter.shape)
        y = module(x)
        c = draw(y.shape)
        (c * y).sum().backward()
        label = f" as layer{k}" if list(module.parameters()) else ""
        extents = [", ".join(map(str, t.shape[1:])) for t in (x, y)]
        indices = ", ".join("nijkl"[:y.dim()])
        text += (f"input x{k}: f32[N, {extents[0]}]\ninput c{k}: f32[N, {extents[1]}]\ny{k} = x{k} |> {call}{label}\n"
                 f"output y{k}\nloss loss{k} = sum({indices}) c{k}[{indices}] * y{k}[{indices}]\n")
        arrays |= {f"x{k}": x, f"c{k}": c}
        wanted |= {f"y{k}": y, f"grad(x{k})": x.grad}
        for path, parameter in module.named_parameters():
            name = f"layer{k}.{path.split('.')[-1]}"
            tensors[name] = parameter.detach().numpy()
            wanted[f"grad({name})"] = parameter.grad
    netc.writeWeights(f"{folder}/w.safetensors", tensors)
    for found in values(text, arrays, wanted, weights=f"{folder}/w.safetensors"):
        for name, value in wanted.items():
            agree(f"{name}: {LAYERS[number(name)][0]}", found[name], value)


def losses(numbers):
    targets = given()
    text = "model losses\nconst weight = [1, 2, 0.5, 3, 0.25, 1.5]\ntarget label: class(6)[N]\n"
    text += "".join(f"target {name}: f32[N, 6]\n" for name in targets if name != "label")
    arrays, wanted = dict(targets), {}
    for k in numbers:
        call, function = LOSSES[k]
        x = draw(ROW, 1.5).requires_grad_()
        y = function(x, targets)
        y.backward()
        text += f"input x{k}: f32[N, 6]\nloss loss{k} = {call.replace('(x', f'(x{k}')}\n"
        arrays[f"x{k}"] = x
        wanted |= {f"loss{k}": y, f"grad(x{k})": x.grad}
    for found in values(text, arrays, wanted):
        for name, value in wanted.items():
            agree(f"{name}: {LOSSES[number(name)][0]}", found[name], value)


def batchNorms():
    """Ten steps of training, then a prediction by the running statistics."""
    for conv, norm, size in ((nn.Conv1d, nn.BatchNorm1d, (5,)), (nn.Conv2d, nn.BatchNorm2d, (3, 4)), (nn.Conv3d, nn.BatchNorm3d, (2, 3, 2))):
        net = nn.ModuleDict({"conv": conv(2, 3, 1, bias=False), "norm": norm(3, momentum=0.3, eps=0.01)})
        forward = lambda x: net["norm"](net["conv"](x))
        x, t = draw((16, 2, *size)), draw((16, 3, *size))
        net["conv"].weight.data = draw(net["conv"].weight.shape)
        state = {name: v.numpy().copy() for name, v in net.state_dict().items() if v.dim()}  # but the count of batches
        netc.writeWeights(f"{folder}/first.safetensors", state)
        extents = ", ".join(map(str, size))
        text = (f"model norm\ninput x: f32[N, 2, {extents}]\ntarget t: f32[N, 3, {extents}]\n"
                "y = x |> conv(3, kernel_size = 1, bias = false) as conv |> batchnorm(momentum = 0.3, eps = 0.01) as norm\n"
                "output y\nloss square_loss(y, t)\ntrain sgd(lr = 0.1, momentum = 0.9)\n")
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        for _ in range(10):
            optimizer.zero_grad()
            F.mse_loss(forward(x), t).backward()
            optimizer.step()
        with open(f"{folder}/m.net", "w") as f:
            f.write(text)
        np.savez(f"{folder}/data.npz", x=x.numpy().astype("f4"), t=t.numpy().astype("f4"))
        netc.train(f"{folder}/m.net", data=f"{folder}/data.npz", epochs=10, batch=16, validation=0, weights=f"{folder}/first.safetensors",
                   weights_out=f"{folder}/w.safetensors")
        found = netc.weights(f"{folder}/w.safetensors")
        for name in state:
            agree(f"{name} in {len(size)} dimensions", found[name], net.state_dict()[name], 1e-5)
        net.eval()
        for predicted in values(text, {"x": x}, ["y"], weights=f"{folder}/w.safetensors"):
            agree(f"prediction in {len(size)} dimensions", predicted["y"], forward(x), 1e-5)


for first in range(4):  # a step has no more than 64 results
    layers(range(first, len(LAYERS), 4))
    losses(range(first, len(LOSSES), 4))
batchNorms()
print(f"{len(LAYERS)} layers, {len(LOSSES)} losses, batch norm: {compared} values and gradients are PyTorch's")
