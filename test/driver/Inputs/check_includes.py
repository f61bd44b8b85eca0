"""Checks that rooms include only downward (docs/architecture.md): prints one line an offence.

usage: check_includes.py ROOT
"""
import pathlib
import re
import sys

# What each room may include besides itself.
SUPPORT = {"compiler/support"}
GRAPH = SUPPORT | {"compiler/graph"}
LOOP = SUPPORT | {"compiler/loop"}
RUNTIME_INTERFACE = {"runtime/include"}
MAY = {
    "compiler/support": RUNTIME_INTERFACE,  # netc/random.h: one generator for both sides
    "compiler/graph": SUPPORT,
    "compiler/grad": GRAPH,
    "compiler/passes": GRAPH,
    "compiler/explain": GRAPH | {"compiler/grad", "compiler/passes"},
    "dsl": GRAPH,
    "compiler/loop": SUPPORT,
    "compiler/codegen": LOOP | RUNTIME_INTERFACE,  # the back ends fill in the tables of netc/abi.h
    "compiler/schedule": GRAPH | LOOP,
    "compiler/driver": GRAPH | LOOP | RUNTIME_INTERFACE
    | {"compiler/grad", "compiler/passes", "compiler/explain", "compiler/schedule", "compiler/codegen", "dsl"},
    "runtime": set(),
}
QUOTED = re.compile(r'^\s*#\s*include\s*"([\w./]+)"', re.M)
LINKED = re.compile(r"netc_room\((\w+)(?:\s+LINK([^)]*))?\)")


def roomOf(path):
    parts = path.parts
    return "/".join(parts[:2]) if parts[0] == "compiler" else parts[0]


def included(root, file, name):
    """The room that an include names; None for a file of the system."""
    if (file.parent / name).exists():
        return roomOf((file.parent / name).resolve().relative_to(root))
    if (root / name).exists():
        return roomOf(pathlib.PurePath(name))
    if (root / "runtime/include" / name).exists():
        return "runtime/include"
    if (root / "runtime" / name).exists():
        return "runtime"
    return None


def offences(root):
    for file in sorted(root.glob("compiler/**/*")) + sorted(root.glob("dsl/**/*")) + sorted(root.glob("runtime/**/*")):
        if file.suffix not in (".h", ".cpp"):
            continue
        room = roomOf(file.relative_to(root))
        for name in QUOTED.findall(file.read_text()):
            target = included(root, file, name)
            if target is None:
                yield f"{file.relative_to(root)}: \"{name}\" is no file of the project"
            elif target != room and target not in MAY[room] and not (room == "runtime" and target == "runtime/include"):
                yield f"{file.relative_to(root)}: {room} must not include {name} ({target})"
    yield from linkOffences(root)


def linkOffences(root):
    """Rooms link only what they may include."""
    for lists in root.glob("**/CMakeLists.txt"):
        if "build" in lists.relative_to(root).parts:
            continue
        for name, linked in LINKED.findall(lists.read_text()):
            room = "dsl" if name == "dsl" else f"compiler/{name}"
            for library in (linked or "").split():
                other = library.replace("netc_", "compiler/")
                if room in MAY and other.startswith("compiler/") and other not in MAY[room]:
                    yield f"{lists.relative_to(root)}: {room} must not link {library}"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    found = list(offences(root))
    print("\n".join(found) if found else "includes point downward")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
