"""The parts of the documentation that are made from the sources: docs/prelude.md, docs/errors.md and the table of functions
in docs/language.md.

  python3 docs/generate.py build/release           writes them
  python3 docs/generate.py build/release --check   says what is out of date, and fails then
"""
import glob
import os
import re
import subprocess
import sys

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
build = os.path.abspath(sys.argv[1])
check = "--check" in sys.argv

# What a function computes, where its name does not say it. The names and derivatives come from the table of functions.
meanings = {
    "sqrt": "square root", "exp": "e to the x", "expm1": "exp(x) - 1, exact near 0", "log1p": "log(1 + x), exact near 0",
    "log1mexp": "log(1 - exp(x)) for x < 0, exact near 0 and where exp(x) is small",
    "silu": "x sigmoid(x)", "erfc": "1 - erf(x), exact where that is small", "gelu": "x times the normal distribution function of x",
    "log": "natural logarithm", "tanh": "hyperbolic tangent",
    "sigmoid": "1 / (1 + exp(-x))", "softplus": "log(1 + exp(x)), exact where exp overflows", "relu": "x where x > 0, else 0",
    "abs": "the size of x", "floor": "the largest whole number that is not above x", "sin": "sine", "cos": "cosine",
    "erf": "the error function", "minimum": "the smaller one", "maximum": "the larger one",
    "pow": "x to the z, for x > 0; also written x ^ z",
}
internal = {"neg", "fma", "given", "uniform"}  # operators, and what only the compiler writes


def read(path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def functionTable():
    rows = subprocess.run([os.path.join(build, "bin", "netc_reference")], capture_output=True, text=True, check=True).stdout
    lines = ["| function | value | derivative, y being the value |", "|---|---|---|"]
    for row in rows.splitlines():
        name, arity, *derivatives = row.split("\t")
        if name in internal:
            continue
        variables = ["x"] if arity == "1" else ["x", "z"]
        spelled = [re.sub(r"\b[ab]\b", lambda m: variables["ab".index(m[0])], d) for d in derivatives]
        spelled = [re.sub(r"\bselect\b", "where", d) for d in spelled]
        text = spelled[0] if arity == "1" else ", ".join(f"for {v}: {d}" for v, d in zip(variables, spelled))
        lines.append(f"| `{name}({', '.join(variables)})` | {meanings.get(name, '?')} | `{text}` |")
    return "\n".join(lines)


def declarations(text):
    """(comment, head, body) of each declaration; the comment is what stands right above it."""
    found, comment, lines = [], [], text.split("\n")
    for i, line in enumerate(lines):
        if line.startswith("#"):
            comment.append(line[1:].strip())
            continue
        head = re.match(r"(layer|fn|init|optimizer) (.*?)( \{| = (?![^(]*\)).*)?$", line)
        if head:
            body = []
            for following in lines[i + 1:]:
                if not following.startswith(" "):
                    break
                body.append(following)
            found.append((" ".join(comment), line, "\n".join(body)))
        comment = []
    return found


def preludePage():
    page = ["# The prelude", "",
            "Layers, functions, losses, initialisers and optimizers that every model can use. They are written in the language; this",
            "page is made from the comments in `dsl/prelude/` by `docs/generate.py`. [from-pytorch.md](from-pytorch.md) has PyTorch's names for",
            "them. `S...` are the spatial dimensions: none, one or many. The first argument is what stands before `|>`.", ""]
    for name in ["layers", "normalization", "activations", "losses", "training"]:
        text = read(f"dsl/prelude/{name}.net")
        introduction = re.match(r"((?:#.*\n)+)\n", text)
        page += [f"## {name.capitalize()}", ""]
        if introduction:
            page += [re.sub(r"^# ?", "", introduction[1], flags=re.M).strip(), ""]
            text = text[introduction.end():]
        for comment, head, body in declarations(text):
            short = head[:-2] if head.endswith(" {") else head
            page.append(f"`{short}`\\")
            about = comment
            stored = re.findall(r"^\s*(param|state) (\w+): (\[.*?\])(?: ~ (.*))?$", body, re.M)
            items = [f"`{n}` `{shape}`" + (f", `{init}` at first" if init else "") for _, n, shape, init in stored]
            if head.startswith("layer") and items:
                about += (" " if about else "") + "Stores " + "; ".join(items) + "."
            page += [about, ""] if about else [""]
            if not about:
                page[-2] = page[-2][:-1]
    return "\n".join(page).rstrip() + "\n"


def errorsPage():
    page = ["# Error messages", "",
            "What netc says about mistakes in a `.net` file, with a line that causes it. Made from the tests in `test/dsl/` by",
            "`docs/generate.py`; each message has its place in the file and a caret when it is printed.", ""]
    for path in sorted(glob.glob(os.path.join(root, "test", "dsl", "errors*.net"))):
        lines = open(path, encoding="utf-8").read().split("\n")
        checks = [re.match(r"# CHECK(?:-NEXT)?: .*?:(\d+):\d+: error: (.*)", l) for l in lines]
        rows = []
        for m in filter(None, checks):
            number, message = int(m[1]), m[2]
            if "{{" in message or "[[" in message or number > len(lines) or lines[number - 1].startswith("#"):
                continue
            cell = lambda s: s.strip().replace("|", "\\|").replace("``", "")
            rows.append(f"| {cell(message)} | `{cell(lines[number - 1])}` |")
        if rows:
            page += [f"**{lines[0].lstrip('# ').rstrip('.')}**", "", "| message | in |", "|---|---|", *dict.fromkeys(rows), ""]
    return "\n".join(page).rstrip() + "\n"


def between(text, name, part):
    begin, end = f"<!-- {name}: made by docs/generate.py -->\n", f"\n<!-- end of {name} -->"
    a = text.index(begin) + len(begin)
    return text[:a] + "\n" + part + "\n" + text[text.index(end, a):]


pages = {"docs/prelude.md": preludePage(), "docs/errors.md": errorsPage(),
         "docs/language.md": between(read("docs/language.md"), "functions", functionTable())}
stale = [p for p, text in pages.items() if not os.path.exists(os.path.join(root, p)) or read(p) != text]
for path in stale:
    if not check:
        with open(os.path.join(root, path), "w", encoding="utf-8") as f:
            f.write(pages[path])
    print(f"{path} {'is out of date: python3 docs/generate.py build/release' if check else 'written'}")
unknown = re.findall(r"`(\w+)\([^|]*\| \? \|", pages["docs/language.md"])
for name in unknown:
    print(f"docs/generate.py has no meaning for the function '{name}'")
if check and not stale and not unknown:
    print(f"{len(pages)} pages are up to date")
sys.exit(1 if unknown or (check and stale) else 0)
