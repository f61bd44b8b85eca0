"""Zero-one, hinge, logistic, exponential and square loss over the margin: python3 losses.py [--plot losses.svg]

Checks what the lecture says of them: the four smooth or convex ones bound the zero-one loss from above and touch 1 at the
margin 0, and only the square loss punishes a margin that is too good.
"""
import sys

import numpy as np

sys.path.append(sys.path[0] + "/..")
from common import arguments, figure, here, netc

NAMES = ["zero_one", "hinge", "logistic", "exponential", "square"]


def main():
    given = arguments(__doc__)
    margin = np.linspace(-2, 3, 101, dtype=np.float32)
    losses = dict(zip(NAMES, netc.run(here("losses.net"), {"m": margin}, NAMES, engine="jit", batch=len(margin))))
    for name in NAMES[1:]:
        assert (losses[name] >= losses["zero_one"]).all(), name
        assert abs(losses[name][margin == 0][0] - 1) < 1e-6, name
        print(f"{name}: {losses[name][0]:.4g} at -2, {losses[name][-1]:.4g} at 3")
        assert (losses[name][-1] > 1) == (name == "square"), name
    assert losses["zero_one"].sum() == (margin <= 0).sum()
    print(f"at {len(margin)} margins the other four are above the zero-one loss, and 1 at the margin 0")
    if given.plot:
        with figure(given.plot, 5, 3.4) as (_, axes):
            for name in NAMES:
                axes.plot(margin, losses[name], label=name.replace("_", "-"), drawstyle="steps" if name == "zero_one" else "default")
            axes.set(xlabel="margin", ylabel="loss of a sample", ylim=(-0.1, 5))
            axes.legend()


if __name__ == "__main__":
    main()
