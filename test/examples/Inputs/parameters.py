"""The field's networks have the parameters that they have elsewhere: parameters.py NETC EXAMPLES

The numbers are those of the same networks in PyTorch: torchvision's resnet18 and mobilenet_v2(num_classes=10), He's ResNet-20 with
shortcuts that have no parameters, PyTorch's MNIST example, and a VGG of 2, 2 and 3 convolutions without biases."""
import math
import re
import subprocess
import sys

netc, examples = sys.argv[1:]
expected = {"mnist_cnn": 1199882, "vgg": 1777610, "resnet20": 269722, "resnet18": 11689512, "mobilenet": 2236682}


def parameters(model, *options, kinds="param"):
    graph = subprocess.run([netc, f"{examples}/{model}/{model}.net", "--emit=graph", *options], check=True, capture_output=True,
                           text=True).stdout
    found = re.findall(rf"^(?:{kinds}) ([\w.]+): f32\[([\d, ]*)\]", graph, re.M)
    return {name: [int(x) for x in shape.split(",") if x] for name, shape in found}


def torchvision():
    """The names and shapes of resnet18's state, without num_batches_tracked."""
    shapes = {}

    def conv(name, out, channels, kernel):
        shapes[name + ".weight"] = [out, channels, kernel, kernel]

    def norm(name, channels):
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{part}"] = [channels]

    conv("conv1", 64, 3, 7)
    norm("bn1", 64)
    before = 64
    for stage, out in enumerate((64, 128, 256, 512), 1):
        for block in range(2):
            at = f"layer{stage}.{block}"
            conv(at + ".conv1", out, before, 3)
            norm(at + ".bn1", out)
            conv(at + ".conv2", out, out, 3)
            norm(at + ".bn2", out)
            if before != out:
                conv(at + ".downsample.0", out, before, 1)
                norm(at + ".downsample.1", out)
            before = out
    shapes["fc.weight"], shapes["fc.bias"] = [1000, 512], [1000]
    return shapes


bad = 0
for model, count in expected.items():
    found = sum(math.prod(s) for s in parameters(model).values())
    bad += found != count
    print(f"{model}: {found} parameters, expected {count}")
# The optimizer's states are no part of the network.
own = {n: s for n, s in parameters("resnet18", kinds="param|state").items() if not n.endswith(".v")}
print("resnet18: the names are torchvision's" if own == torchvision() else f"resnet18: {sorted(set(own) ^ set(torchvision()))}")
sys.exit(1 if bad or own != torchvision() else 0)
