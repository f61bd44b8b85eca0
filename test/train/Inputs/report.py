"""report.py PAGE METRICS: the page is well-formed, has nothing from elsewhere, and shows what the metrics say."""
import base64
import csv
import re
import shutil
import struct
import sys
import xml.etree.ElementTree
import zlib

page = open(sys.argv[1], encoding="utf-8").read()
rows = list(csv.DictReader(open(sys.argv[2])))
assert not re.search(r'src\s*=\s*"(?!data:)|href\s*=\s*"(?!#|\w*">)|url\(|@import', re.sub(r"<svg.*?</svg>", "", page, flags=re.S))
svgs = [xml.etree.ElementTree.fromstring(text) for text in re.findall(r"<svg.*?</svg>", page, re.S)]
space = "{http://www.w3.org/2000/svg}"
charts = [svg for svg in svgs if svg.findall(space + "text")]  # the graph has its texts in groups
shown = {}
for svg in charts:
    texts = [t.text for t in svg.findall(space + "text")]
    for name, line in zip([t for t in texts if t in rows[0]], svg.findall(space + "polyline")):
        shown[name] = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
assert set(shown) == {"loss", "test_loss", "test_accuracy", "lr", "samples_per_second"}, set(shown)
losses = [float(r[k]) for k in ("loss", "test_loss") for r in rows]
low, high = min(losses), max(losses)
for name, points in shown.items():
    assert len(points) == len(rows), (name, points)
    if "loss" not in name: continue
    for (x, y), row in zip(points, rows):  # the axis is 240 - 30 - 30 pixels high, and y points down
        assert abs(y - (210 - 180 * (float(row[name]) - low) / (high - low))) < 0.06, (name, y, row)
sections = dict(re.findall(r"<h2>(\w+)</h2>(.*?)(?=<h2>|</body>)", page, re.S))


def pictures(section):
    """The extents of a section's pictures; each has more than one value."""
    extents = []
    for text in re.findall(r'src="data:image/png;base64,([^"]*)"', sections[section]):
        png = base64.b64decode(text, validate=True)
        width, height = struct.unpack(">II", png[16:24])
        at, data = 8, b""
        while at < len(png):
            length = struct.unpack(">I", png[at:at + 4])[0]
            if png[at + 4:at + 8] == b"IDAT": data += png[at + 8:at + 8 + length]
            at += length + 12
        values = zlib.decompress(data)
        assert len(values) == height * (3 * width + 1) and len(set(values)) > 5, (width, height, len(values))
        extents.append((width, height))
    return extents


filters = re.findall(r'src="([^"]*)"', sections["Filters"])
assert pictures("Filters") == [(5, 5)] * 12 and all(a != b for a, b in zip(filters[:6], filters[6:]))
counts = [int(c) for c in re.findall(r'rgba[^>]*>(\d+)</td>', page)]
assert len(counts) == 100 and sum(counts) == 2000, (len(counts), sum(counts))
right = sum(counts[11 * k] for k in range(10)) / 2000
assert abs(right - float(rows[-1]["test_accuracy"])) < 1e-6, right
wrong = round(2000 * (1 - right))
assert pictures("Mistakes") == [(28, 28)] * min(24, wrong)
sure = [float(v) for v in re.findall(r"<br>([0-9.]+), sample", sections["Mistakes"])]
assert sure == sorted(sure, reverse=True) and len(sure) == min(24, wrong), sure
times = [float(v) for v in re.findall(r"<tr><td>([0-9.]+)</td>", sections["Time"])]
assert len(times) == 17 and times[:16] == sorted(times[:16], reverse=True) and times[0] > 0, times
assert len(re.findall(r"<title>[\w.]+: \d+ bytes at \d+, kernels", sections["Memory"])) > 40
if shutil.which("dot"):
    boxes = re.findall(r'class="node"', sections["Graph"])
    assert len(boxes) > 40, len(boxes)
print(f"{len(charts)} charts, {len(filters)} filters, accuracy {right}")
