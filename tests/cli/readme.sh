#!/bin/bash
# The README's examples, as they stand there, on a small town and a small data set.
. tests/cli/common.bash
top=$PWD

# block HEADING: the commands in the first block below it.
block() {
    awk -v heading="## $1" '$0 == heading {here = 1} on && /^```$/ {exit} on {print} here && /^```sh$/ {on = 1}' \
        "$top/README.md" > "$tmp/block"
    [ -s "$tmp/block" ] || { echo "the README has no commands below '$1'"; exit 1; }
}

# What keeps it short: the small network, one epoch.
geoviewmatch() {
    local more=
    [ "$1" != train ] || more="--preset nano --epochs 1 --batch 2"
    # shellcheck disable=SC2086 # options are words
    "$GEOVIEWMATCH" "$@" $more --quiet > "$tmp/last" 2>&1 || echo "$1 $?" >> "$tmp/failed"
}

mkdir "$tmp/work"
cd "$tmp/work"
GEOVIEWMATCH=$(cd "$top" && realpath "$GEOVIEWMATCH")
"$GEOVIEWMATCH" world --ortho --out "$tmp/town" --pairs 3 --metres 200 --seed 3 --quiet > /dev/null
mv "$tmp/town/ortho.tif" orthophoto.tif
mv "$tmp/town/street/000001.jpg" panorama.jpg

# A small network with the names of statewide's file, random numbers and the town's own place.
cp "$top/tests/golden/import/statewide.safetensors" last.safetensors
cp "$top/examples/demo/street/1.png" photo.jpg
place=$("$GEOVIEWMATCH" info --json orthophoto.tif |
    python3 -c 'import json, sys; w, s, e, n = json.load(sys.stdin)["box"]; print("%.6f,%.6f" % ((s + n) / 2, (w + e) / 2))')
block "You have a photo and an orthophoto"
sed -Ei "s/--near [0-9.,-]+ --within 300/--near $place --within 60/" "$tmp/block"
. "$tmp/block"
[ ! -e "$tmp/failed" ] || { cat "$tmp/failed" "$tmp/last"; exit 1; }
grep -q "uncalibrated" "$tmp/last"
[ -s scores.tif ]
[ -s report/index.html ]
rm -r report map.* scores.tif

block "You have an orthophoto and a panorama"
. "$tmp/block"
[ ! -e "$tmp/failed" ] || { cat "$tmp/failed" "$tmp/last"; exit 1; }
grep -q "panorama.jpg" "$tmp/last"
[ -s report/index.html ]

# A data set of CVUSA's form, and a backbone: the aerial one of the built-in network.
mkdir -p CVUSA/splits CVUSA/bingmap/19 CVUSA/streetview/panos
for i in 1 2 3 4; do
    cp "$top/examples/demo/aerial/$i.png" "CVUSA/bingmap/19/$i.jpg"
    cp "$top/examples/demo/street/$i.png" "CVUSA/streetview/panos/$i.jpg"
    echo "bingmap/19/$i.jpg,streetview/panos/$i.jpg,annotations/$i.png" >> CVUSA/splits/train-19zl.csv
done
cp CVUSA/splits/train-19zl.csv CVUSA/splits/val-19zl.csv
"$GEOVIEWMATCH" init --preset nano --out nano.safetensors > /dev/null
python3 - nano.safetensors swinv2_tiny.safetensors <<'END'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
end = 8 + struct.unpack("<Q", data[:8])[0]
header, body, out = json.loads(data[8:end]), b"", {}
for name, t in header.items():
    if name.startswith("aerial.backbone."):
        part = data[end + t["data_offsets"][0]:end + t["data_offsets"][1]]
        out[name.removeprefix("aerial.backbone.")] = {**t, "data_offsets": [len(body), len(body) + len(part)]}
        body += part
text = json.dumps(out).encode()
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + body)
END
block "You have CVUSA, CVACT or VIGOR on disk"
. "$tmp/block"
[ "$(cat "$tmp/failed")" = "check 1" ] || { cat "$tmp/failed" "$tmp/last"; exit 1; } # the pictures are not CVUSA's size
[ -s matches.csv ]
[ -s top5.png ]
grep -q "R@1%" "$tmp/last"

# The program of the third example is compiled and linked in the test `install`.
block "You write a program"
grep -q "examples/locate.c" "$tmp/block"
