"""selftest_examples.py NETC LIBRARY INCLUDE EXAMPLES FOLDER: the self-test of every model among the examples, the large ones made small."""
import glob
import os
import re
import subprocess
import sys
import resource

netc, library, include, examples, folder = sys.argv[1:]
harness = os.path.dirname(os.path.abspath(__file__)) + "/selftest.c"
SMALLER = {
    "alexnet": {"width": 4, "hidden": 16},
    "autoencoder": {"width": 4},
    "filters": {"size": 16},
    "large_linear": {"size": 4},
    "mnist_cnn": {"size": 12, "width": 4},
    "mobilenet": {"size": 8, "width": 0.25, "last": 32, "stages": "[[1,16,1,1],[6,24,2,1],[6,32,1,2]]"},
    "pictures": {"size": 16, "width": 4},
    "ants_bees": {"size": 32, "width": 4},
    "cifar": {"width": 4},
    "resnet18": {"size": 32, "width": 4, "classes": 10},
    "resnet20": {"size": 8, "width": 4, "blocks": 1},
    "signal": {"length": 64, "width": 4},
    "vgg": {"width": 4},
    "volume": {"size": 8, "width": 2},
}

found = 0
for path in sorted(glob.glob(examples + "/*/*.net")):
    model = re.search(r"^model (\w+)", open(path).read(), re.M)
    if not model: continue  # a part that others include
    begin = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    name, place = model[1], f"{folder}/{found}"
    sizes = [word for key, value in SMALLER.get(name, {}).items() for word in ("--set", f"{key}={value}")]
    subprocess.run([netc, path, "--selftest", "--target", "native", "--batch", "20", "-o", place + ".o", *sizes], check=True)
    subprocess.run(["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-DMODEL=\"{place}.h\"", f"-DNAME={name}", "-I", include, "-c", harness,
                    "-o", place + "main.o"], check=True)
    subprocess.run(["g++", place + "main.o", place + ".o", library, "-pthread", "-o", place], check=True)
    result = subprocess.run([place], capture_output=True, text=True)
    print(f"{os.path.relpath(path, examples)}: {result.stdout.strip()}", f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - begin:.1f} s" if "TIMES" in os.environ else "", flush=True)
    if result.returncode: sys.exit("a false alarm")
    found += 1
print(found, "models, no false alarm")
