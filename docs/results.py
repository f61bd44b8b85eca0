"""Runs the examples at full scale and writes docs/results.md: NETC_DATA=... python3 docs/results.py [PATTERN]

With a pattern only the examples whose command matches it are run again; the other rows stay as they are. A row's result is
the last line that a script prints, or the last epoch of netc train. Figures go to docs/figures.
"""
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/results.md"
PROGRAM = os.environ.get("NETC", str(ROOT / "build/release/bin/netc"))

HEAD = """# Results of the examples

Written by `docs/results.py`, which runs every command below, in netc's folder and with `$NETC_DATA` the folder of the data
sets: MNIST in `mnist`, CIFAR-10's binary files in `cifar10` (here the first 4000 and 1000 pictures), the optical digits of
the UCI repository in `digits`, the ants and bees of PyTorch's transfer-learning tutorial in `hymenoptera` (225 pictures to train
with; of the 131 to test with 0.56 are bees). The seed is that of parameters and order, netc's `--seed`; the data that scripts draw are
always the same. The times are those of two processors, with other programs beside, of the machine that a row ran on last. Results other than
times do not depend on the machine. The networks of the field for CIFAR-10 want all of its 50000 pictures: from the 4000 here they
learn what they can (ten classes, so that guessing is right in 0.1), and the command for the whole set stands in each file.

| example | command | seed | result | seconds |
| --- | --- | --- | --- | --- |
"""

ROWS = {
    "Losses over the margin": "python3 examples/lecture/losses.py --plot docs/figures/losses.svg",
    "Why mini-batches": "python3 examples/lecture/minibatches.py --data $NETC_DATA/mnist --plot docs/figures/minibatches.svg",
    "Gradient descent and SGD": "python3 examples/lecture/convergence.py --data $NETC_DATA/mnist --plot docs/figures/convergence.svg",
    "A descent path": "python3 examples/lecture/descent_path.py --plot docs/figures/descent_path.svg",
    "Logistic regression": "netc train examples/logistic/logistic.net --data $NETC_DATA/mnist --epochs 5",
    "Sigmoid network, quadratic loss": "netc train examples/mlp/mlp.net --data $NETC_DATA/mnist --epochs 10",
    "A linear layer on pictures": "python3 examples/lecture/large_linear.py",
    "Convolutions in 1, 2 and 3 dimensions": "python3 examples/lecture/convolutions.py",
    "Filters and Gabor filters": "python3 examples/lecture/filters.py --data $NETC_DATA/cifar10 --plot docs/figures/filters.png",
    "Multinomial logistic regression": "python3 examples/lab/weight_images.py --data $NETC_DATA/mnist --plot docs/figures/weight_images.png",
    "Softmax": "python3 examples/lab/softmax.py",
    "Output sizes": "python3 examples/lab/output_sizes.py",
    "Convolutions by hand": "python3 examples/lab/convolution_cases.py",
    "Grey and edges": "python3 examples/lab/picture.py --plot docs/figures/picture.png",
    "Batch norm by hand": "python3 examples/lab/batchnorm.py",
    "Two-layer convnet": "netc train examples/lab/convnet.net --data $NETC_DATA/mnist --epochs 2",
    "Eight channels, with and without batch norm": "python3 examples/lab/rates.py --data $NETC_DATA/mnist --plot docs/figures/rates.svg",
    "Residual network": "python3 examples/lab/rates.py --net residual --data $NETC_DATA/mnist",
    "Crops ranked by probability": "python3 examples/lab/crops.py --data $NETC_DATA/mnist --plot docs/figures/crops.png",
    "LeNet-5": "netc train examples/lenet5/lenet5.net --data $NETC_DATA/mnist --epochs 3",
    "PyTorch's MNIST network": "netc train examples/mnist_cnn/mnist_cnn.net --data $NETC_DATA/mnist --epochs 1",
    "A 1-D convnet on signals": "python3 examples/signal/signals.py /tmp/signals.npz && netc train examples/signal/signal.net --data /tmp/signals.npz --epochs 10",
    "A 3-D convnet on volumes": "python3 examples/volume/volumes.py /tmp/volumes.npz --samples 5000 --size 16 && netc train examples/volume/volume.net --data /tmp/volumes.npz --epochs 5",
    "An autoencoder with transposed convolution": "netc train examples/autoencoder/autoencoder.net --data $NETC_DATA/mnist --epochs 2",
    "AlexNet-like": "netc train examples/alexnet/alexnet.net --data $NETC_DATA/cifar10 --batch 64 --epochs 8",
    "VGG-like": "netc train examples/vgg/vgg.net --data $NETC_DATA/cifar10 --batch 64 --epochs 10",
    "ResNet-20": "netc train examples/resnet20/resnet20.net --data $NETC_DATA/cifar10 --batch 64 --epochs 20",
    "MobileNetV2-like": "netc train examples/mobilenet/mobilenet.net --data $NETC_DATA/cifar10 --batch 64 --epochs 3 --set width=0.5",
    "Features of small pictures": "netc train examples/transfer/cifar.net --data $NETC_DATA/cifar10 --epochs 20",
    "The same from crops and mirror images": "netc train examples/transfer/cifar.net --data $NETC_DATA/cifar10 --epochs 20"
                                             " --augment 'random_crop(32, padding = 4), random_horizontal_flip' --weights-out /tmp/features.safetensors",
    "Ants and bees from scratch": "tar xf $NETC_DATA/hymenoptera/hymenoptera_data.tar -C /tmp && netc train examples/transfer/ants_bees.net"
                                  " --data /tmp/hymenoptera_data --plan full --batch 32 --epochs 30",
    "Ants and bees, a new layer on these features": "netc train examples/transfer/ants_bees.net --data /tmp/hymenoptera_data"
                                                    " --weights /tmp/features.safetensors --map names --plan head --batch 32 --epochs 30",
    "Ants and bees, all layers from these features": "netc train examples/transfer/ants_bees.net --data /tmp/hymenoptera_data"
                                                     " --weights /tmp/features.safetensors --map names --plan full --batch 32 --epochs 30",
    "ResNet-18, 224 x 224": "tar xf $NETC_DATA/hymenoptera/hymenoptera_data.tar -C /tmp && netc train examples/resnet18/resnet18.net"
                            " --data /tmp/hymenoptera_data --set classes=2 --set lr0=0.003 --set epochs_at_a_rate=12 --batch 8 --epochs 20 --threads 2",
    "ResNet-18's names, two of its classes": "python3 examples/resnet18/class_rows.py --small",
    "Optical digits": "netc train examples/optdigits/optdigits.net --data $NETC_DATA/digits/optdigits.tra --bind pixel=c1..c64 --epochs 10",
}


def run(command):
    """What the command printed, and the seconds it took; ends this program if it fails."""
    words = re.sub(r"(^|&& )python3 ", rf"\1{sys.executable} ", re.sub(r"(^|&& )netc ", rf"\1{PROGRAM} ", command))
    start = time.time()
    result = subprocess.run(["sh", "-c", words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"{command}\n{result.stdout}{result.stderr}")
    return result.stdout.strip().splitlines(), time.time() - start


def cells(lines):
    """The table that a script printed, else its last line; of an epoch's line the losses and metrics."""
    table = [line for line in lines if line.startswith("|") and "---" not in line]
    shown = "; ".join(" / ".join(cell.strip() for cell in line.strip("|").split("|")) for line in table) or lines[-1]
    return re.sub(r"  +", ", ", re.sub(r"  [0-9]+ samples/s.*", "", shown)).replace("|", "\\|")


def rowsOf(page):
    """example -> its line, of a page written before."""
    lines = page.read_text().splitlines() if page.exists() else []
    return {line.split(" | ")[0][2:]: line for line in lines if re.match(r"\| .* \| `", line)}


def main():
    if not os.environ.get("NETC_DATA"):
        sys.exit("NETC_DATA must name the folder of the data sets")
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    (ROOT / "docs/figures").mkdir(exist_ok=True)
    done = rowsOf(PAGE)
    for name, command in ROWS.items():
        if not re.search(pattern, command):
            continue
        lines, seconds = run(command)
        done[name] = f"| {name} | `{command}` | 0 | {cells(lines)} | {seconds:.1f} |"
        print(done[name], flush=True)
        PAGE.write_text(HEAD + "".join(done[n] + "\n" for n in ROWS if n in done))


if __name__ == "__main__":
    main()
