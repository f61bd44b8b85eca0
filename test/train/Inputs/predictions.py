"""predictions.py NETC CLOUDS.net FOLDER: what `netc predict` and `netc evaluate` say is what the reference evaluator's
probabilities say."""
import csv
import io
import json
import random
import subprocess
import sys

import numpy

netc, model, folder = sys.argv[1:4]
names = ["left", "middle", "right"]
generator = random.Random(3)


def table(path, rows):
    """Three overlapping clouds; the class is text."""
    labels = [generator.choice(range(3)) for _ in range(rows)]
    x = [[round(generator.gauss(k, 1.0), 3) for _ in range(4)] for k in labels]
    with open(path, "w") as f:
        for values, k in zip(x, labels): f.write(",".join(map(str, values)) + "," + names[k] + "\n")
    return numpy.array(x), numpy.array(labels)


def run(*words):
    return subprocess.run([netc, *words], check=True, stdout=subprocess.PIPE, text=True).stdout


table(folder + "/f.tra", 200)
x, labels = table(folder + "/f.tes", 75)
numpy.save(folder + "/x.npy", x.astype("f4"))
bind = ["--bind", "x=c1..c4", "--bind", "kind=c5"]
weights = folder + "/w.safetensors"
run("train", model, "--data", folder + "/f.tra", *bind, "--epochs", "3", "--weights-out", weights)
run("run", model, "--batch", "75", "--input", f"x={folder}/x.npy", "--weights", weights, "--save", f"probability={folder}/p.npy")
expected = numpy.load(folder + "/p.npy").astype(float)
order = numpy.argsort(-expected, axis=1, kind="stable")

data = ["--weights", weights, "--data", folder + "/f.tra", *bind]
lines = [json.loads(line) for line in run("predict", model, *data, "--format", "json").splitlines()]
assert [int(line["sample"]) for line in lines] == list(range(75))
assert [[c["class"] for c in line["classes"]] for line in lines] == [[names[k] for k in row] for row in order]
given = numpy.array([[c["probability"] for c in line["classes"]] for line in lines])
assert abs(given - numpy.take_along_axis(expected, order, 1)).max() < 1e-6

rows = list(csv.DictReader(io.StringIO(run("predict", model, *data, "--format=csv", "--top", "1"))))
assert list(rows[0]) == ["sample", "class_1", "probability_1"], rows[0]
assert [row["class_1"] for row in rows] == [names[k] for k in order[:, 0]]
texts = run("predict", model, *data, "--top", "2").splitlines()
assert texts[0].split() == ["0", names[order[0, 0]], "%.4f" % expected[0, order[0, 0]], names[order[0, 1]], "%.4f" % expected[0, order[0, 1]]]
# One array instead of a table, as a file.
assert run("predict", model, "--weights", weights, folder + "/x.npy") == run("predict", model, *data)

confusion = numpy.zeros((3, 3), int)
for true, said in zip(labels, order[:, 0]): confusion[true, said] += 1
scores = json.loads(run("evaluate", model, *data, "--json"))
assert scores["confusion"] == confusion.tolist(), scores["confusion"]
assert confusion.sum() - confusion.trace() > 5  # the clouds overlap
assert abs(scores["accuracy"] - confusion.trace() / 75) < 1e-7
for k, given in enumerate(scores["classes"]):
    assert given["class"] == names[k] and given["samples"] == confusion[k].sum()
    assert abs(given["recall"] - confusion[k, k] / confusion[k].sum()) < 1e-7
    assert abs(given["precision"] - confusion[k, k] / confusion[:, k].sum()) < 1e-7
print(run("evaluate", model, *data))
