#!/bin/sh
# From a fresh clone to a network that reads digits: installs what is missing (Debian 12), builds netc, trains LeNet-5 on
# the built-in digits, prints its accuracy and shows a few test digits with what the network takes them for.
set -eu
cd "$(dirname "$0")/.."

. test/packages.sh
# shellcheck disable=SC2086
installPackages $packages

command -v ccache >/dev/null && export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_C_COMPILER_LAUNCHER=ccache
mkdir -p build/quickstart
log=build/quickstart/build.log
generator=""
[ -f build/release/CMakeCache.txt ] || generator=-GNinja
failed() {
  tail -n 40 $log >&2
  echo "the build failed; the whole log is $log" >&2
  exit 1
}

# The preset of test/run.sh, which goes on where this stops; of its targets the compiler only.
cmake --preset release $generator >$log 2>&1 || failed
echo "building netc (about 4 minutes on 2 processors the first time; this machine has $(nproc)) ..."
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
export NINJA_STATUS="  [%f/%t] "
if [ -t 1 ]; then # ninja rewrites one line
  cmake --build --preset release --target netc -j "$jobs" || exit 1
else
  cmake --build --preset release --target netc -j "$jobs" >>$log 2>&1 || failed
fi

netc=build/release/bin/netc
model=examples/lenet5/lenet5.net
XDG_CACHE_HOME=$PWD/build/quickstart
export XDG_CACHE_HOME

echo
echo "\$ netc $model -o lenet5.cpp"
$netc $model -o build/quickstart/lenet5.cpp
ls build/quickstart/lenet5.cpp build/quickstart/lenet5.h

echo
echo "\$ netc train $model --epochs 3"
$netc train $model --epochs 3 --threads "$(nproc)" --weights-out build/quickstart/lenet5.safetensors

echo
/usr/bin/python3 examples/show_digits.py $netc $model build/quickstart/lenet5.safetensors build/quickstart

echo
echo "The compiler is $netc,"
echo "the weights are in build/quickstart/lenet5.safetensors. What next:"
echo "  # run/report.html shows curves, filters and mistakes"
echo "  $netc train $model --epochs 10 --out run"
echo "  # its formulas, and how its gradients are derived"
echo "  $netc explain $model -o lenet5.html"
