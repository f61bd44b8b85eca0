# The Debian 12 packages that netc is built and tested with. Sourced by test/run.sh and examples/quickstart.sh.
packages="cmake g++ ninja-build llvm-19-dev llvm-19-tools libfmt-dev libboost-program-options-dev libhwy-dev
zlib1g-dev libjpeg-dev libpng-dev clang-19 pkg-config dpkg-dev file python3 python3-numpy python3-mpmath"

# Tests of code for aarch64 are skipped without these.
optionalPackages="g++-aarch64-linux-gnu qemu-user"

installPackages() { # NAME...
  missing=""
  for p in "$@"; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $p"
  done
  [ -z "$missing" ] && return 0
  echo "installing:$missing"
  asRoot=""
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "missing packages; as root: apt-get install$missing" >&2; return 1; }
    asRoot=sudo
  fi
  $asRoot apt-get update -qq || true
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $asRoot apt-get install -y -qq --no-install-recommends $missing >/dev/null </dev/null ||
    { echo "could not install:$missing" >&2; return 1; }
}
