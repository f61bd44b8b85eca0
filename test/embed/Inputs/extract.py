"""Prints the blocks of a language in a Markdown file: extract.py FILE.md LANGUAGE."""
import re
import sys

blocks = re.findall(r"^```" + sys.argv[2] + r"\n(.*?)^```", open(sys.argv[1], encoding="utf-8").read(), re.M | re.S)
sys.stdout.write("\n".join(blocks))
sys.exit(0 if blocks else 1)
