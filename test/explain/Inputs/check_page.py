"""A page of netc explain: well-formed, nothing to load, and every link leads somewhere: a formula, a kernel, a buffer and a list of
rewrites to a source line, that line back to them.

usage: check_page.py FILE.html [STEP.loops]: the page's kernels and workspace are those of the entry that trains
"""
import re
import sys
import xml.etree.ElementTree

text = open(sys.argv[1], encoding="utf-8").read()
body = xml.etree.ElementTree.fromstring(re.search(r"<body>.*</body>", text, re.S).group())
formulas = body.findall(".//math")
addresses = re.findall(r"src=|url\(|https?:(?!//www.w3.org/2000/svg)|<script", text)
assert not addresses, addresses
ids = [e.get("id") for e in body.iter() if e.get("id")]
assert len(ids) == len(set(ids)), "an id twice"
links = [a.get("href") for a in body.iter("a")]
assert all(href[0] == "#" and href[1:] in set(ids) for href in links), [h for h in links if h[1:] not in ids]
lines = {e.get("id"): {a.get("href")[1:] for a in e.iter("a")} for e in body.iter("tr") if e.find("td[@class='code']") is not None and e.get("id")}


def checked(kind):
    """Each thing of a kind leads to a line, and one of its lines to it."""
    things = [e for e in body.iter() if (e.get("id") or "").startswith(kind + "-")]
    for e in things:
        if "uniform" in "".join(e.itertext()) and not list(e.iter("a")): continue  # the name that explain gives to random numbers
        to = {a.get("href")[1:] for a in e.iter("a")} & set(lines)
        assert to and any(e.get("id") in lines[line] for line in to), e.get("id")
    return len(things)


counts = {kind: checked(kind) for kind in ("formula", "rewrites", "kernel", "buffer")}
# The loops of each kernel stand there, or it leads to an earlier one where they stand.
shown = set()
for section in [e for e in body.iter("section") if e.get("id").startswith("kernel-")]:
    pre = section.find(".//pre")
    if "kernel " in pre.text and ("schedule " in pre.text or ".fill" in pre.text) and pre.text.count("\n") > 3: shown.add(section.get("id"))
    else: assert pre.find("a").get("href")[1:] in shown, section.get("id")
assert len(shown) > 2
print(f"{len(formulas)} formulas, {counts['kernel']} kernels, {counts['buffer']} buffers, {counts['rewrites']} lines with rewrites, no address")
if len(sys.argv) > 2:
    entry = re.search(r"^entry trainStep.*?^}", open(sys.argv[2]).read(), re.M | re.S).group()
    names = {h.text.split(". ", 1)[1] for h in body.iter("h3")}
    assert names == set(re.findall(r"^  kernel (\S+)", entry, re.M)), names
    rows = {e.find("td").text for e in body.iter("tr") if (e.get("id") or "").startswith("buffer-")}
    missing = set(re.findall(r"(?:load|store) ([\w.]+)\[", entry)) - rows
    assert not missing, missing
sys.exit(0 if min(counts.values()) > 2 else 1)
