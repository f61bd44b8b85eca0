"""The editor grammar is valid JSON, its patterns compile, and it knows every word that the parser asks for.

usage: check_grammar.py GRAMMAR.json DSL_FOLDER
"""
import json
import pathlib
import re
import sys


def patterns(node):
    if isinstance(node, dict):
        for key in ("match", "begin", "end"):
            if key in node:
                yield node[key]
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from patterns(part)


def parserWords(folder):
    """Words in the parser's questions, at("word") and accept("word"), in its word lists and in the statement table."""
    found = set()
    for name in ("parser.cpp", "statement_parser.cpp", "expression_parser.cpp", "expression_operators.cpp"):
        text = (folder / name).read_text()
        found |= set(re.findall(r'(?:\bat|accept)\("([a-z]+)"\)', text))
        for body in re.findall(r"std::string_view[^;{]*\{([^;]*)\};", text):
            found |= set(re.findall(r'"([a-z]{2,})"', body))
        found |= set(re.findall(r'\{"([a-z]+)", Statement::Kind', text))
    return found


def main():
    grammar = json.loads(pathlib.Path(sys.argv[1]).read_text())
    known = set()
    for p in patterns(grammar):
        re.compile(p)
        for group in re.findall(r"\(\??:?([\w|]+)\)", p):
            known |= set(group.split("|"))
    for reference in re.findall(r'"include": "#(\w+)"', pathlib.Path(sys.argv[1]).read_text()):
        assert reference in grammar["repository"], reference
    words = parserWords(pathlib.Path(sys.argv[2]))
    missing = sorted(words - known)
    print(f"{len(words)} words of the parser" + (f", unknown to the grammar: {', '.join(missing)}" if missing else ""))
    return 1 if missing or len(words) < 25 else 0


if __name__ == "__main__":
    sys.exit(main())
