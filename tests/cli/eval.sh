#!/bin/bash
# Evaluation of an untrained network: the figures, the list of matches and their picture agree.
. tests/cli/common.bash

# Weights with the elevation band of these pictures, so that the rows match the network's.
python3 - tests/golden/net_narrow.safetensors "$tmp/w.safetensors" <<'END'
import json, sys
data = open(sys.argv[1], "rb").read()
size = int.from_bytes(data[:8], "little")
head = json.loads(data[8:8 + size])
config = json.loads(head["__metadata__"]["config"])
config["elevation"] = [-36, 36]
head["__metadata__"]["config"] = json.dumps(config)
text = json.dumps(head).encode()
text += b" " * (-(8 + len(text)) % 64)
open(sys.argv[2], "wb").write(len(text).to_bytes(8, "little") + text + data[8 + size:])
END

eval_run="eval --data tests/golden/run --weights $tmp/w.safetensors --quiet"
expect 0 $eval_run --json --matches "$tmp/matches.csv" --gallery-picture "$tmp/five.png" --gallery-rows 5
cp "$tmp/out" "$tmp/figures.json"
expect 0 $eval_run --gallery-picture "$tmp/twelve.png"
says out "street to aerial: 64 queries, gallery of 64" "R@1%" "1% of this gallery is K = 1" \
    "  written: $tmp/twelve.png"
fails grep -q 'hit rate' "$tmp/out" # which would be R@1 here

python3 - "$tmp" <<'END'
import csv, json, struct, sys, zlib

def png(path):
    """Width, height and rows of RGB bytes."""
    data, at, packed = open(path, "rb").read(), 8, b""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            w, h, depth, colours, *_, interlaced = struct.unpack(">IIBBBBB", body)
            assert (depth, colours, interlaced) == (8, 2, 0)
        packed += body if kind == b"IDAT" else b""
        at += 12 + size
    raw, rows, above = zlib.decompress(packed), [], bytes(3 * w)
    for y in range(h):
        kind, *row = raw[y * (3 * w + 1):(y + 1) * (3 * w + 1)]
        for x in range(3 * w):
            a, b, c = (row[x - 3] if x > 2 else 0), above[x], (above[x - 3] if x > 2 else 0)
            if kind == 4:
                a = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            row[x] = (row[x] + (0, a, b, (a + b) // 2, a)[kind]) & 255
        above = bytes(row)
        rows.append(above)
    return w, h, rows

def box(rows, left, top, h, w):
    return [row[3 * left:3 * (left + w)] for row in rows[top:top + h]]

# Pictures of 32 x 160 and 64 x 64; a frame is 2 pixels thick, a line is 12 high, gaps 3 wide.
BLUE, ORANGE, HEIGHT = bytes((0, 90, 181)), bytes((230, 140, 30)), 68 + 6 + 24
def check(path, matches):
    width, height, rows = png(path)
    assert (width, height) == (3 + 160 + 3 + 5 * (64 + 4 + 3), 3 + HEIGHT * len(matches)), (width, height)
    rights = 0
    for i, match in enumerate(matches):
        top = 3 + HEIGHT * i
        assert box(rows, 3, top + 18, 32, 160) == png(match["query"])[2]
        for k in range(5):
            left, tile = 168 + 71 * k, match[f"tile{k + 1}"]
            assert box(rows, left, top + 2, 64, 64) == png(tile)[2]
            right = tile.split("/")[-1] == match["query"].split("/")[-1]
            assert right == (int(match["rank"]) == k + 1)
            colour = BLUE if right else ORANGE
            for y in (top, top + 1, top + 66, top + 67):
                assert rows[y][3 * (left - 2):3 * (left + 66)] == colour * 68
            for row in rows[top:top + 68]:
                assert row[3 * (left - 2):3 * left] == row[3 * (left + 64):3 * (left + 66)] == colour * 2
            rights += right
        for line in top + 71, top + 83: # names, then scores
            for left, width in ((168, 64), (168 + 4 * 71, 64)):
                assert any(min(row[3 * left:3 * (left + width)]) < 100 for row in rows[line:line + 12]), line
                assert all(set(row[3 * (left + width):3 * (left + width) + 6]) == {255} for row in rows[line:line + 12])
    return rights

folder = sys.argv[1]
matches = list(csv.DictReader(open(folder + "/matches.csv")))
figures = json.load(open(folder + "/figures.json"))
ranks = [int(match["rank"]) for match in matches]
assert len(matches) == figures["queries"] == figures["gallery"] == 64
for key, most in (("R@1", 1), ("R@5", 5), ("R@10", 10), ("R@1%", 1)):
    assert abs(figures[key] - 100 * sum(rank <= most for rank in ranks) / 64) < 1e-9
check(folder + "/five.png", [matches[i * 64 // 5] for i in range(5)])
assert 0 < check(folder + "/twelve.png", [matches[i * 64 // 12] for i in range(12)]) < 12
END

# A gallery of fewer than five tiles.
mkdir "$tmp/few"
cp -r tests/golden/run/street tests/golden/run/aerial "$tmp/few"
head -4 tests/golden/run/pairs.csv > "$tmp/few/pairs.csv"
expect 0 eval --data "$tmp/few" --weights tests/golden/net_narrow.safetensors --quiet --gallery-picture "$tmp/few.png"
python3 -c 'import struct, sys; assert struct.unpack(">8xI4sII", open(sys.argv[1], "rb").read(24))[2:] == (521, 297)' \
    "$tmp/few.png"

# Figures are printed even if a file cannot be written; wrong calls.
expect 1 $eval_run --gallery-picture "$tmp/no/folder.png"
says out "street to aerial: 64 queries"
lines err 1
says err "folder.png: cannot create it"
expect 1 $eval_run --matches "$tmp"
says out "street to aerial: 64 queries"
says err "it is a directory, expected a file"
expect 2 $eval_run --gallery-picture "$tmp/x.png" --reverse
refused "--gallery-picture supports street to aerial only"
expect 2 $eval_run --gallery-rows 0
refused "--gallery-rows takes a whole number from 1 to 100, got '0'"
[ ! -e "$tmp/x.png" ]
[ -z "$(find "$tmp" -name '*.tmp')" ]

# The mean-colour baseline, if Python has its packages: it finds everything among the street pictures themselves, and
# nothing if all pictures are the same.
python3 -c 'import numpy, PIL' 2> /dev/null || { echo "not run: tools/colour_match.py, which needs numpy and Pillow"; exit; }
colour() {
    sed -E "$2" tests/golden/run/pairs.csv > "$tmp/few/pairs.csv"
    python3 "$TOOLS/colour_match.py" "$tmp/few" > "$tmp/out"
    says out "64 queries, gallery of 64"
    [ "$(grep -cE "^  (mean colour|standardised) +$1 +$1 +$1 +$1$" "$tmp/out")" = 2 ]
}
colour 100.00 's/aerial\//street\//'
for i in $(seq 0 63); do cp "$tmp/few/street/00.png" "$tmp/few/aerial/$(printf %02d "$i").png"; done
colour 0.00 's/x/x/'

# Recall within metres over a map, for a list and for photos with GPS; photos that do not count are counted separately.
expect 0 world --ortho --out "$tmp/town" --metres 300 --pairs 6 --turn yes --seed 3 --quiet
expect 0 index --raster "$tmp/town/ortho.tif" --out "$tmp/map.gpkg" --quiet
metres="eval --protocol metres --index $tmp/map.gpkg --quiet"
expect 0 $metres --photos "$tmp/town/street" --json
cp "$tmp/out" "$tmp/own.json"
{ cat "$tmp/town/photos.csv"; echo "street/000001.jpg,46,-30,"; } > "$tmp/town/more.csv"
expect 0 $metres --photos "$tmp/town/more.csv" --json
cp "$tmp/out" "$tmp/list.json"
expect 0 locate --index "$tmp/map.gpkg" --merge no --top 100 --json --quiet "$tmp/town/street"
python3 - "$tmp" <<'END'
import json, math, sys
own, listed, told = (json.load(open(sys.argv[1] + "/" + name)) for name in ("own.json", "list.json", "out"))
assert (own["photos"], own["outside"], own["placeless"], own["failed"]) == (6, 0, 0, 0), own
assert listed["outside"] == 1 and listed["photos"] == 6, listed
for name in ("25", "50", "100"):  # by the photos' own GPS, whose distances `locate` measures on another sphere
    for best in (1, 5, 10, 100):
        hits = [any(h["gps_m"] * 6378137 / 6371008.8 < int(name) for h in p["hits"][:best]) for p in told]
        assert abs(own["recall"][name]["R@%d" % best] - 100 * sum(hits) / 6) < 1e-6, (name, best)
for which in ("recall", "chance"):
    rows = own[which]
    assert all(rows[r]["R@1"] <= rows[r]["R@5"] <= rows[r]["R@10"] <= rows[r]["R@100"] <= 100 for r in rows), rows
    assert all(rows["25"][k] <= rows["50"][k] <= rows["100"][k] for k in rows["25"]), rows
assert abs(own["chance"]["0"]["R@1"] - 100 / own["tiles"]) < 1e-6 and own["recall"]["100"]["R@1"] > 50
END
expect 0 $metres --photos "$tmp/town/more.csv"
says out "6 photos, " "  the right tile" "  by chance" "1 of 7 photos are outside the map"
rm "$tmp/town/street/000002.jpg"
expect 1 $metres --photos "$tmp/town/photos.csv"
says err "000002.jpg"
says out "5 photos, " "1 of 6 photos could not be used"
grep 000002 "$tmp/town/photos.csv" | cat <(head -1 "$tmp/town/photos.csv") - > "$tmp/town/more.csv"
expect 1 $metres --photos "$tmp/town/more.csv"
says err "none of its 1 photos on the map could be used"
lines out 0
printf 'image,lat,lon\nstreet/000001.jpg,46,-30\n' > "$tmp/town/more.csv"
expect 1 $metres --photos "$tmp/town/more.csv"
refused "none of its 1 photos can be evaluated: 1 are outside the map"
expect 2 $metres
refused "--photos is required"
expect 2 $metres --photos x --data x
refused "--data requires --protocol paper"
expect 2 eval --data x --photos y
refused "--photos requires --protocol metres"
