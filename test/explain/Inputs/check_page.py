"""A page of netc explain: well-formed, nothing to load, and every link leads somewhere: a formula, a kernel, a buffer and a list of
rewrites to a source line, that line back to them.

usage: check_page.py FILE.html
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
texts = [pre.text for e in body.iter("section") if e.get("id").startswith("kernel-") for pre in e.iter("pre")]
assert len(texts) == counts["kernel"] and all("kernel " in t and "schedule " in t or ".fill" in t for t in texts)
assert all(t.count("\n") > 3 for t in texts)
print(f"{len(formulas)} formulas, {counts['kernel']} kernels, {counts['buffer']} buffers, {counts['rewrites']} lines with rewrites, no address")
sys.exit(0 if min(counts.values()) > 2 else 1)
