"""Figures, the commands that draw them and the tests that draw them again belong together: check_figures.py ROOT"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
committed = {path.name for path in (root / "docs/figures").iterdir()}
sys.path.insert(0, str(root / "docs"))
sys.dont_write_bytecode = True
from results import ROWS  # noqa: E402

drawn = {match[1]: command for command in ROWS.values() if (match := re.search(r"--plot docs/figures/(\S+)", command))}
assert drawn.keys() == committed, drawn.keys() ^ committed

shown = re.findall(r"!\[[^]]+\]\(figures/(\S+)\)\n\n\*`([^`]*)`\*", (root / "docs/tutorial.md").read_text())
assert len(shown) == (root / "docs/tutorial.md").read_text().count("](figures/")
for name, command in shown:
    general = re.sub(r"\$NETC_DATA/(mnist|cifar)\w*", lambda m: m[1].upper() + "-FOLDER", drawn[name])
    assert command == general, (command, general)

tests = "".join(path.read_text() for path in (root / "test/examples").glob("*.test"))
for name in committed:
    script = re.search(r"examples/\S+\.py", drawn[name])[0]
    again = rf"%{script} --small %if matplotlib .*\n(#.*\n)*?# RUN: .*check_figure.py \S+ %root/docs/figures/{re.escape(name)}"
    assert re.search(again, tests), f"no test draws {name} again"
print(f"{len(committed)} figures, {len(shown)} of them in the tutorial")
