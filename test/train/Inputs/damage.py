"""damage.py FOLDER cut|flip: the newest checkpoint loses its end, or one bit changes at each of several places (a copy each)."""
import os
import re
import sys

folder, how = sys.argv[1], sys.argv[2]
newest = max((int(m[1]) for m in (re.fullmatch(r"checkpoint-(\d+)\.safetensors", n) for n in os.listdir(folder)) if m))
path = f"{folder}/checkpoint-{newest}.safetensors"
data = bytearray(open(path, "rb").read())
if how == "cut":
    data = data[: len(data) * 2 // 3]
else:
    place = {"flip-length": 3, "flip-checksum": 35, "flip-note": 120, "flip-data": len(data) - 1000}[how]
    data[place] ^= 4
open(path, "wb").write(data)
