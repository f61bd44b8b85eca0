"""Compiles every ```net block of a Markdown file by itself: compile_examples.py NETC FILE.md FOLDER [LEAST NUMBER]."""
import os
import re
import subprocess
import sys

netc, page, folder = sys.argv[1:4]
least = int(sys.argv[4]) if len(sys.argv) > 4 else 10
os.makedirs(folder, exist_ok=True)
text = open(page, encoding="utf-8").read()
failed = 0
blocks = list(re.finditer(r"^```net\n(.*?)^```", text, re.M | re.S))
for number, block in enumerate(blocks, 1):
    path = os.path.join(folder, f"example{number}.net")
    with open(path, "w", encoding="utf-8") as f:
        f.write(block.group(1))
    result = subprocess.run([netc, path, "--emit=graph"], capture_output=True, text=True)
    if result.returncode or "entry " not in result.stdout:
        failed += 1
        line = text[: block.start()].count("\n") + 1
        print(f"{page}:{line}: this example does not compile\n{result.stderr}")
print(f"{len(blocks)} examples, {failed} failed")
sys.exit(1 if failed or len(blocks) < least else 0)
