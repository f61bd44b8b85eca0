"""usage: make_csv.py FOLDER: three kinds of points in four dimensions, a file with a short row, one with a fourth kind."""
import pathlib
import sys

import numpy as np

root = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(7)
kinds = ["rose", "daisy", "lily"]
rows = []
for i in range(150):
    k = i // 50
    x = rng.normal(0, 0.3, 4) + np.array([k, -k, k == 1, 1])
    rows.append(",".join(f"{v:.3f}" for v in x) + "," + kinds[k])
(root / "flowers.csv").write_text("\n".join(rows) + "\n")
(root / "ragged.csv").write_text("\n".join(rows[:2] + ["1,2,3"] + rows[2:]) + "\n")
(root / "other.csv").write_text("\n".join(r.replace("lily", "tulip") for r in rows) + "\n")
