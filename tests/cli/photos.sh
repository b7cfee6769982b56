#!/bin/bash
# Which pictures are accepted as panoramas, and the messages about the others.
. tests/cli/common.bash
w=$(nano)

# photo IN OUT [FOCAL_LENGTH]: a JPEG without its metadata, or with a camera's EXIF
photo() {
    python3 - "$@" <<'END'
import struct, sys
source, out, focal = (sys.argv[1:] + [None])[:3]
data = open(source, "rb").read()
while data[2:4] in (b"\xff\xe0", b"\xff\xe1", b"\xff\xe2"):
    data = data[:2] + data[4 + struct.unpack(">H", data[4:6])[0]:]
if focal is None:
    open(out, "wb").write(data)
    sys.exit()
entries = [(0x10f, 2, 6, 38), (0x8769, 4, 1, 44)]
block = b"II*\0" + struct.pack("<IH", 8, 2) + b"".join(struct.pack("<HHII", *e) for e in entries) + bytes(4)
block += b"Maker\0" + struct.pack("<HHHII", 1, 0xa405, 3, 1, int(focal)) + bytes(4)
assert len(block) == 62
open(out, "wb").write(data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block + data[2:])
END
}

expect 0 world --out "$tmp/town" --pairs 1 --seed 3 --quiet
jpeg=$(find "$tmp/town" -path '*street*' -name '*.jpg' | head -1)
photo "$jpeg" "$tmp/photo.jpg" 26
photo "$jpeg" "$tmp/bare.jpg"
jpeg=$tmp/bare.jpg
locate=(locate --weights "$w" --tiles $demo/tiles.csv --top 1 --heading 0)
expect 0 "${locate[@]}" "$jpeg"
expect 1 "${locate[@]}" "$tmp/photo.jpg"
refused "photo.jpg: this 640 x 160 picture is not a full panorama by its metadata" "--panorama yes if this is one"
expect 0 "${locate[@]}" --panorama yes "$tmp/photo.jpg"
sed "s|$tmp/photo.jpg|PICTURE|" "$tmp/out" > "$tmp/photo.txt"
expect 0 "${locate[@]}" --panorama no "$jpeg"
sed "s|$jpeg|PICTURE|" "$tmp/out" > "$tmp/panorama.txt"
cmp "$tmp/photo.txt" "$tmp/panorama.txt"
expect 2 "${locate[@]}" --panorama maybe "$jpeg"
refused "--panorama takes auto, yes or no, got 'maybe'"

expect 1 embed --weights "$w" --view street --out "$tmp/f.safetensors" "$tmp/photo.jpg"
says err "not a full panorama"
expect 0 embed --weights "$w" --view street --panorama yes --out "$tmp/f.safetensors" "$tmp/photo.jpg"
expect 2 embed --weights "$w" --view aerial --panorama yes --out "$tmp/f.safetensors" "$tmp/photo.jpg"
refused "--panorama requires --view street"
expect 1 heatmap --weights "$w" --view street --out "$tmp/h.png" "$tmp/photo.jpg"
refused "not a full panorama"
expect 0 heatmap --weights "$w" --view street --panorama yes --out "$tmp/h.png" "$tmp/photo.jpg"

# A report shows the accepted pictures.
expect 0 "${locate[@]}" --panorama yes --report "$tmp/report" "$tmp/photo.jpg"
grep -q 'Heat map over' "$tmp/report/index.html"

# Formats that no build reads are named, in a folder too, with extensions in any case.
mkdir "$tmp/mixed"
cp "$jpeg" "$tmp/mixed/b.JPG"
printf '\0\0\0\x18ftypheic\0\0\0\0mif1heic' > "$tmp/mixed/a.HEIC"
printf '\0\0\0\x18ftypavif\0\0\0\0mif1miaf' > "$tmp/mixed/c.Avif"
cp "$tmp/photo.jpg" "$tmp/mixed/d.DNG"
printf 'GIF89a' > "$tmp/mixed/e.gif"
expect 1 "${locate[@]}" --quiet "$tmp/mixed"
lines err 4
says err "a.HEIC: " "c.Avif: unsupported format AVIF; convert it to JPEG" \
    "d.DNG: " "e.gif: "
[ "$(grep -c 'convert it to JPEG' "$tmp/err")" = 2 ]
says out "b.JPG"

# A heading from magnetic north is reported as such, and searched around.
python3 - "$jpeg" "$tmp/magnetic.jpg" <<'END'
import struct, sys
data = open(sys.argv[1], "rb").read()
block = b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 0x8825, 4, 1, 26) + bytes(4)
block += struct.pack("<HHHI4sHHII", 2, 16, 2, 2, b"M", 17, 5, 1, 56) + bytes(4) + struct.pack("<II", 350, 10)
assert len(block) == 64
open(sys.argv[2], "wb").write(data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block + data[2:])
END
expect 0 info "$tmp/magnetic.jpg"
says out "heading        35.0 degrees from magnetic north"
expect 0 info --json "$tmp/magnetic.jpg"
says out '"heading_reference": "magnetic"'
expect 0 locate --weights "$w" --tiles $demo/tiles.csv --top 1 --json "$tmp/magnetic.jpg"
says out '"heading_reference": "magnetic"' '"heading_estimated": true'
python3 -c 'import json, sys; assert 12.5 <= json.load(open(sys.argv[1]))[0]["hits"][0]["heading"] <= 57.5' "$tmp/out"
expect 0 locate --weights "$w" --tiles $demo/tiles.csv --top 1 --json --heading 35 "$tmp/magnetic.jpg"
says out '"heading_estimated": false'
