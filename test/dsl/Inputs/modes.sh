# Compiled C++ of parts of modes.net: the same bits as the JIT's and the loop interpreter's.
#   modes.sh NETC TEST_PROGRAM CXX RUNTIME MODEL STEM PART...
netc=$1 test=$2 cxx=$3 runtime=$4 model=$5 stem=$6
shift 6
for part; do
  "$netc" "$model" --set part=$part --target x86-64-v3 --emit=loops -o "$stem$part.loops" &&
  "$netc" "$model" --set part=$part --target x86-64-v3 -o "$stem$part.cpp" &&
  "$cxx" -std=c++17 -O0 -ffp-contract=off -fPIC -shared -I"$runtime/include" "$stem$part.cpp" -o "$stem$part.so" &&
  "$test" "$stem$part.loops" jit "$stem$part.so" || exit 1
done
