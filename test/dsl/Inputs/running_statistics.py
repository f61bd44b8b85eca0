"""Batch norm's running statistics after ten steps against numpy.
Usage: running_statistics.py NETC FOLDER"""
import json, struct, subprocess, sys
import numpy as np

netc, folder = sys.argv[1:]
rng = np.random.default_rng(3)
B, steps = 4, 10  # netc train keeps a fifth of five rows and more for the test
x = rng.normal(size=(B, 3)).astype("f4")
with open(f"{folder}/data.csv", "w") as f:
    f.write("a,b,c\n" + "".join(",".join(repr(float(v)) for v in row) + "\n" for row in x))
open(f"{folder}/m.net", "w").write("""model statistics
input x: f32[N, 3]
y = x |> batchnorm as norm |> dense(1)
output y
loss mean(n) y[n, 0]^2
train sgd(lr = 0.1)
""")
r = subprocess.run([netc, "train", f"{folder}/m.net", "--data", f"{folder}/data.csv", "--bind", "x=a..c",
                    "--epochs", str(steps), "--batch", str(B), "--weights-out", f"{folder}/w.safetensors"],
                   capture_output=True, text=True)
assert r.returncode == 0, (r.stdout, r.stderr)
data = open(f"{folder}/w.safetensors", "rb").read()
size = struct.unpack("<Q", data[:8])[0]
head = json.loads(data[8:8 + size])
at = lambda v: np.frombuffer(data[8 + size + v["data_offsets"][0]:8 + size + v["data_offsets"][1]], "<f4")
keep = 0.9 ** steps
mean, var = x.astype("f8").mean(0), x.astype("f8").var(0, ddof=1)
assert np.allclose(at(head["norm.running_mean"]), (1 - keep) * mean, atol=1e-5)
assert np.allclose(at(head["norm.running_var"]), keep + (1 - keep) * var, atol=1e-5)
print("running statistics agree")
