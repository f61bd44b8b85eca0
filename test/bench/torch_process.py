"""Processes of PyTorch that test/bench/compare and test/bench/contractions ask for times."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def fail(message):
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {message}")


def pythonWithTorch():
    for python in (sys.executable, "/usr/bin/python3"):
        script = "import torch; torch.ones(9, 9) @ torch.ones(9, 9); print(open('/proc/self/maps').read())"
        done = subprocess.run([python, "-c", script], capture_output=True, text=True)
        if done.returncode == 0:
            if not re.search("openblas|blis|libmkl", done.stdout):
                fail("PyTorch has only the reference BLAS here, tens of times slower; install libopenblas0-pthread")
            return python
    fail("no python3 here has PyTorch (Debian's packages python3-torch and libopenblas0-pthread)")


class Torch:
    """A process that times one network in one way; None where PyTorch cannot run it so."""

    def __init__(self, python, net, batch, mode, variant, threads):
        words = [python, str(HERE / "torch_models.py"), net, str(batch), mode, variant, str(threads)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def round(self, seconds):
        try:
            print(seconds, file=self.process.stdin, flush=True)
            return [float(word) for word in self.process.stdout.readline().split()] or None
        except BrokenPipeError:
            return None

    def end(self):
        self.process.kill()
        self.process.wait()


def netcProgram():
    program = os.environ.get("NETC", str(ROOT / "build/release/bin/netc"))
    if not shutil.which(program):
        fail(f"no program {program}; build netc first, or set NETC")
    return program


def netcBench(program, file, *options):
    done = subprocess.run([program, "bench", str(ROOT / file), "--json", *map(str, options)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)
