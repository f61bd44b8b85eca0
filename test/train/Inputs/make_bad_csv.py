"""usage: make_bad_csv.py FOLDER: tables with one mistake each."""
import pathlib
import sys

import numpy as np

root = pathlib.Path(sys.argv[1])
kinds = ["rose", "daisy", "lily"]


def table(name, line, field, cell, labels=kinds):
    rows = [[str(i / 10), "1", "2", "3", str(labels[i % 3])] for i in range(40)]
    rows[line - 1][field - 1] = cell
    (root / name).write_text("\n".join(",".join(r) for r in rows) + "\n")


table("letter.csv", 6, 3, "x")
table("nan.csv", 7, 2, "nan")
table("inf.csv", 8, 4, "-inf")
table("huge.csv", 9, 2, "1e39")
table("tulip.csv", 10, 5, "tulip")
table("label.csv", 11, 5, "3", labels=[0, 1, 2])
table("half.csv", 12, 5, "0.5", labels=[0, 1, 2])
(root / "named.csv").write_text("x,t\n1,2\n\n3,4\noops,6\n7,8\n9,10\n11,12\n")
(root / "large.csv").write_text("x,t\n" + "1e30,1\n" * 20)
(root / "two.csv").write_text("x,t\n" + "1,2\n-1,0.5\n" * 20)
(root / "huge_x.csv").write_text("x\n1\n1e39\n")
(root / "word_x.csv").write_text("x\n1\nword\n")
x = np.linspace(-1, 1, 20, dtype=np.float32)
np.savez(root / "nan.npz", x=np.where(np.arange(20) == 3, np.nan, x), t=2 * x)
np.savez(root / "tested.npz", x=np.where(np.arange(20) == 9, np.inf, x), t=2 * x)  # sample 9 falls into the test part
