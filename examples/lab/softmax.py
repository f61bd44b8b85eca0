"""Softmax: stable where exp overflows, and its backward pass by hand: python3 softmax.py"""
import sys

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, here, netc


def stable():
    """Logits near 100 and far beyond, in compiled float32 code, against numpy's float64 with the shift."""
    random = np.random.default_rng(0)
    z = np.concatenate([random.normal(100, 3, (8, 10)), random.normal(-100, 3, (8, 10)), random.normal(0, 1e4, (8, 10))]).astype(np.float32)
    label = z.argmin(1)
    by_hand, p, loss = netc.run(here("stable_softmax.net"), {"z": z, "label": label}, ["by_hand", "p", "loss"], engine="jit")
    shifted = z - z.max(1, keepdims=True).astype(float)
    right = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
    cost = np.mean(np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(z)), label])
    error = max(np.abs(p - right).max(), np.abs(by_hand - right).max())
    assert error < 1e-6 and abs(loss - cost) < 1e-6 * cost and cost > 1000
    return np.abs(z).max(), error


def backward():
    x = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    names = ["grad(z)", "by_hand"]
    derived, by_hand = netc.run(here("softmax_backward.net"), {"x": x}, names)
    compiled, _ = netc.run(here("softmax_backward.net"), {"x": x}, names, engine="jit")
    error = max(np.abs(derived - by_hand).max(), np.abs(compiled - by_hand).max())
    assert np.abs(derived).max() > 1e-3 and error < 1e-7, (derived, compiled, by_hand)
    return error


def main():
    arguments(__doc__)
    largest, error = stable()
    print(f"softmax of logits to {largest:.0f}: error {error:.1e}; its backward pass differs from that by hand by {backward():.1e}")


if __name__ == "__main__":
    main()
