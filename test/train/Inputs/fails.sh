# usage: fails.sh NETC MODEL FOLDER CASE: training on FOLDER/CASE must end with status 1, one line, and no weights.
"$1" train "$2" --data "$3/$4" --epochs 1 --quiet --weights-out "$3/$4.safetensors" >"$3/$4.out" 2>"$3/$4.err"
status=$?
cat "$3/$4.err"
[ $status = 1 ] || echo "status $status, expected 1"
[ "$(wc -l <"$3/$4.err")" = 1 ] || echo "not one line"
[ ! -e "$3/$4.safetensors" ] || echo "weights were written"
[ ! -s "$3/$4.out" ] || echo "something was printed"
[ $status = 1 ] && [ "$(wc -l <"$3/$4.err")" = 1 ] && [ ! -e "$3/$4.safetensors" ] && [ ! -s "$3/$4.out" ]
