"""ResNet-18's parameters are torchvision's by name and shape, and its classifier asked for two classes only.

    python3 class_rows.py [--weights resnet18.safetensors]

Without weights random ones are used, in the tests' --small those of a narrow network. The two classes' probabilities must be the
softmax of just their scores.
"""
import re
import sys
import tempfile

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, here, netc

WANTED, SIZE = [310, 309], 32


def torchvision(width=64, classes=1000):
    """Names and shapes of torchvision.models.resnet18().state_dict(), less num_batches_tracked."""
    def norm(name, channels):
        return {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}

    shapes = {"conv1.weight": (width, 3, 7, 7), **norm("bn1", width)}
    before = width
    for layer in range(1, 5):
        out = width << (layer - 1)
        for block in ("0", "1"):
            name = f"layer{layer}.{block}"
            shapes |= {f"{name}.conv1.weight": (out, before, 3, 3), **norm(name + ".bn1", out),
                       f"{name}.conv2.weight": (out, out, 3, 3), **norm(name + ".bn2", out)}
            if before != out:
                shapes |= {f"{name}.downsample.0.weight": (out, before, 1, 1), **norm(name + ".downsample.1", out)}
            before = out
    return shapes | {"fc.weight": (classes, before), "fc.bias": (classes,)}


def declared(model):
    """Names and shapes of a model's parameters and states; the optimizer's are left out."""
    graph = netc.command(model, "--emit=graph")
    found = re.findall(r"^(?:param|state) (\S+): f32\[([0-9, ]*)\]", graph, re.M)
    names = {name for name, _ in found}
    return {name: tuple(int(n) for n in shape.split(",")) for name, shape in found if name.rsplit(".", 1)[0] not in names}


def randomWeights(width):
    """What training starts from, nearly: He's initialisation, and classes that differ."""
    random = np.random.default_rng(1)
    return {name: random.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else
            np.full(shape, float(name.endswith(("var", "weight")))) for name, shape in torchvision(width).items()}


def twoClasses(width, weights):
    """The probabilities of an ant and a bee for two random pictures, and how far they are from what numpy selects."""
    image = np.random.default_rng(0).integers(0, 256, (2, 3, SIZE, SIZE)).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        if not weights:
            weights = folder + "/resnet18.safetensors"
            netc.writeWeights(weights, randomWeights(width))
        logits, feature = netc.run(here("resnet18.net"), {"image": image}, ["logits", "global_avgpool1"], weights=weights,
                                   set={"size": SIZE, "width": width})
        fc = {name: netc.weights(weights)[name] for name in ("fc.weight", "fc.bias")}
        netc.writeWeights(folder + "/fc.safetensors", fc)
        probability, = netc.run(here("class_rows.net"), {"feature": feature}, ["probability"], weights=folder + "/fc.safetensors",
                                engine="jit", set={"width": 8 * width, "wanted": WANTED})
    two = np.exp(logits[:, WANTED] - logits[:, WANTED].max(1, keepdims=True).astype(float))
    return probability, np.abs(probability - two / two.sum(1, keepdims=True)).max()


def main():
    given = arguments(__doc__, weights=("", "ResNet-18's, .safetensors"))
    shapes = torchvision()
    found = declared(here("resnet18.net"))
    assert found == shapes, set(found.items()) ^ set(shapes.items())
    count = sum(int(np.prod(shape)) for name, shape in shapes.items() if "running" not in name)
    assert count == 11689512  # as torchvision's documentation says
    probability, error = twoClasses(8 if given.small else 64, given.weights)
    assert error < 1e-6 and probability.std() > 1e-4
    print(f"{len(shapes)} tensors and {count} parameters as torchvision's; the probabilities of two classes right to {error:.1e}")


if __name__ == "__main__":
    main()
