"""The network of eight channels with and without batch norm, and residual networks, one epoch each: python3 rates.py

    python3 rates.py [--data MNIST-FOLDER] [--plot rates.svg]      # channels8.net, learning rates 0.3 to 0.003
    python3 rates.py --net residual [--data MNIST-FOLDER]          # residual.net with 1 and 5 blocks, rate 0.1
"""
import sys

sys.path.append(sys.path[0] + "/..")
from common import arguments, figure, here, netc

RATES = [0.3, 0.1, 0.03, 0.01, 0.003]


def epoch(model, data, options={}, **consts):
    return netc.train(here(model), data=data or None, epochs=1, set=consts, threads=2, **options)[-1]


def channels(given):
    """Rows of test accuracies: a rate, with and without batch norm."""
    print("| learning rate | with batch norm | without |\n| --- | --- | --- |")
    rows = []
    rates = RATES[::3] if given.small else RATES
    for rate in rates:
        rows.append([epoch("channels8.net", given.data, norm=norm, lr0=rate)["test_accuracy"] for norm in (True, False)])
        print(f"| {rate} | {rows[-1][0]:.4f} | {rows[-1][1]:.4f} |", flush=True)
    for rate, (normed, _) in zip(rates, rows):
        assert normed > 0.9 or rate < 0.01, rate
    assert rows[-1][0] > rows[-1][1]  # a low rate is enough only with it
    print("with batch norm above 90 % for every rate of 0.01 and more")
    if given.plot:
        with figure(given.plot, 4.5, 3) as (_, axes):
            for name, column in zip(("with batch norm", "without"), zip(*rows)):
                axes.semilogx(rates, column, "o-", label=name)
            axes.set(xlabel="learning rate", ylabel="test accuracy after an epoch")
            axes.set_xticks(rates, rates)
            axes.minorticks_off()
            axes.legend()


def residual(given):
    print("| blocks | with residuals | without |\n| --- | --- | --- |")
    steps = {"steps": 400, "batch": 16} if given.small else {}
    for blocks in (1,) if given.small else (1, 5):
        with_, without = (epoch("residual.net", given.data, steps, blocks=blocks, residual=r)["test_accuracy"] for r in (True, False))
        print(f"| {blocks} | {with_:.4f} | {without:.4f} |", flush=True)
        assert with_ > 0.9
    print("with residuals above 90 %")


def main():
    given = arguments(__doc__, data=("", "a folder in the MNIST form; else the built-in digits"), net=("channels8", "channels8 or residual"))
    {"channels8": channels, "residual": residual}[given.net](given)


if __name__ == "__main__":
    main()
