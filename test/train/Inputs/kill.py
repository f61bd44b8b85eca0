"""kill.py NETC FOLDER KILLS ARGUMENTS...: a training that is killed at KILLS random moments, and each time goes on with --resume,
ends with the bytes and the metrics of one that was never stopped."""
import csv
import os
import random
import subprocess
import sys
import time

netc, folder, kills, arguments = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
generator = random.Random(5)
run, whole = folder + "/killed", folder + "/whole"


def command(out, *more):
    return [netc, "train", *arguments, "--quiet", "--out", out, "--checkpoint-every", "10", *more]


def contents(path):
    with open(path, "rb") as f:
        return f.read()


def metrics(path):
    """Without what depends on the clock."""
    with open(path + "/metrics.csv") as f:
        return [[v for k, v in row.items() if k not in ("samples_per_second", "seconds")] for row in csv.DictReader(f)]


subprocess.run(command(whole), check=True, stdout=subprocess.DEVNULL)
start = time.time()
subprocess.run([netc, "train", *arguments, "--quiet", "--steps", "1"], check=True, stdout=subprocess.DEVNULL)
startUp = time.time() - start  # reading data, compiling
killed = finished = amid = 0
os.makedirs(run)
while killed < kills:
    process = subprocess.Popen(command(run, "--resume"), stdout=subprocess.DEVNULL)
    try:
        process.wait(generator.uniform(0, 2 * startUp))
        if process.returncode: sys.exit(f"netc ended with status {process.returncode}")
        finished += 1
        for name in os.listdir(run): os.remove(run + "/" + name)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        killed += 1
    amid += any(".tmp" in name for name in os.listdir(run))
subprocess.run(command(run, "--resume"), check=True, stdout=subprocess.DEVNULL)
def files(folder):  # each process has an event file of its own
    return sorted(name for name in os.listdir(folder) if not name.startswith("events."))


if files(run) != files(whole): sys.exit(f"other files: {files(run)}")
if contents(run + "/weights.safetensors") != contents(whole + "/weights.safetensors"): sys.exit("other bytes")
if metrics(run) != metrics(whole): sys.exit(f"other metrics: {metrics(run)} instead of {metrics(whole)}")
print(f"killed {killed} times, {amid} of them while a file was written; came to its end {finished} times before; the same bytes")
