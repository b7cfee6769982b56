#!/bin/bash
# serve_load.sh [PROGRAM] - the service under load, compared with `locate` on the same panoramas: 32 connections of wrk
# for a minute, full-size untrained weights. Prints the numbers of answered and lost requests, the longest queue, the
# memory after 5 seconds and at the end, and both speeds. Fails if a request was lost, the queue exceeded its limit,
# memory grew by more than a tenth, or the service is slower than 85% of `locate`.
#
#   PRESET=paper (or nano)   SECONDS_LOAD=60   CONNECTIONS=32   PHOTOS=16   QUEUE=64
set -euo pipefail
program=${1:-build/geoviewmatch}
preset=${PRESET:-paper} seconds=${SECONDS_LOAD:-60} connections=${CONNECTIONS:-32} photos=${PHOTOS:-16} queue=${QUEUE:-64}
command -v wrk > /dev/null || { echo "wrk is needed: apt-get install wrk"; exit 1; }

tmp=$(mktemp -d)
service=
trap '[ -z "$service" ] || kill "$service" 2> /dev/null || true; wait; rm -rf "$tmp"' EXIT
"$program" init --preset "$preset" --seed 1 --out "$tmp/w.safetensors" > /dev/null
"$program" world --ortho --out "$tmp/town" --metres 400 --pairs "$photos" --seed 3 --quiet > /dev/null
"$program" index --weights "$tmp/w.safetensors" --raster "$tmp/town/ortho.tif" --out "$tmp/map.gpkg" --quiet > /dev/null
files=("$tmp"/town/street/*.jpg)

calc() { awk "BEGIN { printf \"%.9f\", $* }"; }
now() { date +%s.%N; }
locate() {
    local from
    from=$(now)
    "$program" locate --weights "$tmp/w.safetensors" --index "$tmp/map.gpkg" --heading 0 --format lines --quiet "$@" > /dev/null
    calc "$(now) - $from"
}

# The cost of starting is subtracted: time one batch, then several more.
some=("${files[@]}")
while [ ${#some[@]} -lt 16 ]; do some+=("${files[@]}"); done
some=("${some[@]:0:16}")
more=("${some[@]}" "${some[@]}" "${some[@]}" "${some[@]}" "${some[@]}")
[ "$preset" = paper ] || for _ in 1; do more+=("${more[@]}"); done
short=$(locate "${some[@]}") long=$(locate "${more[@]}")
alone=$(calc "(${#more[@]} - ${#some[@]}) / ($long - $short)")

"$program" serve --weights "$tmp/w.safetensors" --index "$tmp/map.gpkg" --port 0 --queue "$queue" --seconds 300 \
    > "$tmp/address" 2> "$tmp/said" &
service=$!
while [ ! -s "$tmp/address" ]; do kill -0 "$service"; sleep 0.1; done
address=$(cat "$tmp/address")
metric() { curl -sf "${address}metrics" | awk -v name="$1" '$1 == name { print $2 }'; }
memory() { awk '/VmRSS/ { print int($2 / 1024) }' "/proc/$service/status"; }

wrk -t 2 -c "$connections" -d "$seconds" --timeout 300 -s bench/serve_load.lua "${address}v1/locate?heading=0" \
    -- "${files[@]}" > "$tmp/wrk" &
load=$!
longest=0 early=0 from=$SECONDS
while kill -0 "$load" 2> /dev/null; do
    length=$(metric geoviewmatch_queue_length)
    [ "${length:-0}" -le "$longest" ] || longest=$length
    [ "$early" != 0 ] || [ $((SECONDS - from)) -lt 5 ] || early=$(memory)
    sleep 0.5
done
wait "$load"
late=$(memory)
kill -TERM "$service"
status=0
wait "$service" || status=$?
service=

read -r _ answers _ took _ connect _ reading _ writing _ bad _ timeout < <(grep '^answers' "$tmp/wrk")
served=$(calc "$answers / $took")
lost=$((connect + reading + writing + bad + timeout))
percent=$(calc "100 * $served / $alone")
echo "weights         $preset, $(nproc) cores, $connections connections for $seconds s"
echo "requests        $answers answered, $lost lost (connect $connect, read $reading, write $writing, status $bad, timeout $timeout)"
echo "queue           $longest at most, of $queue"
echo "memory          $early MB after 5 s, $late MB at the end"
printf 'speed           %.2f pictures a second, `locate` %.2f: %.0f%%\n' "$served" "$alone" "$percent"
echo "end             status $status: $(tail -1 "$tmp/said")"
[ "$lost" = 0 ] && [ "$longest" -le "$queue" ] && [ "$status" = 0 ] && [ "$answers" -gt 0 ] &&
    [ $((10 * late)) -le $((11 * early)) ] && [ "$(calc "($percent >= 85)")" = 1.000000000 ] || { echo "too little"; exit 1; }
