#!/bin/sh
# Installs what is missing (Debian 12), builds netc and runs all tests; then a part of them once more with the address
# and undefined-behaviour sanitizers. The last line says how many passed.
#   sh test/run.sh            everything
#   sh test/run.sh passes     only tests whose name holds "passes", release build only
# NETC_DATA names a folder with real data sets (mnist/train-images-idx3-ubyte.gz, ...); tests that need it are skipped
# without it.
set -u
cd "$(dirname "$0")/.." || exit 1
filter=${1:-}

. test/packages.sh
# shellcheck disable=SC2086
installPackages $packages || exit 1
# shellcheck disable=SC2086
installPackages $optionalPackages || echo "tests of code for aarch64 will be skipped"

lit="$(llvm-config-19 --prefix)/build/utils/lit/lit.py"
[ -f "$lit" ] || { echo "run.sh: cannot find lit at $lit (package llvm-19-tools)" >&2; exit 1; }

buildPreset() {
  generator=""
  command -v ninja >/dev/null && [ ! -f "build/$1/CMakeCache.txt" ] && generator="-GNinja"
  # shellcheck disable=SC2086
  cmake --preset "$1" $generator >"build/$1.log" 2>&1 && cmake --build --preset "$1" -j "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" >>"build/$1.log" 2>&1 && return
  echo "run.sh: the $1 build failed:" >&2
  tail -n 60 "build/$1.log" >&2
  return 1
}

# runTests PRESET LIT-OPTIONS...: adds to the list of results.
runTests() {
  preset=$1
  shift
  python3 "$lit" -v --no-progress-bar --param "build=build/$preset" --output "build/$preset.json" "$@" test
}

command -v ccache >/dev/null && export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_C_COMPILER_LAUNCHER=ccache
mkdir -p build
rm -f build/release.json build/asan.json
[ -n "${NETC_DATA:-}" ] || echo "NETC_DATA is not set: tests that need real data sets will be skipped"

failed=0
start=$(date +%s)
buildPreset release || exit 1
echo "release build: $(($(date +%s) - start)) s"
if [ -n "$filter" ]; then
  runTests release --filter "$filter" || failed=1
else
  runTests release || failed=1
  start=$(date +%s)
  buildPreset asan || exit 1
  echo "asan build: $(($(date +%s) - start)) s"
  # Not again under the sanitizers: what compiles generated code, trains, draws many random formulas, or takes minutes there.
  # The C++ that netc check compiles has no sanitizer in it: three tests in grad/ load some.
  runTests asan --param CXX=none --filter-out ':: (train|examples|fuzz|codegen|embed|bench)/|explain/gradients|schedule/channels|slow' || failed=1
fi

python3 - <<'PYTHON' || failed=1
import json, os, sys
passed = failed = skipped = 0
for preset in ("release", "asan"):
    path = f"build/{preset}.json"
    if os.path.exists(path):
        for test in json.load(open(path))["tests"]:
            passed += test["code"] in ("PASS", "XFAIL", "FLAKYPASS")
            skipped += test["code"] in ("UNSUPPORTED", "SKIPPED", "EXCLUDED")
            failed += test["code"] in ("FAIL", "XPASS", "TIMEOUT", "UNRESOLVED")
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(failed > 0 or passed == 0)
PYTHON
exit $failed
