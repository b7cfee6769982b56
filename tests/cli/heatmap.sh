#!/bin/bash
# Heat maps: each stage, both views, a pair side by side; refusals.
. tests/cli/common.bash
w=$(nano)

size() { # size FILE: width x height of a PNG
    python3 - "$1" <<'END'
import struct, sys
data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n" and data[24:26] == b"\x08\x02" and data[-8:-4] == b"IEND"
print("%d x %d" % struct.unpack(">II", data[16:24]))
END
}

for stage in 1 2 3 4 multi; do
    expect 0 heatmap --weights "$w" --view aerial --stage $stage --out "$tmp/a$stage.png" $demo/aerial/1.png
    says out "a$stage.png: 200 x 224 pixels" # the size of the picture, and a scale of 24 rows below it
    lines err 0
    [ "$(size "$tmp/a$stage.png")" = "200 x 224" ]
done
expect 0 heatmap --weights "$w" --view street --out "$tmp/s.png" --json $demo/street/1.png
says out '"width": 480' '"height": 264'
[ "$(size "$tmp/s.png")" = "480 x 264" ]
expect 0 heatmap --weights "$w" --view street --stage multi --out "$tmp/s2.png" $demo/street/1.png
cmp "$tmp/s.png" "$tmp/s2.png" # multi is the default; bit-identical
expect 0 heatmap --weights "$w" --view street --heading 90 --out "$tmp/turned.png" $demo/street/1.png
fails cmp -s "$tmp/s.png" "$tmp/turned.png"

# A pair: the score is that of locate, whose features the map rounds.
expect 0 heatmap --weights "$w" --side-by-side $demo/aerial/2.png --out "$tmp/pair.png" $demo/street/2.png
[ "$(size "$tmp/pair.png")" = "728 x 264" ] # 480 + 8 + 240; the tile as high as the panorama
score=$(sed -n 's/.*score //p' "$tmp/out")
expect 0 locate --weights "$w" --tiles $demo/tiles.csv --top 4 --heading 0 --quiet $demo/street/2.png
located=$(awk '/aerial\/2.png/ {print $4}' "$tmp/out")
awk -v a="$score" -v b="$located" 'BEGIN {exit !(a - b < 2e-4 && b - a < 2e-4)}' || { echo "$score, $located"; exit 1; }
expect 0 heatmap --weights "$w" --view street --side-by-side $demo/aerial/2.png --stage 3 --out "$tmp/pair3.png" --json \
    $demo/street/2.png
says out '"score"' '"width": 728'

# Refusals keep the old file.
cp "$tmp/pair.png" "$tmp/old"
expect 1 heatmap --weights "$w" --view street --out "$tmp/pair.png" $demo/aerial/1.png
refused "not a full panorama"
expect 1 heatmap --weights "$w" --side-by-side "$tmp/gone.png" --out "$tmp/pair.png" $demo/street/1.png
refused "gone.png: cannot open it"
cmp "$tmp/pair.png" "$tmp/old"
for out in "$tmp" "$tmp/no/where.png"; do
    expect 1 heatmap --weights "$w" --view street --out "$out" $demo/street/1.png
    refused "$(basename "$out")"
done
expect 2 heatmap --weights "$w" --view street --stage 5 --out "$tmp/x.png" $demo/street/1.png
refused "--stage takes 1, 2, 3, 4 or multi, got '5'"
expect 2 heatmap --weights "$w" --view aerial --side-by-side $demo/aerial/1.png --out "$tmp/x.png" $demo/street/1.png
refused "--side-by-side needs a street picture"
expect 2 heatmap --weights "$w" --out "$tmp/x.png" $demo/street/1.png
refused "--view is required"
expect 2 heatmap --weights "$w" --view street $demo/street/1.png
refused "--out is required"
expect 2 heatmap --weights "$w" --view street --out "$tmp/x.png"
refused "no picture given"
expect 2 heatmap --weights "$w" --view street --out "$tmp/x.png" a.png b.png
refused "unexpected argument 'b.png'"
[ ! -e "$tmp/x.png" ]
cp $demo/street/1.png "$tmp/own.png"
expect 1 heatmap --weights "$w" --view street --out "$tmp/own.png" "$tmp/own.png"
refused "this command reads it and would overwrite it"
cmp $demo/street/1.png "$tmp/own.png"
