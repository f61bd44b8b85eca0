# How the tests run: every file under test/ with a RUN line is one test. The build folder is a parameter:
#   python3 lit.py --param build=build/asan test
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run_lines import FilesWithRunLines


def llvmBin():
    """The folder of LLVM 19's tools (FileCheck, not)."""
    for name in ("llvm-config-19", "/usr/lib/llvm-19/bin/llvm-config"):
        path = shutil.which(name)
        if path:
            return subprocess.check_output([path, "--bindir"], text=True).strip()
    return "/usr/lib/llvm-19/bin"


def pythonWithNumpy():
    for name in ("/usr/bin/python3", "python3"):
        if subprocess.run([name, "-c", "import numpy"], capture_output=True).returncode == 0:
            return name
    return "python3"


def cpuFlags():
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("flags"):
                return set(line.split())
    return set()


root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
build = os.path.abspath(lit_config.params.get("build", os.path.join(root, "build", "release")))

config.name = "netc"
sys.dont_write_bytecode = True
config.test_format = FilesWithRunLines(execute_external=True)  # bash, so that a test may use all of a shell
config.suffixes = [".test", ".net", ".graph", ".loops", ".sched"]
config.excludes = ["Inputs", "__pycache__"]
config.test_source_root = os.path.join(root, "test")
config.test_exec_root = os.path.join(build, "test")

def isOptimized():
    """Whether the build is one to ship: sizes and times mean nothing in the others."""
    with open(os.path.join(build, "CMakeCache.txt")) as f:
        return "CMAKE_BUILD_TYPE:STRING=Release\n" in f.read()


flags = cpuFlags()
if {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"} <= flags:
    config.available_features.add("avx512")
if {"avx2", "fma"} <= flags:
    config.available_features.add("avx2")
clangxx = shutil.which("clang++-19")
if clangxx:
    config.available_features.add("clang")
if os.environ.get("NETC_DATA"):
    config.available_features.add("data")  # $NETC_DATA/mnist holds the MNIST files
chromium = shutil.which("chromium")
if chromium:
    config.available_features.add("chromium")  # to look at pages; not among packages.sh
if shutil.which("pdflatex"):
    config.available_features.add("pdflatex")  # to compile what netc explain writes; not among packages.sh
if shutil.which("aarch64-linux-gnu-g++") and shutil.which("qemu-aarch64"):
    config.available_features.add("aarch64")  # to run code for aarch64; optional in packages.sh
if isOptimized():
    config.available_features.add("optimized")
if subprocess.run([pythonWithNumpy(), "-c", "import matplotlib"], capture_output=True).returncode == 0:
    config.available_features.add("matplotlib")  # not among packages.sh: it and what it needs are large
if subprocess.run([pythonWithNumpy(), "-c", "import importlib.util, sys; sys.exit(not importlib.util.find_spec('torch'))"]).returncode == 0:
    config.available_features.add("torch")  # Debian's python3-torch, to compare with; not among packages.sh
if "CXX" in lit_config.params:
    config.environment["CXX"] = lit_config.params["CXX"]  # with which netc check compiles; where there is none, it goes without
if "slow" in lit_config.params:
    config.available_features.add("slow")

config.substitutions += [
    ("%netc", os.path.join(build, "bin", "netc")),
    ("%python", pythonWithNumpy()),
    ("%clangxx", clangxx or "clang++-19"),
    ("%chromium", chromium or "chromium"),
    ("%cxx", shutil.which("g++") or "c++"),
    ("%runtime", os.path.join(root, "runtime")),
    ("%examples", os.path.join(root, "examples")),
    ("%root", root),
    ("%build", build),
    ("%lib", os.path.join(build, "lib")),
    ("%bin", os.path.join(build, "bin")),
    ("%build", build),
]

config.environment["PATH"] = llvmBin() + os.pathsep + os.environ.get("PATH", "")
for name in ("HOME", "NETC_DATA", "XDG_CACHE_HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "CCACHE_DIR", "LANG"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
