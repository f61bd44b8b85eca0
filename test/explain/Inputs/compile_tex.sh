# compile_tex.sh NETC FOLDER MODEL...: the derivation of each model as LaTeX, compiled; every formula fits its line.
netc=$1 folder=$2
shift 2
rm -rf "$folder" && mkdir -p "$folder" && cd "$folder" || exit 1
for model; do
  name=$(basename "$model" .net)
  "$netc" explain "$model" -o "$name.tex" || exit 1
  if ! pdflatex -interaction=nonstopmode -halt-on-error "$name.tex" > "$name.out" || grep 'Overfull\|undefined' "$name.out"; then
    cat "$name.out"
    exit 1
  fi
  echo "$name: $(grep -o '[0-9]* pages\?' "$name.out")"
done
