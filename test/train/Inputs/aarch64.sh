# usage: aarch64.sh NETC ROOT FOLDER: trains LeNet-5 and aarch64.net on aarch64 and here, and compares the weights.
set -eu
netc=$1 root=$2
cd "$3"
arm="aarch64-linux-gnu-g++ -std=c++17 -O1 -ffp-contract=off -Wall -Wextra -Werror -fno-exceptions -fno-rtti -I$root/runtime/include"
for source in "$root"/runtime/src/*.cpp "$root"/runtime/src/data/*.cpp "$root"/runtime/src/digits/*.cpp; do
  echo "#include \"$source\"" # one text: a third of the time
done >runtime.cpp
$arm -I"$root/runtime" -c runtime.cpp -o runtime.o
for net in "$root/examples/lenet5/lenet5.net" "$root/test/train/Inputs/aarch64.net"; do
  name=$(basename "$net" .net)
  steps="--data data --epochs 2 --steps 5"
  mkdir "$name"
  $netc train "$net" --batch 16 $steps --quiet --weights-out "$name/here.safetensors" >"$name/here.txt"
  # One .cpp for both architectures, and an object file for one.
  $netc "$net" --batch 16 --target x86-64-v3,aarch64 -o "$name/lenet5.cpp"
  $netc "$net" --batch 16 --target aarch64 -o "$name/llvm.o"
  $arm -idirafter /usr/include -c "$name/lenet5.cpp" -o "$name/cpp.o"
  $arm -I"$name" -c "$root/examples/embed/main.cpp" -o "$name/main.o"
  for build in cpp llvm; do
    $arm "$name/main.o" "$name/$build.o" runtime.o -static -pthread -o "$name/$build"
    for threads in 1 3; do
      qemu-aarch64 "$name/$build" $steps --threads $threads --weights-out "$name/$build.$threads.safetensors" >"$name/$build.txt"
      grep -q "of memory, aarch64" "$name/$build.txt"
      cmp "$name/here.safetensors" "$name/$build.$threads.safetensors"
    done
  done
  echo "$name: $(ls "$name"/*.*.safetensors | wc -l) files of weights equal those of this machine"
done
