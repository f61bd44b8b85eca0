"""The words in quotes of the grammar in docs/language.md are those of the parser's sources, and none is missing there."""
import re
import sys

root = sys.argv[1]
text = open(root + "/docs/language.md").read()
grammar = re.search(r"## Grammar.*?```text\n(.*?)```", text, re.S)[1]
words = set(re.findall(r'"([a-z_]+)"', grammar)) - {"f32", "i32", "u8", "bool"}
parsers = ("parser", "statement_parser", "expression_parser", "expression_operators")
source = "".join(open(f"{root}/dsl/{name}.cpp").read() for name in parsers)
known = set(re.findall(r'"([a-z_]+)"', source))
unknown = sorted(words - known)
listed = re.search(r"words = \{\{\{\"model\".*?\}\}\};", source, re.S)[0]
missing = sorted(set(re.findall(r'\{"(\w+)", K::', listed)) - words)
print(len(words), "words,", len(unknown), "unknown", *unknown)
if missing:
    print("not in the grammar:", *missing)
sys.exit(1 if unknown or missing else 0)
