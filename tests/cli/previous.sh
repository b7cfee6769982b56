#!/bin/bash
# previous.sh - what a user made with an earlier version opens, and what a later one made is refused
# (docs/decisions/0011-versions-of-formats.md). tests/golden/previous holds a file of each version of each format, and what
# the program that made it said of it:
#
#   weights.safetensors, map.*, cache, run    version 1 of each, by GeoViewMatch 0.1 (weights did not say it yet)
#   imported.safetensors                      weights that say version 1, with their source and licence
#   features.safetensors, features-1.*        of embed, before it wrote a version, and version 1
#   run-2                                     version 2 of a run
#   run-0                                     the metadata of a run from before 0.1, which is refused
set -euo pipefail

gvm=${GEOVIEWMATCH:-build/geoviewmatch}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cp -r tests/golden/previous/. "$tmp"
cd "$tmp"
gvm=$(cd "$OLDPWD" && realpath "$gvm")
find town -type f -exec touch -d @1700000000 {} + # as they were when the cache was made

fail() { echo "$*"; exit 1; }

# ------------------------------------------------------------------ they open

"$gvm" info --json weights.safetensors | grep -q '"fingerprint": "2d0fff72387a4b52"' || fail "the weights' fingerprint has changed"
"$gvm" info --json imported.safetensors > out
grep -q '"fingerprint": "bde41854ec3bc027"' out || fail "the imported weights' fingerprint has changed"
grep -q '"licence": "CC BY 4.0"' out || fail "the imported weights' licence is lost"
for file in features.safetensors features-1.safetensors; do
    "$gvm" info "$file" | grep -q 2d0fff72387a4b52 || fail "$file does not name its weights"
done
"$gvm" locate --weights weights.safetensors --index map.gpkg --format csv --quiet town/street/000003.jpg |
    cut -d, -f 2-6 > places
python3 - places.csv places <<'P' || fail "the map gives other places"
import csv, sys
old, new = ([row for row in csv.reader(open(name))] for name in sys.argv[1:])
assert old[0] == new[0] and len(old) == len(new)
for a, b in zip(old[1:], new[1:]):
    assert all(abs(float(x) - float(y)) < 1e-4 for x, y in zip(a, b)), (a, b)
P

# goes_on RUN: to the losses that its own version had.
cp cache before
goes_on() {
    "$gvm" train --resume "$1" --data town --cache cache --quiet --threads 2 > /dev/null
    cmp -s cache before || fail "the cache was made anew"
    python3 - "$1.jsonl" "$1/log.jsonl" <<'P' || fail "$1 goes on in another way"
import json, sys
old, new = ([line.rstrip("\n") for line in open(name)] for name in sys.argv[1:])
old = [json.loads(line + "}") for line in old]
new = [json.loads(line) for line in new][-len(old):]
for a, b in zip(old, new):
    assert a["step"] == b["step"] and all(abs(a[key] - b[key]) < 1e-4 for key in a), (a, b)
P
}
cp -r run-2 begun
goes_on run
goes_on run-2

# ------------------------------------------------------------------ they are refused

# refused PATTERN COMMAND...: by one sentence.
refused() {
    local pattern=$1
    shift
    ! "$@" > out 2>&1 || fail "$* was not refused"
    grep -q "$pattern" out && [ "$(wc -l < out)" = 1 ] || { cat out; fail "$*: no sentence with $pattern"; }
}
before="of a version before 1 (no key 'cluster_m'); this program reads versions 1 to 3"
refused "$before" "$gvm" info run-0
refused "$before" "$gvm" train --resume run-0 --data town

# Each format's next version: later/ has the files, and refusing one changes nothing of it.
mkdir -p later/run
python3 - <<'P'
import json, shutil, sqlite3, struct

def rewrite(path, to, change):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + size])
    change(head["__metadata__"])
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    open(to, "wb").write(struct.pack("<Q", len(text)) + text + data[8 + size:])

def numbered(path, to):
    data = open(path, "rb").read()
    assert data[8:12] == struct.pack("<I", 1)
    open(to, "wb").write(data[:8] + struct.pack("<I", 2) + data[12:])

def set_run(version, **more):
    def change(metadata):
        metadata["run"] = json.dumps({**json.loads(metadata["run"]), "version": version})
        metadata["config"] = json.dumps({**json.loads(metadata["config"]), **more})
    return change

rewrite("imported.safetensors", "later/imported.safetensors", lambda m: m.update(version="2"))
rewrite("weights.safetensors", "later/weights.safetensors", lambda m: m.update(version="2", program="9.9.9"))
rewrite("begun/state.safetensors", "later/run/state.safetensors", set_run(4))
numbered("cache", "later/cache")
numbered("map.features", "later/map.features")
shutil.copy("map.gpkg", "later/map.gpkg")
shutil.copy("map.gpkg", "later/table.gpkg")
shutil.copy("map.features", "later/table.features")
with sqlite3.connect("later/table.gpkg") as map:
    map.execute("UPDATE geoviewmatch SET value = '2' WHERE key = 'version'")
# and a state whose configuration asks for more than it holds, which is refused before memory is taken
rewrite("begun/state.safetensors", "begun/state.safetensors", set_run(2, dim=512, heads=[8, 8, 16, 16]))
P
find later -type f -exec md5sum {} + | sort > sums
weights='unsupported weights version 2, written by GeoViewMatch .*; version .* reads version 1'
refused "$weights" "$gvm" info later/weights.safetensors
refused "$weights" "$gvm" info later/imported.safetensors
refused "$weights" "$gvm" train --data town --init later/weights.safetensors --batch 2 --out new
map='unsupported map version 2; this program reads version 1'
refused "$map" "$gvm" info later/table.gpkg
refused "$map" "$gvm" locate --weights weights.safetensors --index later/table.gpkg town/street/000003.jpg
refused "$map" "$gvm" index --weights weights.safetensors --tiles town/tiles.csv --out later/table.gpkg --add --quiet
refused "$map" "$gvm" serve --weights weights.safetensors --index later/table.gpkg --port 0
features='unsupported version 2 of a map.s features; this program reads version 1'
refused "$features" "$gvm" info later/map.features
refused "$features" "$gvm" locate --weights weights.safetensors --index later/map.gpkg town/street/000003.jpg
cache='unsupported picture cache version 2; this program reads version 1'
refused "$cache" "$gvm" info later/cache
refused "$cache" "$gvm" train --resume run-2 --data town --cache later/cache --steps 9 --quiet
refused 'unsupported version 4 of the saved run; this program reads versions 1 to 3' "$gvm" info later/run
refused 'unsupported version 4 of the saved run; this program reads versions 1 to 3' "$gvm" train --resume later/run --data town
find later -type f -exec md5sum {} + | sort | diff sums - || fail "what was refused has changed"
[ ! -e new ] || fail "a run was begun from weights of version 2"

refused 'number of weights does not match' "$gvm" train --resume begun --data town
