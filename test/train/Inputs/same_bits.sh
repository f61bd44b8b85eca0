# usage: same_bits.sh NETC CXX RUNTIME LIB EXAMPLES FOLDER: FOLDER holds gcc.o, clang.o, llvm.o and lenet5.h.
set -eu
netc=$1 cxx=$2 runtime=$3 lib=$4 examples=$5 folder=$6
cd "$folder"
steps="--epochs 2 --steps 200"
for build in gcc clang llvm; do
  $cxx -std=c++17 -O2 -ffp-contract=off -fno-exceptions -fno-rtti -I. -I"$runtime/include" "$examples/embed/main.cpp" $build.o \
    "$lib/libnetc_data.a" "$lib/libnetc_runtime.a" -lz -pthread -o embed_$build
done
for target in x86-64-v3 x86-64-v4; do
  for threads in 1 2 4; do
    export NETC_TARGET=$target
    for build in gcc clang llvm; do
      ./embed_$build $steps --threads $threads --weights-out $build.$target.$threads.safetensors | grep -q $target
    done
    $netc train "$examples/lenet5/lenet5.net" $steps --threads $threads --quiet --weights-out jit.$target.$threads.safetensors >/dev/null
  done
done
files=$(ls ./*.safetensors | wc -l)
contents=$(sha256sum ./*.safetensors | cut -d' ' -f1 | sort -u | wc -l)
echo "$files files of weights, $contents content"
