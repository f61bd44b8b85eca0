"""Drives examples/online: online.py PROGRAM FOLDER."""
import math
import random
import signal
import subprocess
import sys

program, folder = sys.argv[1:]
generator = random.Random(1)
lines, targets = [], []
for _ in range(1500):
    x = [generator.uniform(-1, 1) for _ in range(4)]
    t = math.sin(2 * x[0]) * x[1] + 0.5 * x[2]
    targets.append(t)
    lines.append(",".join("%.6f" % v for v in [*x, t]) + "\n")


def run(state, text):
    return subprocess.run([program, state], input=text, capture_output=True, text=True)


whole = run(folder + "/whole.bin", "".join(lines))
state = folder + "/state.bin"
first = subprocess.Popen([program, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
first.stdin.write("".join(lines[:700]))
first.stdin.flush()
seen = [first.stdout.readline() for _ in range(700)]
first.send_signal(signal.SIGTERM)  # it waits for sample 701
status = first.wait(timeout=60)
print("stopped after", len(seen), "samples, status", status)
rest = run(state, "nan,0,0,0,1\n" + "".join(lines[700:]))
print("same bytes:", open(state, "rb").read() == open(folder + "/whole.bin", "rb").read() and status == 0)
print(rest.stderr, end="")
predicted = [float(v) for v in whole.stdout.split()]
error = [abs(p - t) for p, t in zip(predicted, targets)]
print("error of the first 200: %.3f, of the last 200: %.3f" % (sum(error[:200]) / 200, sum(error[-200:]) / 200))
saved = open(state, "rb").read()
flipped = bytearray(saved)
flipped[len(saved) - 30] ^= 1  # one bit of a weight
open(state, "wb").write(flipped)
result = run(state, lines[0])
print("flipped:", result.returncode, result.stderr, end="")
print("kept:", open(state, "rb").read() == flipped)
damaged = bytearray(saved)
damaged[len(damaged) // 3] ^= 0x41
open(state, "wb").write(damaged[: len(damaged) - 10])
result = run(state, lines[0])
print("damaged:", result.returncode, result.stderr, end="")
print("kept:", open(state, "rb").read() == damaged[: len(damaged) - 10])
