#!/bin/bash
# Limited fields of view: `eval --fov` beside `eval`, its JSON, and what it refuses.
. tests/cli/common.bash

narrow=tests/golden/net_narrow.safetensors
fov="eval --data tests/golden/run --weights $narrow --quiet --fov"
expect 0 eval --data tests/golden/run --weights $narrow --quiet --json
cp "$tmp/out" "$tmp/whole.json"
expect 0 $fov 360,180,90.5,70 --heading both --json
cp "$tmp/out" "$tmp/both.json"
expect 0 $fov 70 --json --seed 7
cp "$tmp/out" "$tmp/other.json"
expect 0 $fov 360,180,90.5,70 --heading both
says out "pairs, street to aerial, strips of panoramas (DSM's protocol, seed 2019): 64 queries, gallery of 64" \
    "  degrees  heading                   R@1      R@5     R@10     R@1%" "     90.5  unknown, 16 trials " \
    "the best of 16 headings"

python3 - "$tmp" "$tmp/out" <<'END'
import json, sys
folder, table = sys.argv[1:]
read = lambda name: json.load(open(f"{folder}/{name}.json"))
whole, both, other = read("whole"), read("both"), read("other")
assert both["seed"] == 2019 and both["queries"] == both["gallery"] == 64
strips, recalls = both["strips"], ("R@1", "R@5", "R@10", "R@1%")
assert [(s["fov"], s["heading"], s["looks"]) for s in strips] == \
    [(f, *way) for f in (360, 180, 90.5, 70) for way in (("known", 1), ("unknown", 1), ("unknown", 16))]
assert [strips[0][k] for k in recalls] == [whole[k] for k in recalls] # the whole panorama, as it is
rows = [line.split() for line in open(table) if line[:3] == "   " and "known" in line]
assert len(rows) == len(strips)
for row, strip in zip(rows, strips):
    figures = row[-5:] if "within_25_m_percent" in strip else row[-4:]
    assert figures[:4] == [f"{strip[k]:.2f}" for k in recalls], (row, strip)
assert other["seed"] == 7 and len(other["strips"]) == 1
assert any(other["strips"][0][k] != strips[9][k] for k in recalls) # other strips
END

# The same in a cache, and the default: known headings.
expect 0 $fov 90 --cache "$tmp/cache"
cp "$tmp/out" "$tmp/first"
expect 0 $fov 90 --cache "$tmp/cache" --heading known
cmp "$tmp/out" "$tmp/first"
fails grep -q trials "$tmp/out"

for list in 0 361 90, ,90 90,,70 '90;70' x 1e999 nan "$(printf '9,%.0s' {1..17})9"; do
    expect 2 $fov "$list"
    refused "--fov " "expected up to 16 degrees from 1 to 360"
done
expect 2 $fov 90 --reverse
refused "--reverse cannot be combined with --fov"
expect 2 $fov 90 --matches "$tmp/matches.csv"
refused "--matches cannot be combined with --fov"
[ ! -e "$tmp/matches.csv" ]
expect 2 eval --data tests/golden/run --weights $narrow --heading unknown
refused "--heading requires --fov"
expect 2 eval --data tests/golden/run --weights $narrow --seed 1
refused "--seed requires --fov"
