#!/bin/bash
# previous.sh - what a user made with the version before opens: weights, a map, a training run amid an epoch, and a cache.
# tests/golden/previous holds one of each, made before networks were made of parts (a run's options without names,
# its order as float32), and what that version said of them.
set -euo pipefail

gvm=${GEOVIEWMATCH:-build/geoviewmatch}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cp -r tests/golden/previous/. "$tmp"
cd "$tmp"
gvm=$(cd "$OLDPWD" && realpath "$gvm")
find town -type f -exec touch -d @1700000000 {} + # as they were when the cache was made

fail() { echo "$*"; exit 1; }

"$gvm" info --json weights.safetensors | grep -q '"fingerprint": "2d0fff72387a4b52"' || fail "the weights' fingerprint has changed"
"$gvm" locate --weights weights.safetensors --index map.gpkg --format csv --quiet town/street/000003.jpg |
    cut -d, -f 2-6 > places
python3 - places.csv places <<'P' || fail "the map gives other places"
import csv, sys
old, new = ([row for row in csv.reader(open(name))] for name in sys.argv[1:])
assert old[0] == new[0] and len(old) == len(new)
for a, b in zip(old[1:], new[1:]):
    assert all(abs(float(x) - float(y)) < 1e-4 for x, y in zip(a, b)), (a, b)
P

cp cache before
"$gvm" train --resume run --data town --cache cache --quiet --threads 2 > /dev/null
cmp -s cache before || fail "the cache was made anew"
python3 - later.jsonl run/log.jsonl <<'P' || fail "the run goes on in another way"
import json, sys
old, new = ([line.rstrip("\n") for line in open(name)] for name in sys.argv[1:])
old = [json.loads(line + "}") for line in old]
new = [json.loads(line) for line in new][-len(old):]
for a, b in zip(old, new):
    assert a["step"] == b["step"] and all(abs(a[key] - b[key]) < 1e-4 for key in a), (a, b)
P

# A state of a version that is not known yet is refused by a sentence that names both.
python3 - run/state.safetensors <<'P'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
head = json.loads(data[8:8 + size])
run = json.loads(head["__metadata__"]["run"])
run["version"] = 99
head["__metadata__"]["run"] = json.dumps(run)
text = json.dumps(head).encode()
text += b" " * (-len(text) % 8)
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + data[8 + size:])
P
! "$gvm" info run > out 2>&1 || fail "a run of version 99 was read"
grep -q 99 out || { cat out; fail "the sentence does not name the version"; }

# So are weights and a map; and a state whose configuration asks for more than it holds is refused before memory is taken.
python3 - <<'P'
import json, sqlite3, struct

def rewrite(path, to, change):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + size])
    change(head["__metadata__"])
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    open(to, "wb").write(struct.pack("<Q", len(text)) + text + data[8 + size:])

def large(metadata):
    config = json.loads(metadata["config"])
    config["dim"], config["heads"] = 512, [8, 8, 16, 16]
    metadata["config"] = json.dumps(config)
    metadata["run"] = json.dumps({**json.loads(metadata["run"]), "version": 2})

rewrite("weights.safetensors", "later.safetensors", lambda m: m.update(version="99"))
rewrite("run/state.safetensors", "run/state.safetensors", large)
with sqlite3.connect("map.gpkg") as map:
    map.execute("UPDATE geoviewmatch SET value = '99' WHERE key = 'version'")
P
refused() { # PATTERN COMMAND...
    local pattern=$1
    shift
    ! "$@" > out 2>&1 || fail "$* was not refused"
    grep -q "$pattern" out || { cat out; fail "no sentence with $pattern"; }
}
refused 'version 99.*version 1' "$gvm" info later.safetensors
refused 'version 99' "$gvm" locate --weights weights.safetensors --index map.gpkg town/street/000003.jpg
refused 'number of weights does not match' "$gvm" train --resume run --data town
