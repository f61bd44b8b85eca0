# check_examples.sh NETC EXAMPLES PART PARTS: runs netc check on every PARTS-th .net file from the PART-th on, prints the time
# of each and, at its end, how many passed; status 1 when one fails, or compares no entry of some parameter.
netc=$1 examples=$2 part=$3 parts=$4
TIMEFORMAT='%R s, %U s of a processor'
number=0 passed=0 failed=0
while read -r model; do
  [ $((number++ % parts)) = "$part" ] || continue
  echo "${model#"$examples"/}"
  if time output=$("$netc" check "$model" 2>&1) && ! grep -F '(0 entries' <<< "$output"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$output"
  fi
done < <(find "$examples" -name '*.net' -exec grep -l '^model' {} + | sort) # not what models import
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
