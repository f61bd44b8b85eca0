# devices.sh NETC TINY TRAINABLE FOLDER: a null and a full device of our own in FOLDER; silent success without the right to
# make them.
netc=$1 tiny=$2 trainable=$3 folder=$4
null=$folder/null.cpp full=$folder/full
mknod "$null" c 1 3 2>/dev/null && mknod "$full" c 1 7 2>/dev/null && : 2>/dev/null > "$null" || exit 0
fail() { echo "$1"; exit 1; }

"$netc" "$tiny" --emit=graph -o "$null" || fail "a device is written in place"
"$netc" train "$trainable" --steps 1 --weights-out "$null" 2>&1 | grep -q "error: '$null' is not a regular file" || fail "weights to a device"
test -c "$null" || fail "the device was replaced"
"$netc" "$tiny" --emit=graph -o "$full" 2>&1 | grep -q "cannot write '$full': No space left on device" || fail "a full device"
test -c "$full" || fail "the full device was replaced"

# Standard output that takes nothing: one message, status 1, whatever the command.
for arguments in "$tiny --emit=graph" "--help" "help" "--version" "train $trainable --steps 2" "check $tiny" \
  "run $tiny --print w" "fmt $tiny" "train $trainable --steps 2 --json"; do
  "$netc" $arguments > "$full" 2> "$folder/errors"
  test $? = 1 || fail "status of netc $arguments"
  test "$(cat "$folder/errors")" = "netc: error: cannot write to standard output" || fail "netc $arguments: $(cat "$folder/errors")"
done
exit 0
