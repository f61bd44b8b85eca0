"""Formats every .net file below a folder that parses: the result must have the same syntax tree and be a fixed point.

usage: format_all.py NETC FOLDER SCRATCH.net
"""
import pathlib
import subprocess
import sys


def run(*words):
    return subprocess.run(words, capture_output=True, text=True)


def main():
    netc, folder, scratch = sys.argv[1:]
    checked = bad = 0
    for file in sorted(pathlib.Path(folder).rglob("*.net")):
        tree = run(netc, str(file), "--emit=ast")
        if tree.returncode != 0:
            continue
        text = run(netc, "fmt", str(file)).stdout
        pathlib.Path(scratch).write_text(text)
        again = run(netc, "fmt", scratch).stdout
        same = run(netc, scratch, "--emit=ast").stdout == tree.stdout
        checked += 1
        if not same or again != text:
            bad += 1
            print(f"{file}: {'formatted again it changes' if same else 'the syntax tree changes'}")
    print(f"{checked} files, {bad} bad")
    return 1 if bad or checked < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
