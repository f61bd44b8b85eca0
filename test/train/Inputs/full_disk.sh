# full_disk.sh NETC MODEL FOLDER: checkpoints on a disk of 2 MB that another file fills. Needs the right to mount one.
netc=$1 model=$2 folder=$3
fail() { echo "$1"; exit 1; }
mkdir -p "$folder/disk"
mount -t tmpfs -o size=2m tmpfs "$folder/disk" 2>/dev/null || { echo "skipped: no right to mount a small disk"; exit 0; }
trap 'umount "$folder/disk"' EXIT
train() { "$netc" train "$model" --epochs 2 --checkpoint-every 100 "$@" --quiet 2> "$folder/errors" > /dev/null; }

train --out "$folder/whole" || fail "without a full disk"
head -c 1150k /dev/zero > "$folder/disk/other" # room for two checkpoints, not for three
train --out "$folder/disk/run" && fail "success on a full disk"
cat "$folder/errors"
ls "$folder/disk/run"
rm "$folder/disk/other"
train --out "$folder/disk/run" --resume || fail "with room again: $(cat "$folder/errors")"
cmp "$folder/whole/weights.safetensors" "$folder/disk/run/weights.safetensors" || fail "other weights"
ls "$folder/disk/run"
echo "the same weights"

rm -r "$folder/disk/run"
head -c 1800k /dev/zero > "$folder/disk/other" # room for the weights
train --out "$folder/disk/run" && fail "success without room for a checkpoint"
tail -n 1 "$folder/errors"
cmp "$folder/whole/weights.safetensors" "$folder/disk/run/weights.safetensors" || fail "other weights"

rm -r "$folder/disk/run"
head -c 1980k /dev/zero > "$folder/disk/other" # room for nothing
train --out "$folder/disk/run" && fail "success without any room"
tail -n 1 "$folder/errors"
