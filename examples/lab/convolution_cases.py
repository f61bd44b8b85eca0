"""Convolutions small enough to be done by hand, through netc run: python3 convolution_cases.py"""
import sys
import tempfile

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, here, netc

NINE = np.arange(1, 10).reshape(1, 3, 3)
ONES, CORNERS, SHIFT = [[1, 1], [1, 1]], [[1, 0], [0, -1]], [[0, 0, 0], [0, 0, 1], [0, 0, 0]]

CASES = [  # name, x [C, H, W], weight [O, C, K, K], bias [O], stride, padding, y [O, H', W']
    ("sums of four", NINE, [[ONES]], [0], 1, 0, [[[12, 16], [24, 28]]]),
    ("a correlation: the kernel is not flipped", NINE, [[CORNERS]], [0], 1, 0, [[[-4, -4], [-4, -4]]]),
    ("a bias", NINE, [[CORNERS]], [10], 1, 0, [[[6, 6], [6, 6]]]),
    ("padding 1", NINE, [[ONES]], [0], 1, 1, [[[1, 3, 5, 3], [5, 12, 16, 9], [11, 24, 28, 15], [7, 15, 17, 9]]]),
    ("padding 1, stride 2", NINE, [[ONES]], [0], 2, 1, [[[1, 5], [11, 28]]]),
    ("the neighbour on the right", NINE, [[SHIFT]], [0], 1, 1, [[[2, 3, 0], [5, 6, 0], [8, 9, 0]]]),
    ("stride 2, the last row unread", np.arange(16).reshape(1, 4, 4), [[SHIFT]], [0], 2, 0, [[[6]]]),
    ("two channels into two", np.concatenate([NINE, -NINE]), [[ONES, ONES], [ONES, CORNERS]], [1, 2], 1, 0,
     [[[1, 1], [1, 1]], [[18, 22], [30, 34]]]),
]


def main():
    arguments(__doc__)
    for name, x, weight, bias, stride, padding, expected in CASES:
        x, weight, expected = (np.array(a, np.float32) for a in (x, weight, expected))
        consts = {"kernel": weight.shape[2], "stride": stride, "padding": padding, "channels": len(x), "out": len(weight), "size": x.shape[1]}
        with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
            netc.writeWeights(file.name, {"conv.weight": weight, "conv.bias": np.array(bias, np.float32)})
            for engine in ("eval", "jit"):
                y, = netc.run(here("convolution_cases.net"), {"x": x[None]}, ["y"], weights=file.name, engine=engine, set=consts)
                assert y.shape[1:] == expected.shape and (y[0] == expected).all(), (name, engine, y[0])
        print(f"{name}: {y[0].astype(int).tolist()}")
    print(f"{len(CASES)} cases, every number right, by the evaluator and by compiled code")


if __name__ == "__main__":
    main()
