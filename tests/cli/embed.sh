#!/bin/bash
# Pictures to a file of features: valid and broken ones, folders.
. tests/cli/common.bash
w=$(nano)

rows() { # rows FILE: the names and the sizes in a file of features, one per line; checks that the rows are unit vectors
    python3 - "$1" <<'END'
import json, math, struct, sys
data = open(sys.argv[1], "rb").read()
n, = struct.unpack("<Q", data[:8])
head = json.loads(data[8:8 + n])
names = json.loads(head["__metadata__"]["names"])
count, width = head["features"]["shape"]
assert head["features"]["dtype"] == "F32" and len(names) == count and len(data) == 8 + n + 4 * count * width
for i, name in enumerate(names):
    row = struct.unpack_from(f"<{width}f", data, 8 + n + 4 * i * width)
    assert abs(math.fsum(x * x for x in row) - 1) < 1e-5, name
    print(name, width)
END
}

expect 0 embed --weights "$w" --view street --out "$tmp/s.safetensors" $demo/street/{3,1,2,4}.png
[ "$(cat "$tmp/out")" = "$tmp/s.safetensors: features of 4 pictures, 2304 numbers each" ]
lines err 0
[ "$(rows "$tmp/s.safetensors")" = "$(for i in 3 1 2 4; do echo "$demo/street/$i.png 2304"; done)" ]
expect 0 embed --weights "$w" --view aerial --out "$tmp/a.safetensors" --threads 1 $demo/aerial $demo/aerial/2.png
[ "$(rows "$tmp/a.safetensors")" = "$(for i in 1 2 3 4 2; do echo "$demo/aerial/$i.png 2304"; done)" ]

# The same bits twice.
cp "$tmp/s.safetensors" "$tmp/first"
expect 0 embed --weights "$w" --view street --out "$tmp/s.safetensors" $demo/street/{3,1,2,4}.png
cmp "$tmp/s.safetensors" "$tmp/first"

# Each failed picture gets one line; the others are written.
mkdir "$tmp/mixed" "$tmp/none" "$tmp/folder.png"
cp $demo/street/1.png "$tmp/mixed/c.PNG"
head -c 2000 $demo/street/1.png > "$tmp/mixed/b.png" # truncated
cp $demo/aerial/1.png "$tmp/mixed/a.png"             # not a panorama
echo text > "$tmp/mixed/d.jpg"
: > "$tmp/mixed/e.tiff"
echo notes > "$tmp/mixed/notes.txt" # not a picture by its name: ignored
touch "$tmp/mixed/.hidden.png"
expect 1 embed --weights "$w" --view street --out "$tmp/m.safetensors" --batch 2 \
    "$tmp/mixed" "$tmp/gone.png" "$tmp/none" "$tmp/folder.png" $demo/street/2.png
lines err 7
says err "mixed/b.png: this PNG picture cannot be decoded" "mixed/a.png: 200 x 200 is not a full panorama" \
    "mixed/d.jpg: unsupported format; expected a JPEG, PNG, WebP or TIFF picture" "mixed/e.tiff: the file is empty" \
    "gone.png: cannot open it: No such file or directory" "none: no JPEG, PNG, WebP, TIFF or HEIC file found in this folder" \
    "folder.png: no JPEG, PNG, WebP, TIFF or HEIC file found in this folder"
says out "m.safetensors: features of 2 pictures"
[ "$(rows "$tmp/m.safetensors")" = "$tmp/mixed/c.PNG 2304
$demo/street/2.png 2304" ]

# Only bad pictures: nothing is written, the old file is kept.
cp "$tmp/m.safetensors" "$tmp/old"
expect 1 embed --weights "$w" --view street --out "$tmp/m.safetensors" "$tmp/mixed/a.png" "$tmp/gone.png"
lines out 0
lines err 3
says err "m.safetensors: not written because no picture could be used"
cmp "$tmp/m.safetensors" "$tmp/old"
expect 1 embed --weights "$w" --view street --out "$tmp/new.safetensors" "$tmp/none"
refused "none: no JPEG, PNG, WebP, TIFF or HEIC file found in this folder"
[ ! -e "$tmp/new.safetensors" ]

# An output that cannot be written fails before the work.
for out in "$tmp" /dev/full "$tmp/no/where"; do
    expect 1 embed --weights "$w" --view street --out "$out" $demo/street
    refused "$out: "
done
expect 1 embed --weights "$tmp/gone" --view street --out "$tmp/new.safetensors" $demo/street
refused "gone: cannot open it"

# Names with any bytes.
cp $demo/aerial/1.png "$tmp/"$'\xff\n.png'
expect 0 embed --weights "$w" --view aerial --out "$tmp/n.safetensors" "$tmp/"$'\xff\n.png'
rows "$tmp/n.safetensors" > /dev/null
expect 1 embed --weights "$w" --view street --out "$tmp/n.safetensors" "$tmp/"$'\xff\n.png'
lines err 2
[ -z "$(find "$tmp" -name '*.tmp')" ]
