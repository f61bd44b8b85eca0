"""Feeds truncated, mutated and senseless files to netc: garbage.py NETC MODEL..."""
import random
import subprocess
import sys
import tempfile

netc, models = sys.argv[1], sys.argv[2:]
texts = [open(m, "rb").read() for m in models]
rng = random.Random(1)
words = [w.encode() for w in "( ) [ ] { } = |> sum(k) [i>0] if else layer next ~ N - ^ 0 1e9 true epoch sgd x n k".split()]


def mutate(text):
    at = rng.randrange(len(text))
    choice = rng.randrange(4)
    if choice == 0:
        return text[:at]
    if choice == 1:
        return text[:at] + bytes([rng.randrange(256)]) + text[at + 1 :]
    if choice == 2:
        return text[:at] + b" " + rng.choice(words) + b" " + text[at:]
    return text[:at] + text[at + rng.randrange(1, 20) :]


cases = [b"", b"\n", b"\0" * 100, bytes(range(256)), b"(" * 100000, b"y = " + b"-" * 100000 + b"1", b"y = " + b"[" * 5000,
         b"y = " + b"1 + " * 100000 + b"1", b"if true {" * 10000, b"y = " + b"2 ^ " * 5000 + b"2", b"layer f(x) { f(x) }\ny = f(1)",
         b"y = " + b"not " * 5000 + b"true", b"input x: f32[N, 999999, 999999]\noutput x",
         b"layer f(x) { a = g(x); g(x) }\nlayer g(x) { a = f(x); f(x) }\noutput y = f(1)",
         b"x = 1" + b" |> relu" * 5000, b"y = x" + b"[0]" * 5000, b"if true {}" + b" else if true {}" * 5000]
cases += [mutate(rng.choice(texts)) for _ in range(60)]
failed = 0
with tempfile.NamedTemporaryFile(suffix=".net") as f:
    for number, case in enumerate(cases):
        f.seek(0)
        f.truncate()
        f.write(case)
        f.flush()
        r = subprocess.run([netc, f.name, "--emit=graph"], capture_output=True, timeout=60)
        good = (r.returncode == 0 and r.stdout) or (r.returncode == 1 and r.stderr and not r.stdout)
        if not good or b"internal" in r.stderr:
            failed += 1
            print(f"case {number}: status {r.returncode}, {case[:200]!r}\n{r.stderr[:500]!r}")
print(f"{len(cases)} cases, {failed} failed")
sys.exit(1 if failed else 0)
