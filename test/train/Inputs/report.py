"""report.py PAGE METRICS: the page is well-formed, has nothing from elsewhere, and shows what the metrics say."""
import csv
import re
import sys
import xml.etree.ElementTree

page = open(sys.argv[1], encoding="utf-8").read()
rows = list(csv.DictReader(open(sys.argv[2])))
assert not re.search(r'(src|href)\s*=|url\(|@import', page)
svgs = [xml.etree.ElementTree.fromstring(text) for text in re.findall(r"<svg.*?</svg>", page, re.S)]
space = "{http://www.w3.org/2000/svg}"
charts = [svg for svg in svgs if svg.findall(space + "text")]
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
filters = [svg for svg in svgs if not svg.findall(space + "text")]
assert [len(svg.findall(space + "rect")) for svg in filters] == [25] * 6, [len(svg) for svg in filters]
fills = {r.get("fill") for r in filters[0]}
assert "#000000" in fills and "#ffffff" in fills and len(fills) > 5, fills
counts = [int(c) for c in re.findall(r'rgba[^>]*>(\d+)</td>', page)]
assert len(counts) == 100 and sum(counts) == 2000, (len(counts), sum(counts))
right = sum(counts[11 * k] for k in range(10)) / 2000
assert abs(right - float(rows[-1]["test_accuracy"])) < 1e-6, right
print(f"{len(charts)} charts, {len(filters)} filters, accuracy {right}")
