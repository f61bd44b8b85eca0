"""Writes the inputs of evaluate.graph, and checks its results with plain numpy: evaluate.py write | check TOLERANCE"""
import sys
import numpy as np

rng = np.random.default_rng(1)
x = rng.uniform(-1, 1, (5, 2, 7, 9)).astype(np.float32)
x[1, 0, 2:5, 2:5] = 0.75  # ties: the first place wins
w = rng.uniform(-1, 1, (3, 2, 3, 2)).astype(np.float32)
label = np.array([0, 3, 1, 2, 3], np.int32)
if sys.argv[1] == "write":
    np.save("x.npy", x), np.save("w.npy", w), np.save("label.npy", label)
    sys.exit()

x, w = x.astype(np.float64), w.astype(np.float64)
padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
want = {}
gather, back = np.zeros((5, 3, 4, 5)), np.zeros((5, 2, 9, 11))
for i in range(4):
    for j in range(5):
        gather[:, :, i, j] = np.einsum("ncuv,ocuv->no", padded[:, :, 2 * i:2 * i + 3, 2 * j:2 * j + 2], w)
        back[:, :, 2 * i:2 * i + 3, 2 * j:2 * j + 2] += np.einsum("no,ocuv->ncuv", gather[:, :, i, j], w)
want["gather"], want["scatter"] = gather, back[:, :, 1:8, 1:10]
want["padded"] = np.pad(x[:, 1], ((0, 0), (1, 1), (1, 1)), constant_values=-2)
want["joined"] = np.stack([x[:, 0, 3], x[:, 1, 4, ::-1]], axis=2).reshape(5, 18)
windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))[:, :, ::2, ::2].reshape(5, 2, 3, 4, 9)
want["pooled"], want["place"] = windows.max(-1), windows.argmax(-1)
want["low"] = x.min((0, 2, 3))
want["product"] = (x[:, 0] + 1.5).prod(-1)
want["hot"] = np.eye(4)[label]
t = x[:, 0, 0]
want["pointwise"] = (np.where(t < 0, np.tanh(t) / (1 + np.exp(-t)), np.log1p(np.exp(t))) + np.sqrt(np.abs(t))
                     - (2 * np.arange(9)[None] - np.arange(5)[:, None]) / 3)
want["rate"] = np.array(4 / 5)
for name, expected in want.items():
    got = np.load(name + ".npy").astype(np.float64)
    assert got.shape == expected.shape or (got.size == expected.size == 1), (name, got.shape, expected.shape)
    assert np.abs(expected).max() > 0.1, name
    error = np.abs(got.reshape(expected.shape) - expected).max()
    # Saved arrays are float32.
    assert error <= float(sys.argv[2]) * 10 + 2e-7 * np.abs(expected).max(), (name, error)
