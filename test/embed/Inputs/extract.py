"""Prints the blocks of a language in a Markdown file, or those that hold a text: extract.py FILE.md LANGUAGE [TEXT]."""
import re
import sys

blocks = re.findall(r"^```" + sys.argv[2] + r"\n(.*?)^```", open(sys.argv[1], encoding="utf-8").read(), re.M | re.S)
blocks = [b for b in blocks if all(text in b for text in sys.argv[3:])]
sys.stdout.write("\n".join(blocks))
sys.exit(0 if blocks else 1)
