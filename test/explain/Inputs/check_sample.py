"""Each sample in a page stands between <!-- netc explain FILE OPTIONS --> and <!-- end -->: it must be what netc prints.

usage: check_sample.py NETC PAGE.md EXAMPLES [--write]     with --write the page is brought up to date
"""
import pathlib
import re
import subprocess
import sys

netc, page, examples = sys.argv[1:4]
text = pathlib.Path(page).read_text()


def generated(match):
    words = match.group(1).split()
    words[0] = words[0].replace("examples", examples, 1)
    output = subprocess.run([netc, "explain", *words], capture_output=True, text=True, check=True).stdout
    block = output if "md" in words else f"```text\n{output}```\n"
    return f"<!-- netc explain {match.group(1)} -->\n{block}<!-- end -->"


now, count = re.subn(r"<!-- netc explain (.*?) -->.*?<!-- end -->", generated, text, flags=re.S)
if "--write" in sys.argv:
    pathlib.Path(page).write_text(now)
print(f"{count} samples")
if now != text and "--write" not in sys.argv:
    print(f"{page} is out of date: run {sys.argv[0]} with --write")
    sys.exit(1)
sys.exit(0 if count else 1)
