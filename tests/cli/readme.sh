#!/bin/bash
# The commands of the README and of the user guide, verbatim, on a small town and a small data set.
. tests/cli/common.bash
top=$PWD

# block PAGE HEADING: the commands in the ```sh blocks below the heading, up to the next one.
block() {
    awk -v heading="## $2" '/^## / {here = $0 == heading} /^```$/ {on = 0} here && on {print} /^```sh$/ {on = 1}' \
        "$top/$1" > "$tmp/block"
    [ -s "$tmp/block" ] || { echo "$1 has no commands below '$2'"; exit 1; }
}

# run [STATUS...]: run the block; each STATUS, "COMMAND STATUS", is a command that must fail.
run() {
    local want=""
    [ $# = 0 ] || printf -v want '%s\n' "$@"
    rm -f "$tmp/failed"
    touch "$tmp/failed"
    : > "$tmp/said"
    . "$tmp/block"
    [ "$(cat "$tmp/failed")" = "${want%$'\n'}" ] || { cat "$tmp/failed" "$tmp/said"; exit 1; }
}

# To keep it short: the small network, one epoch.
geoviewmatch() {
    local more=
    [[ "$*" != "train --data"* ]] || more="--preset nano --epochs 1 --batch 2"
    # shellcheck disable=SC2086 # options are words
    "$GEOVIEWMATCH" "$@" $more --quiet > "$tmp/last" 2>&1 || echo "$1 $?" >> "$tmp/failed"
    cat "$tmp/last" >> "$tmp/said"
    cat "$tmp/last"
}

mkdir "$tmp/work" "$tmp/work/photos"
cd "$tmp/work"
GEOVIEWMATCH=$(cd "$top" && realpath "$GEOVIEWMATCH")
"$GEOVIEWMATCH" world --ortho --out "$tmp/town" --pairs 3 --metres 200 --seed 3 --quiet > /dev/null
mv "$tmp/town/ortho.tif" orthophoto.tif
mv "$tmp/town/street/000001.jpg" panorama.jpg
mv "$tmp/town/street/000002.jpg" photos
cp "$top/examples/demo/aerial/1.png" tile.png

# A small network with the tensor names of statewide's file and random numbers, and the town's own position.
cp "$top/tests/golden/import/statewide.safetensors" last.safetensors
cp "$top/examples/demo/street/1.png" photo.jpg
place=$("$GEOVIEWMATCH" info --json orthophoto.tif |
    python3 -c 'import json, sys; w, s, e, n = json.load(sys.stdin)["box"]; print("%.6f,%.6f" % ((s + n) / 2, (w + e) / 2))')
block README.md "You have an orthophoto and a camera or phone"
sed -Ei "s/--near [0-9.,-]+ --within 300/--near $place --within 60/" "$tmp/block"
run > /dev/null
grep -q "uncalibrated" "$tmp/said"
[ -s scores.tif ]
[ -s report/index.html ]
rm -r report map.* scores.tif statewide.safetensors

block docs/guide.md "Import weights"
run > /dev/null
grep -q "statewide (ECCV 2024)" "$tmp/last"

block docs/guide.md "Index imagery"
run > /dev/null
grep -q "30 tiles\|tiles *30" "$tmp/said"

block docs/guide.md "Locate photos"
run > /dev/null
grep -q "margin" "$tmp/said"
grep -q "panorama.jpg" "$tmp/said"
grep -q "^photo,.*\|^image,.*" places.csv
grep -q "photos/000002.jpg" places.csv
[ -s scores.tif ]
[ -s report/index.html ]

block docs/guide.md "Heat maps and features"
run > /dev/null
[ -s heat.png ]
[ -s pair.png ]
[ -s street.safetensors ]

# A data set in CVUSA's format, and a backbone: the aerial one of the built-in network.
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
block README.md "You have CVUSA, CVACT or VIGOR on disk"
run "check 1" > /dev/null # the pictures do not have CVUSA's size
[ -s matches.csv ]
[ -s top5.png ]
grep -q "R@1%" "$tmp/last"

mv run run-of-readme
block docs/guide.md "Train"
run "check 1" > /dev/null
[ -s run/best.safetensors ]
block docs/guide.md "Evaluate"
run > /dev/null
grep -q "R@1%" "$tmp/last"

# The test `install` compiles and links the program of the README and the guide.
block README.md "You write a program"
grep -q "examples/locate.c" "$tmp/block"
block docs/guide.md "The library"
grep -q "examples/locate.c" "$tmp/block"

# Every option that the pages name belongs to some command.
cd "$top"
for command in $("$GEOVIEWMATCH" --help | awk '/^  [a-z]/ {print $1}'); do "$GEOVIEWMATCH" "$command" --help; done > "$tmp/help"
echo "--help --version" >> "$tmp/help"
for page in README.md SECURITY.md docs/guide.md docs/real-weights.md docs/results.md docs/model.md; do
    for option in $(sed '/pkg-config/d; /apt-get/d; /cmake/d' "$page" | grep -oE '(^|[^-[:alnum:]])--[a-z][a-z0-9-]*[a-z0-9]' | grep -oE -- '--.*' | sort -u); do
        grep -qE -- "$option([^-[:alnum:]]|$)" "$tmp/help" || { echo "$page: no command has $option"; exit 1; }
    done
done
