#!/bin/bash
# Weights for photos: any photo, panoramas as views, no headings. The weights are random.
. tests/cli/common.bash

# A small network for photos, with its own kind of tiles.
expect 0 init --preset sample4geo-nano --out "$tmp/any.safetensors"
expect 0 info --json "$tmp/any.safetensors"
python3 - "$tmp/out" "$tmp/photos.json" <<'END'
import json, sys
config = json.load(open(sys.argv[1]))["config"]
config["street"] = [48, 64]
config["street_input"].update(projection="perspective", resize="skimage")
json.dump(config, open(sys.argv[2], "w"))
END
w=$tmp/photos.safetensors
expect 0 init --config "$tmp/photos.json" --seed 5 --out "$w"
says out "48 x 64 pixels, any photo"

# Photos of a drawn town: a panorama, a part of one, and one that is rotated by EXIF.
expect 0 world --out "$tmp/town" --pairs 1 --seed 3 --quiet
strip=$(find "$tmp/town" -path '*street*' -name '*.jpg' | head -1)
panorama=$demo/street/1.png
cp $demo/aerial/1.png "$tmp/photo.png"

locate=(locate --weights "$w" --tiles $demo/tiles.csv --top 2)
expect 0 "${locate[@]}" "$tmp/photo.png" $panorama "$strip"
says out "8 views of a panorama" "2 of"
[ "$(grep -c 'views of a panorama' "$tmp/out")" = 2 ]
if grep -q heading "$tmp/out"; then exit 1; fi
expect 0 "${locate[@]}" --json "$tmp/photo.png" $panorama
python3 - "$tmp/out" <<'END'
import json, sys
photo, panorama = json.load(open(sys.argv[1]))
assert "views" not in photo and panorama["views"] == 8, (photo, panorama)
assert not photo["heading_estimated"] and photo["hits"][0]["heading"] is None
END
expect 0 "${locate[@]}" --panorama no --format csv $panorama
cp "$tmp/out" "$tmp/no.csv"
expect 0 "${locate[@]}" --panorama yes --format csv $panorama
fails cmp -s "$tmp/out" "$tmp/no.csv"
expect 0 "${locate[@]}" --panorama auto --format csv $panorama
cp "$tmp/out" "$tmp/auto.csv"
expect 0 "${locate[@]}" --format csv $panorama
cmp "$tmp/out" "$tmp/auto.csv"

# A heading is ignored, and so is a request to find it.
for heading in 3 find; do
    expect 1 "${locate[@]}" --heading $heading $panorama
    refused "--heading is unsupported with these weights"
done
expect 1 embed --weights "$w" --view street --heading 3 --out "$tmp/f.safetensors" $panorama
refused "--heading is unsupported"
expect 1 heatmap --weights "$w" --view street --heading 3 --out "$tmp/h.png" $panorama
refused "--heading is unsupported"

# The feature of a panorama is the mean of its views'.
expect 0 embed --weights "$w" --view street --out "$tmp/f.safetensors" "$tmp/photo.png" $panorama
says out "features of 2 pictures, 256 numbers each; 1 as 8 views of a panorama"
python3 - "$tmp/f.safetensors" <<'END'
import array, json, sys
data = open(sys.argv[1], "rb").read()
size = int.from_bytes(data[:8], "little")
begin, end = json.loads(data[8:8 + size])["features"]["data_offsets"]
rows = array.array("f", data[8 + size + begin:8 + size + end])
lengths = [sum(x * x for x in rows[i:i + 256]) ** 0.5 for i in (0, 256)]
assert abs(lengths[0] - 1) < 1e-4 and 0.05 < lengths[1] < 0.999, lengths
END

# A heat map has the photo's original geometry; panoramas, which are split into views, have none.
expect 0 heatmap --weights "$w" --view street --out "$tmp/h.png" "$tmp/photo.png"
expect 1 heatmap --weights "$w" --view street --out "$tmp/h.png" $panorama
refused "1.png: it is a full panorama, which makes 8 views with these weights" "use --panorama no to take it as a photo"
expect 0 heatmap --weights "$w" --view street --panorama no --out "$tmp/h.png" $panorama
expect 0 heatmap --weights "$w" --side-by-side $demo/aerial/2.png --out "$tmp/h.png" "$tmp/photo.png"
expect 0 "${locate[@]}" --report "$tmp/report" "$tmp/photo.png" $panorama
grep -q '8 views of it' "$tmp/report/index.html"
[ "$(grep -o 'Heat map over [^t]' "$tmp/report/index.html" | wc -l)" = 1 ]

# Invalid photos, and what other weights report for a photo.
python3 - "$tmp" <<'END'
import struct, sys, zlib
def png(path, w, h):
    rows = b"".join(b"\0" + bytes((x * 7 + y * 5) % 256 for x in range(w)) for y in range(h))
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0)) +
                           chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
png(sys.argv[1] + "/tiny.png", 40, 31)
png(sys.argv[1] + "/long.png", 400, 39)
png(sys.argv[1] + "/grey.png", 400, 300)
END
expect 1 "${locate[@]}" "$tmp/tiny.png"
says err "tiny.png: 40 x 31 pixels are too few"
expect 1 "${locate[@]}" "$tmp/long.png"
says err "long.png: 400 x 39 is too elongated for a photo; expected"
expect 0 "${locate[@]}" "$tmp/grey.png"
expect 1 locate --weights "$(nano)" --tiles $demo/tiles.csv "$tmp/photo.png"
says err "weights for panoramas need the full circle" \
    "those for any camera, such as nano-photo, or for photos, such as statewide, take it (docs/real-weights.md), or use --panorama yes if this is one"

# Which weights a picture suits.
expect 0 info "$tmp/photo.png"
says out "suits          weights for any camera; weights for photos"
expect 0 info $panorama
says out "suits          weights for panoramas; weights for any camera; weights for photos, as views of a panorama"
expect 0 info --json "$tmp/tiny.png"
says out '"panorama": false' '"photo_views": 0'

# A report of photos draws no heading.
expect 0 "${locate[@]}" --report "$tmp/report" "$tmp/photo.png"
if grep -qE "d=.M-?nan|heading of its centre" "$tmp/report/index.html"; then exit 1; fi

# The service gives the same answers.
expect 0 index --weights "$w" --tiles $demo/tiles.csv --out "$tmp/map.gpkg" --quiet
python3 -B tests/serve/photos.py "$GEOVIEWMATCH" "$tmp/map.gpkg" "$w" "$tmp/photo.png" $panorama
