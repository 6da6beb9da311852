#!/bin/sh
# Runs one command and ends it, with its folder, as soon as standard input closes: a pipe whose other end the starter holds.
# The kernel closes that end however the starter goes, kill -9 included, so nothing outlives it.
#   watchdog.sh FOLDER COMMAND [ARGUMENT…]     the command's output goes to FOLDER/log, its process id to standard output
# A command that ends by itself leaves its folder, so that the starter can read the log; its exit code is passed on.
folder=$1
shift
exec 3<&0 </dev/null

"$@" 3<&- >"$folder/log" 2>&1 &
child=$!
# A starter that is already gone reads no more: that must not end this shell before it has ended its command.
trap '' PIPE
echo "$child" 2>/dev/null
exec >/dev/null

(
  while read -r _ <&3; do :; done
  # From here on the end must not be cut short: the folder is removed only if this part ends by itself.
  trap '' TERM
  kill -KILL "$child" 2>/dev/null
  exit 0
) &
watch=$!
exec 3<&-

wait "$child"
code=$?
kill "$watch" 2>/dev/null
if wait "$watch" 2>/dev/null; then
  rm -rf "$folder"
  # The last of a stack's members takes the stack's folder with it; before that it is not empty.
  rmdir "$(dirname "$folder")" 2>/dev/null
fi
exit "$code"
