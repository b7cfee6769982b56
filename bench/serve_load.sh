#!/bin/bash
# serve_load.sh PROGRAM [SECONDS] [PRESET] - the service under load, on loopback: wrk posts panoramas over 32 connections for
# a minute. Prints what was accepted and lost, the queue, memory after five seconds and at the end, and throughput beside
# `locate` on the same files; with the full-size network unless PRESET says nano. Needs wrk; let nothing else compute.
set -euo pipefail
program=$(realpath "$1") seconds=${2:-60} preset=${3:-paper}
connections=32
tmp=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill $pid 2> /dev/null || true; rm -rf "$tmp"' EXIT
command -v wrk > /dev/null || { echo "serve_load.sh: wrk is missing: apt-get install wrk"; exit 1; }

"$program" init --preset "$preset" --out "$tmp/w.safetensors" > /dev/null
"$program" world --out "$tmp/town" --pairs 16 --ortho --metres 200 --seed 5 --quiet > /dev/null
"$program" index --weights "$tmp/w.safetensors" --out "$tmp/map.gpkg" --raster "$tmp/town/ortho.tif" --quiet > /dev/null

# Pictures a second of `locate`, without its start: how much longer five times the pictures take.
photos=("$tmp"/town/street/*)
now() { date +%s.%N; }
locate() {
    local list=()
    for _ in $(seq "$1"); do list+=("${photos[@]}"); done
    "$program" locate --weights "$tmp/w.safetensors" --index "$tmp/map.gpkg" --quiet --json "${list[@]}" > /dev/null
}
a=$(now); locate 2; b=$(now); locate 10; c=$(now)
rate=$(python3 -c "print(8 * ${#photos[@]} / (($c - $b) - ($b - $a)))")

cat > "$tmp/post.lua" <<'END'
local pictures, codes, at = {}, {}, 0
function init(args)
    for _, name in ipairs(args) do
        local file = assert(io.open(name, "rb"))
        pictures[#pictures + 1] = file:read("*a")
        file:close()
    end
end
local threads = {}
function setup(thread) threads[#threads + 1] = thread end
function request()
    at = at % #pictures + 1
    return wrk.format("POST", "/v1/locate", {["Content-Type"] = "image/jpeg"}, pictures[at])
end
good, busy, other = 0, 0, 0
function response(status)
    if status == 200 then good = good + 1 elseif status == 503 then busy = busy + 1 else other = other + 1 end
end
function done(summary, latency)
    local sum = {good = 0, busy = 0, other = 0}
    for _, thread in ipairs(threads) do
        for name in pairs(sum) do sum[name] = sum[name] + thread:get(name) end
    end
    local e = summary.errors
    io.write(string.format("answered      %d in %.1f s, %.2f a second\n", sum.good, summary.duration / 1e6,
                           sum.good * 1e6 / summary.duration))
    io.write(string.format("turned away   %d (503)\n", sum.busy))
    io.write(string.format("lost          %d (connect %d, read %d, write %d, timeout %d, other status %d)\n",
                           e.connect + e.read + e.write + e.timeout + sum.other, e.connect, e.read, e.write, e.timeout,
                           sum.other))
    io.write(string.format("latency       median %.0f ms, 99%% %.0f ms, most %.0f ms\n", latency:percentile(50) / 1e3,
                           latency:percentile(99) / 1e3, latency.max / 1e3))
    io.write("RATE " .. sum.good * 1e6 / summary.duration .. "\n")
end
END

"$program" serve --weights "$tmp/w.safetensors" --index "$tmp/map.gpkg" --port 0 --quiet > "$tmp/address" & pid=$!
until [ -s "$tmp/address" ]; do sleep 0.1; done
url=$(grep -o 'http://[^ ]*' "$tmp/address")
memory() { awk '/VmRSS/ {print int($2 / 1024)}' /proc/$pid/status; }
wrk -t 1 -c $connections -d "${seconds}s" --timeout 120s --latency -s "$tmp/post.lua" "$url" -- "${photos[@]}" > "$tmp/wrk" & wrk=$!
sleep 5
early=$(memory)
wait $wrk
late=$(memory)
grep -v '^RATE' "$tmp/wrk" | grep -E '^(answered|turned|lost|latency)'
python3 - "$url" <<'END'
import sys, urllib.request
for line in urllib.request.urlopen(sys.argv[1].rstrip("/") + "/metrics").read().decode().splitlines():
    if "queue" in line and not line.startswith("#"):
        print("queue        ", line)
END
echo "memory        $early MiB after 5 s, $late MiB after $seconds s"
python3 -c "
served, located = $(awk '/^RATE/ {print $2}' "$tmp/wrk"), $rate
print(f'throughput    {served:.2f} a second served, {located:.2f} by locate: {100 * served / located:.0f}%')"
kill -TERM $pid
wait $pid
pid=
