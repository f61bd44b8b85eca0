"""hymenoptera.py NETC DATA FOLDER: the photographs as netc reads them, against those that were made smaller elsewhere (the
central square, averaged over boxes)."""
import gzip
import json
import os
import subprocess
import sys

import numpy

netc, data, folder = sys.argv[1:4]
os.chdir(folder)
subprocess.run(["tar", "xf", f"{data}/hymenoptera_data.tar"], check=True)
with open("look.net", "w") as f:
    f.write("model look\ninput image: u8[N, 3, 64, 64]\ny[n, c, i, j] = image[n, c, i, j] / 1\noutput y\n")
records = numpy.frombuffer(gzip.open(f"{data}/val64.bin.gz").read(), "u1").reshape(-1, 12289)[:, 1:]
names = [line.split()[-1] for line in open(f"{data}/val64.names.txt")]
smaller = {os.path.basename(name): record for name, record in zip(names, records)}
out = subprocess.run([netc, "predict", "look.net", "hymenoptera_data/val", "--format", "json"], check=True, stdout=subprocess.PIPE, text=True)
differences = []
for line in out.stdout.splitlines():
    picture = json.loads(line)
    differences.append(abs(numpy.array(picture["y"]) - smaller[os.path.basename(picture["sample"])]).mean())
assert len(differences) == 131, len(differences)
assert max(differences) < 16 and numpy.mean(differences) < 6, (max(differences), numpy.mean(differences))
print("131 photographs, %.1f of 255 apart" % numpy.mean(differences))
