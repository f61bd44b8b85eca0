"""A batch normalisation written by hand against the prelude's, in training and in prediction: python3 batchnorm.py"""
import sys
import tempfile

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, here, netc


def main():
    arguments(__doc__)
    random = np.random.default_rng(0)
    x = (random.normal(size=(200, 3, 4, 4)) * [[[[3]], [[1]], [[0.2]]]] + [[[[5]], [[-1]], [[0]]]]).astype(np.float32)
    t = random.normal(size=x.shape).astype(np.float32)
    model = here("batchnorm_by_hand.net")
    with tempfile.TemporaryDirectory() as folder:
        np.savez(folder + "/data.npz", x=x, t=t)
        netc.train(model, data=folder + "/data.npz", batch=20, epochs=3, weights_out=folder + "/w.safetensors")
        tensors = netc.weights(folder + "/w.safetensors")
        a, b = netc.run(model, {"x": x}, ["a", "b"], weights=folder + "/w.safetensors", engine="jit", batch=len(x))
    for name in ("weight", "bias", "running_mean", "running_var"):
        by_hand, prelude = tensors["hand." + name], tensors["prelude." + name]
        print(f"{name}: by hand {by_hand}, the prelude's {prelude}")
        assert np.abs(by_hand - prelude).max() < 1e-5, name
    assert np.abs(tensors["prelude.weight"] - 1).max() > 0.01  # it was trained
    reached = (1 - 0.9 ** 24) * x.mean((0, 2, 3))  # after 3 epochs of 8 steps
    assert np.abs(tensors["prelude.running_mean"] - reached).max() < 0.15
    error = np.abs(a - b).max()
    print(f"predictions differ by {error:.1e} at most")
    assert error < 1e-4 * np.abs(b).max()


if __name__ == "__main__":
    main()
