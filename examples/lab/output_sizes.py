"""The output size of a convolution, floor((size + 2 padding - kernel) / stride) + 1: python3 output_sizes.py

For sizes 5 to 20, kernels 2, 3, 5 and 7, paddings 0 and 5 and strides 1 to 4, against a count of the places where the kernel
fits and against netc: one file with a convolution for each combination.
"""
import itertools
import re
import sys
import tempfile

sys.path.append(sys.path[0] + "/..")
from common import arguments, netc


def places(size, kernel, padding, stride):
    return sum(1 for first in range(-padding, size + padding, stride) if first + kernel <= size + padding)


def main():
    arguments(__doc__)
    cases = list(itertools.product(range(5, 21), (2, 3, 5, 7), (0, 5), (1, 2, 3, 4)))
    fitting = [case for case in cases if case[1] <= case[0] + 2 * case[2]]
    text = "model sizes\n" + "".join(f"input x{size}: f32[N, 1, {size}]\n" for size in range(5, 21))
    for i, (size, kernel, padding, stride) in enumerate(fitting):
        text += f"y{i} = x{size} |> conv(1, kernel_size = {kernel}, padding = {padding}, stride = {stride})\noutput y{i}\n"
    with tempfile.NamedTemporaryFile("w", suffix=".net") as file:
        file.write(text)
        file.flush()
        graph = netc.command(file.name, "--emit=graph")
    for i, (size, kernel, padding, stride) in enumerate(fitting):
        found = int(re.search(rf"\by{i}: f32\[N, 1, (\d+)\]", graph)[1])
        formula = (size + 2 * padding - kernel) // stride + 1
        assert found == formula == places(size, kernel, padding, stride), (size, kernel, padding, stride, found, formula)
    print(f"{len(fitting)} combinations as the formula says; in {len(cases) - len(fitting)} the kernel is larger than the padded input")


if __name__ == "__main__":
    main()
