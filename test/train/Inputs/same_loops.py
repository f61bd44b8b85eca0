"""usage: same_loops.py A.loops B.loops: equal when each name is replaced by the number of its first appearance."""
import re
import sys

NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*(?:\.[A-Za-z_0-9]+)*")


BUFFER = re.compile(r"(?<=load )[^\[]+(?=\[)|(?<=store )[^\[]+(?=\[)")


def number(names, name):
    return f"{names.setdefault(name, len(names))}"


def normalized(path):
    shared, own = {}, {}  # tensors and buffers; a kernel's registers and variables
    lines = []
    for line in open(path):
        if line.lstrip().startswith("|"):  # a kernel's comment
            continue
        line = re.sub(r" ~ uniform\(.*?\)", "", line)
        line = re.sub(r"^  kernel \S+", "  kernel", line)  # called after one of the tensors that it makes
        indent = len(line) - len(line.lstrip())
        if line.startswith("  kernel"):
            own = {}
        if indent <= 2 and not line.startswith("  kernel"):
            lines.append(NAME.sub(lambda m: "t" + number(shared, m.group()), line))
        else:
            line = BUFFER.sub(lambda m: "<" + number(shared, m.group()) + ">", line)
            lines.append(NAME.sub(lambda m: "r" + number(own, m.group()), line))
    return lines


a, b = normalized(sys.argv[1]), normalized(sys.argv[2])
if a == b:
    print(f"the same {len(a)} lines up to names")
    sys.exit(0)
first = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
print(f"{len(a)} and {len(b)} lines; first difference:\n{''.join(a[first:first + 1])}{''.join(b[first:first + 1])}")
sys.exit(1)
