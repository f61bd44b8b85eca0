"""Every layer and function of the prelude occurs in a model: names_in_modes.py PRELUDE_FOLDER FILE"""
import glob
import os
import re
import sys

folder, model = sys.argv[1:]
text = re.sub(r"#.*", "", open(model).read())
names = []
for path in glob.glob(os.path.join(folder, "*.net")):
    if os.path.basename(path) != "training.net":
        names += re.findall(r"^(?:layer|fn) (\w+)", open(path).read(), re.M)
missing = [n for n in names if not re.search(r"\b%s\b" % n, text)]
print(len(names), "names,", len(missing), "missing", *missing)
