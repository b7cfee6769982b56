#!/bin/bash
# The service and clients that err or mean harm: it goes on answering others, and its memory does not grow.
. tests/cli/common.bash
w=$(nano)
expect 0 index --weights "$w" --out "$tmp/map.gpkg" --tiles $demo/tiles.csv --quiet

"$GEOVIEWMATCH" serve --weights "$w" --index "$tmp/map.gpkg" --port 0 --request-seconds 5 --quiet > "$tmp/address" 2> "$tmp/log" & pid=$!
trap 'kill $pid 2> /dev/null || true; rm -rf "$tmp"' EXIT
for _ in $(seq 600); do
    [ -s "$tmp/address" ] && break
    kill -0 $pid || { cat "$tmp/log"; exit 1; }
    sleep 0.1
done
url=$(grep -o 'http://[^ ]*' "$tmp/address")

memory() { awk '/VmRSS/ {print $2}' /proc/$pid/status; }
python3 tests/serve/faults.py "$url" $demo/street/1.png 800 || { cat "$tmp/log"; exit 1; }
before=$(memory)
python3 tests/serve/faults.py "$url" $demo/street/1.png "${DROPPED:-10000}" || { cat "$tmp/log"; exit 1; }
after=$(memory)
[ "$after" -lt $((before + 100000)) ] || { echo "memory grew from $before to $after kB"; exit 1; }
kill -TERM $pid
wait $pid || { echo "it did not end in order"; cat "$tmp/log"; exit 1; }
