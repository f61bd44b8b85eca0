"""A figure that a script drew beside the committed one: check_figure.py DRAWN COMMITTED. Of an SVG the size, the words (numbers at
the axes depend on the data) and the colours of its curves, of a picture its size; and none of both is empty."""
import re
import sys


def svg(path):
    """Size, words, colours of the curves; fails without any."""
    text = open(path, encoding="utf-8").read()
    colours = set(re.findall(r'clip-path="[^"]*" style="fill: none; stroke: (#\w+)', text)) - {"#b0b0b0"}  # that of the grid
    assert colours, f"{path}: no curves"
    words = {w for w in re.findall(r"<text[^>]*>([^<]*)</text>", text) if re.search("[a-z]", w)}
    return re.search(r'viewBox="[^"]*"', text)[0], sorted(words), sorted(colours)


def picture(path):
    """Size; fails where nearly all is of one colour."""
    import matplotlib.image

    pixels = matplotlib.image.imread(path)
    assert pixels[:, :, :3].std() > 0.1, f"{path}: empty"
    return pixels.shape


look = svg if sys.argv[2].endswith(".svg") else picture
drawn, committed = map(look, sys.argv[1:3])
assert drawn == committed, f"{sys.argv[1]}: {drawn}\n{sys.argv[2]}: {committed}"
print("as committed")
