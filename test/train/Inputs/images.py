"""images.py NETC FOLDER JPEGS: what netc sees of pictures in all formats, against the definition of the resizing in numpy."""
import json
import os
import shutil
import struct
import subprocess
import sys
import zlib

import numpy

netc, folder, jpegs = sys.argv[1:4]
os.chdir(folder)


def model(name, channels, height, width):
    with open(name, "w") as f:
        f.write(f"model look\ninput image: u8[N, {channels}, {height}, {width}]\n"
                "y[n, c, i, j] = image[n, c, i, j] / 1\noutput y\n")


def png(path, pixels, colour, bits=8, palette=None):
    """pixels: [height, width, channels] of bytes or 16-bit words; colour as the format numbers it."""
    words = pixels.astype(">u2" if bits == 16 else "u1")
    rows = b"".join(b"\0" + row.tobytes() for row in words)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], bits, colour, 0, 0, 0)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + (chunk(b"PLTE", palette.tobytes()) if palette is not None else b"")
                + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def ppm(path, pixels):
    with open(path, "wb") as f:
        f.write(b"P%d\n# made by a test\n%d %d\n255\n" % (6 if pixels.shape[2] == 3 else 5, pixels.shape[1], pixels.shape[0]) + pixels.tobytes())


def taps(size, to, scale):
    """[to, size]: triangles around the centres, each normalised."""
    centres = size / 2 + (numpy.arange(to) + 0.5 - to / 2) * scale
    weights = numpy.maximum(0, 1 - abs(numpy.arange(size) + 0.5 - centres[:, None]) / max(scale, 1))
    return weights / weights.sum(axis=1, keepdims=True)


def expected(pixels, channels, height, width):
    """pixels [h, w, 3] -> [channels, height, width], as real numbers."""
    scale = min(pixels.shape[0] / height, pixels.shape[1] / width)
    rgb = numpy.einsum("yi,xj,ijc->cyx", taps(pixels.shape[0], height, scale), taps(pixels.shape[1], width, scale), pixels.astype(float))
    return rgb if channels == 3 else numpy.einsum("c,cyx->yx", [0.299, 0.587, 0.114], rgb)[None]


def seen(name, files):
    out = subprocess.run([netc, "predict", name, *files, "--format", "json"], check=True, stdout=subprocess.PIPE, text=True).stdout
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["sample"] for line in lines] == files, [line["sample"] for line in lines]
    return [numpy.array(line["y"]) for line in lines]


generator = numpy.random.default_rng(1)
colour = generator.integers(0, 256, (30, 41, 3), "u1")
grey = generator.integers(0, 256, (30, 41, 1), "u1")
alpha = generator.integers(0, 256, (30, 41, 1), "u1")
palette = generator.integers(0, 256, (256, 3), "u1")
threefold = numpy.repeat(grey, 3, axis=2)
ppm("colour.ppm", colour)
ppm("grey.pgm", grey)
png("colour.png", colour, 2)
png("alpha.PNG", numpy.concatenate([colour, alpha], 2), 6)
png("grey.png", grey, 0)
png("greyalpha.png", numpy.concatenate([grey, alpha], 2), 4)
png("palette.png", grey, 3, palette=palette)
png("deep.png", colour.astype("u2") * 257, 2, bits=16)
originals = {"colour.ppm": colour, "grey.pgm": threefold, "colour.png": colour, "alpha.PNG": colour, "grey.png": threefold,
             "greyalpha.png": threefold, "palette.png": palette[grey[:, :, 0]], "deep.png": colour}
shapes = [(3, 30, 41), (3, 10, 12), (1, 10, 12), (3, 64, 50), (1, 1, 1), (3, 7, 40)]
for shape in shapes:
    model("look.net", *shape)
    for name, y in zip(originals, seen("look.net", list(originals))):
        want = expected(originals[name], *shape)
        difference = abs(y.reshape(shape) - want).max()
        assert difference <= 0.5 + 1e-6, (name, shape, difference)
        assert (y == numpy.floor(y)).all()

# A smooth picture through JPEG: baseline, progressive, grey, with four inks.
y, x = numpy.mgrid[0:32, 0:48]
smooth = numpy.stack([x * 5, y * 7, 255 - x * 2 - y * 3], 2)
model("look.net", 3, 32, 48)
for name in ("baseline.jpg", "progressive.jpg", "grey.jpg", "inks.jpg"):
    shutil.copy(f"{jpegs}/{name}", ".")
    want = smooth if name != "grey.jpg" else numpy.repeat((smooth @ [0.299, 0.587, 0.114])[:, :, None], 3, axis=2)
    difference = abs(seen("look.net", [name])[0].reshape(3, 32, 48) - want.transpose(2, 0, 1))
    assert difference.max() < 12 and difference.mean() < 2, (name, difference.max(), difference.mean())
print(f"{len(shapes) * len(originals)} pictures as defined, 4 JPEGs")

# Damaged ones.
os.makedirs("bad", exist_ok=True)
for name in ("baseline.jpg", "progressive.jpg", "colour.png", "colour.ppm"):
    data = open(name, "rb").read()
    open("bad/cut_" + name, "wb").write(data[: len(data) * 2 // 3])
data = bytearray(open("colour.png", "rb").read())
data[1000] ^= 8
open("bad/flipped.png", "wb").write(data)
open("bad/huge.ppm", "wb").write(b"P6 900000 900000 255\n")
open("bad/empty.jpg", "wb")
open("bad/text.jpg", "w").write("no picture")
open("bad/header.ppm", "w").write("P6 3")
for name in sorted(os.listdir("bad")):
    result = subprocess.run([netc, "predict", "look.net", "colour.ppm", "bad/" + name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1 and not result.stdout, (name, result)
    print(result.stderr.strip())
