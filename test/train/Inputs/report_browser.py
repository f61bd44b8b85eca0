"""report_browser.py CHROMIUM PAGE FOLDER: lays the page out at two widths and looks at what every element became."""
import json
import os
import re
import subprocess
import sys

chromium, page, folder = sys.argv[1:]
probe = """<script>
const shown = [...document.querySelectorAll("h1, h2, p, svg, img, table, td, figcaption")].filter(e => !e.closest("svg svg, .graph svg *"));
const boxes = shown.map(e => [e.tagName, e.getBoundingClientRect().width, e.getBoundingClientRect().height]);
const broken = [...document.images].filter(i => !i.complete || i.naturalWidth == 0).length;
document.documentElement.innerHTML = "<pre>" + JSON.stringify({boxes, broken, sticksOut: document.documentElement.scrollWidth > innerWidth}) + "</pre>";
</script>"""
probed = os.path.join(folder, "probed.html")
text = open(page, encoding="utf-8").read().replace("</body>", probe + "</body>")
open(probed, "w", encoding="utf-8").write(text)
for width in (1200, 500):
    dom = subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile", f"--window-size={width},900",
                          "--dump-dom", "file://" + probed], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=300).stdout
    seen = json.loads(re.search(r"<pre>(.*)</pre>", dom, re.S).group(1))
    empty = [b for b in seen["boxes"] if b[2] < 1 or b[1] < 1]
    assert not empty and seen["broken"] == 0 and not seen["sticksOut"], (width, empty, seen["broken"], seen["sticksOut"])
    print(f"{width} pixels wide: {len(seen['boxes'])} things shown")
