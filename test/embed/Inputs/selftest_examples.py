"""selftest_examples.py NETC LIBRARY INCLUDE EXAMPLES FOLDER: the self-test of every model among the examples, the large ones made small."""
import glob
import os
import re
import subprocess
import sys
import time

netc, library, include, examples, folder = sys.argv[1:]
harness = os.path.dirname(os.path.abspath(__file__)) + "/selftest.c"
SMALLER = {
    "alexnet": {"width": 8, "hidden": 32},
    "autoencoder": {"width": 4},
    "large_linear": {"size": 16},
    "mnist_cnn": {"size": 12, "width": 8},
    "mobilenet": {"size": 16, "width": 0.25, "last": 64},
    "pictures": {"size": 32, "width": 4},
    "ants_bees": {"size": 32, "width": 4},
    "cifar": {"width": 4},
    "resnet18": {"size": 32, "width": 8, "classes": 10},
    "resnet20": {"size": 16, "width": 4, "blocks": 1},
    "vgg": {"width": 4},
    "volume": {"size": 8, "width": 4},
}

found = 0
for path in sorted(glob.glob(examples + "/*/*.net")):
    model = re.search(r"^model (\w+)", open(path).read(), re.M)
    if not model: continue  # a part that others include
    begin = time.time()
    name, place = model[1], f"{folder}/{found}"
    sizes = [word for key, value in SMALLER.get(name, {}).items() for word in ("--set", f"{key}={value}")]
    subprocess.run([netc, path, "--selftest", "--target", "native", "--batch", "20", "-o", place + ".o", *sizes], check=True)
    subprocess.run(["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-DMODEL=\"{place}.h\"", f"-DNAME={name}", "-I", include, "-c", harness,
                    "-o", place + "main.o"], check=True)
    subprocess.run(["g++", place + "main.o", place + ".o", library, "-pthread", "-o", place], check=True)
    result = subprocess.run([place], capture_output=True, text=True)
    print(f"{os.path.relpath(path, examples)}: {result.stdout.strip()}", f"{time.time() - begin:.1f} s" if "TIMES" in os.environ else "", flush=True)
    if result.returncode: sys.exit("a false alarm")
    found += 1
print(found, "models, no false alarm")
