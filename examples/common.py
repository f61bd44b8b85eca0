"""What the scripts of examples/ share: arguments, the folder of a script, figures that are the same on every machine."""
import argparse
import contextlib
import pathlib
import sys

sys.dont_write_bytecode = True
import netc  # noqa: E402


def arguments(text, **more):
    """--small: with netc's built-in digits and few steps, as the tests do; --plot FILE; `more`: name = (default, help)."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a quick run for tests")
    parser.add_argument("--plot", metavar="FILE", help="draw to a .svg or .png; needs python3-matplotlib")
    for name, (default, about) in more.items():
        parser.add_argument("--" + name, default=default, type=type(default) if default is not None else str, help=about)
    return parser.parse_args()


def here(name):
    """A file beside the script that runs."""
    return pathlib.Path(sys.argv[0]).resolve().parent / name


@contextlib.contextmanager
def figure(path, width, height, rows=1, columns=1, **more):
    """`with figure("x.svg", 5, 3) as (figure, axes):` draws and saves. The text of an SVG stays text."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plot
    plot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "netc", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3,
                          "path.simplify_threshold": 0.3})
    drawn, axes = plot.subplots(rows, columns, figsize=(width, height), layout="constrained", **more)
    yield drawn, axes
    drawn.savefig(path, dpi=100, metadata={"Date": None} if path.endswith(".svg") else {"Software": None})
    plot.close(drawn)


def grid(axes, images, columns, titles=(), gap=1, symmetric=True):
    """Draws images of one size side by side, in rows of `columns`; grey is zero if `symmetric`."""
    import numpy as np
    high, wide = images[0].shape[:2]
    rows = -(-len(images) // columns)
    sheet = np.full((rows * (high + gap) - gap, columns * (wide + gap) - gap) + images[0].shape[2:], np.nan)
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        most = np.abs(image).max() or 1
        shown = image / (2 * most) + 0.5 if symmetric else image
        sheet[row * (high + gap):row * (high + gap) + high, column * (wide + gap):column * (wide + gap) + wide] = shown
    axes.imshow(np.nan_to_num(sheet, nan=1), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_axis_off()
    axes.grid(False)
