# unreadable.sh NETC MODEL FOLDER: FOLDER, whose part dark/ may not be read. Root may read all, so netc runs as somebody else.
netc=$1 model=$2 folder=$3
as=""
if [ "$(id -u)" = 0 ]; then
  as="setpriv --reuid=65534 --clear-groups"
  $as "$netc" --version > /dev/null 2>&1 && $as test -r "$model" || { echo "skipped: nobody cannot run netc"; exit 0; }
fi
chmod 000 "$folder/dark"
trap 'chmod 755 "$folder/dark"' EXIT
$as "$netc" train "$model" --data "$folder" 2>&1
echo "status $?"
