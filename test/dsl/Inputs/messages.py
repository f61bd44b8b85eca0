"""Compares the messages in the sources of the language with those that its tests expect, with a place.

messages.py SOURCE_ROOT: prints every message that no test under test/dsl mentions, and fails if there is one.
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
# Guards against what the checks before them already refuse, or whose text another message replaces.
UNREACHABLE = {
    "calls and expressions nest too deeply here",
    "expected the end of the value",
    "there is a tensor named '{}' already",
    "this depends on an index, but a whole tensor or number is needed here",
    "this model takes more than {} calls and statements to elaborate: does a layer call itself?",
    "'...' stands behind an item of a list, as in x[n, s...]",
    "cannot import '{}': it is no regular file",
}
CALLS = re.compile(r"\b(report|fail|refuse|error|failExpected)\(")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')


def call_text(source, start):
    """The arguments from `start`, just behind the opening parenthesis, up to its partner."""
    depth, i = 1, start
    while depth and i < len(source):
        if source[i] == '"':
            i = LITERAL.match(source, i).end()
            continue
        if source[i] == "'" and re.match(r"'(\\.|[^\\])'", source[i:]):
            i += re.match(r"'(\\.|[^\\])'", source[i:]).end()
            continue
        depth += {"(": 1, ")": -1}.get(source[i], 0)
        i += 1
    return source[start : i - 1]


def messages():
    for path in sorted(root.glob("dsl/*.cpp")) + [root / "compiler/support/lexer.cpp"]:
        source = re.sub(r'"\s*\n\s*"', "", path.read_text())  # adjacent literals are one
        source = re.sub(r"//[^\n]*", "", source)
        for call in CALLS.finditer(source):
            text = call_text(source, call.end())
            found = LITERAL.search(text)
            if not found or len(found.group(1)) < 4:
                continue
            message = found.group(1).replace('\\"', '"')
            if call.group(1) == "failExpected":
                message = "expected " + message
            yield path.name, source[: call.start()].count("\n") + 1, message


def pattern(message):
    parts = re.split(r"(\{\{|\}\}|\{\d*(?::[^}]*)?\})", message)
    return "".join({"{{": r"\{", "}}": r"\}"}.get(p, ".*" if i % 2 else re.escape(p)) for i, p in enumerate(parts))


expected = []
for test in sorted(root.glob("test/dsl/*")):
    if test.is_file():
        for line in test.read_text(errors="replace").splitlines():
            found = re.search(r":(?:\d+|\{\{.*\}\}|\[\[.*\]\]):(?:\d+|\{\{.*\}\})?:? ?(?:error|warning): (.*)", line)
            if found:
                expected.append(found.group(1).replace("{{\\]\\]}}", "]]"))

untested, tested = [], set()
for name, line, message in messages():
    if any(re.match(pattern(message), e) or re.match(r"in '.*': " + pattern(message), e) for e in expected):
        tested.add(message)
    elif message not in UNREACHABLE:
        untested.append(f"{name}:{line}: no test expects '{message}'")
print(f"{len(tested)} distinct messages are tested with their place")
print("\n".join(untested))
sys.exit(1 if untested or len(tested) < 60 else 0)
