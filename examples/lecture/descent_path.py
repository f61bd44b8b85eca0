"""The path of gradient descent over the isolines of the loss, for two weights: python3 descent_path.py [--plot path.svg]

Two clouds of points; the loss at each point of the landscape is netc's, at weights that were set. Gradient descent goes
straight across the isolines, mini-batches of 8 wander, and a high rate leaps over the valley.
"""
import sys

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, figure, here, netc

ROWS, START = 200, [-1.5, 3.5]
PATHS = {"gradient descent": (ROWS, 1), "mini-batches of 8": (8, 1), "gradient descent, rate 6": (ROWS, 6)}  # batch, rate


def clouds():
    random = np.random.default_rng(3)
    t = np.repeat([-1, 1], ROWS // 2)
    x = t[:, None] * [1.2, 0.3] + random.normal(size=(ROWS, 2)) * [1.6, 0.7]
    return {"x": x.astype(np.float32), "t": t.astype(np.float32)}


def path(data, batch, rate, steps):
    model = netc.Model(here("two_weights.net"), batch=batch, set={"lr0": rate})
    model.set("w", START)
    random, points = np.random.default_rng(0), [START]
    for _ in range(steps):
        rows = random.choice(ROWS, batch, replace=False)
        model.trainStep(**{name: array[rows] for name, array in data.items()})
        points.append(model.get("w"))
    return np.array(points)


def landscape(data, first, second):
    model = netc.Model(here("two_weights.net"), batch=ROWS)
    batch = model.batch(data)

    def at(a, b):
        model.set("w", [a, b])
        return model.evaluate(batch)

    return np.array([[at(a, b) for a in first] for b in second])


def minimum(data):
    """By Newton's method in numpy: where the descent must end."""
    x, t, w = data["x"].astype(float), data["t"].astype(float), np.zeros(2)
    for _ in range(20):
        p = 1 / (1 + np.exp(t * (x @ w)))
        gradient = -(p * t) @ x / ROWS + 0.02 * w
        w -= np.linalg.solve((x.T * (p * (1 - p))) @ x / ROWS + 0.02 * np.eye(2), gradient)
    return w


def draw(file, data, paths):
    first, second = np.linspace(-2, 6, 41), np.linspace(-1.5, 4, 33)
    loss = landscape(data, first, second)
    with figure(file, 4.6, 4.2) as (_, axes):
        axes.contour(first, second, loss, levels=loss.min() * 1.13 ** np.arange(0.2, 20), colors="gray", linewidths=0.6)
        for name, points in paths.items():
            axes.plot(*points[:30].T, "o-", markersize=2, linewidth=1, label=name)
        axes.set(xlabel="first weight", ylabel="second weight", xlim=(first[0], first[-1]), ylim=(second[0], second[-1]))
        axes.legend()


def main():
    given = arguments(__doc__)
    data = clouds()
    paths = {name: path(data, batch, rate, 100) for name, (batch, rate) in PATHS.items()}
    best = minimum(data)
    print("minimum by Newton's method:", np.round(best, 4))
    for name, points in paths.items():
        print(f"{name:24}: ends at {np.round(points[-1], 4)}, {np.linalg.norm(points[-1] - best):.5f} from it, "
              f"after a way of {np.linalg.norm(np.diff(points, axis=0), axis=1).sum():.2f}")
    distance = [np.linalg.norm(points[-1] - best) for points in paths.values()]
    assert distance[0] < 1e-3 < distance[1] < 0.5
    print(f"after 100 steps gradient descent is {distance[0]:.5f} from the minimum, mini-batches {distance[1]:.3f}")
    if given.plot:
        draw(given.plot, data, paths)


if __name__ == "__main__":
    main()
