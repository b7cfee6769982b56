#!/bin/bash
# A complete data set, and one with every kind of error.
. tests/cli/common.bash
d=$tmp/set
mkdir -p "$d/street" "$d/aerial"
cp $demo/street/*.png "$d/street"
cp $demo/aerial/*.png "$d/aerial"
cat > "$d/pairs.csv" <<'END'
id,street,aerial,lat,lon,split
a,street/1.png,aerial/1.png,48.001,11,train
b,street/2.png,aerial/2.png,48.002,11,train
c,street/3.png,aerial/3.png,48.003,11,val
d,street/4.png,aerial/4.png,48.004,11,test
END

# count NAME N: the line of the summary.
count() {
    grep -qE "^  $1 +$2$" "$tmp/out" || { echo "'$1' is not $2:"; cat "$tmp/out"; exit 1; }
}

expect 0 check --data "$d" --list "$tmp/list.csv"
lines err 0
says out "$d: pairs, 64 m of ground, elevations -45 to 45 degrees"
count train "2 pairs, 2 tiles"
count 'test \(val\)' "1 pairs, 1 tiles"
count pictures 6
for finding in missing unreadable mis-sized doubled "in two splits" "out of range" "positions disagree"; do
    count "$finding" 0
done
[ "$(cat "$tmp/list.csv")" = "finding,split,id,file,detail" ]
expect 0 check --data "$d/" --test test --json --threads 1
python3 - "$tmp/out" <<'END'
import json, sys
answer = json.load(open(sys.argv[1]))
assert answer["format"] == "pairs" and answer["test_split"] == "test" and answer["found"] == 0
assert answer["train"] == {"pairs": 2, "tiles": 2} and answer["pictures"] == 6 and not answer["undivided"]
assert set(answer["findings"].values()) == {0} and answer["elevation"] == [-45, 45] and answer["ground_m"] == 64
END

# A scene used for training and for testing, and a place beside its tile.
cat >> "$d/pairs.csv" <<'END'
e,street/1.png,aerial/3.png,48.003,11,val
b,street/4.png,aerial/3.png,48.003,11,val
f,street/3.png,aerial/4.png,95,11,train
END
sed -i '1s/$/,aerial_lat,aerial_lon/; 2,$s/$/,,/; 3s/,,$/,48.0024,11/' "$d/pairs.csv"
cp "$d/aerial/1.png" "$d/aerial/again.png"
head -c 3000 "$d/street/2.png" > "$d/street/cut.png"
python3 - "$d/aerial/wide.png" <<'END'
import struct, sys, zlib
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 30, 20, 8, 2, 0, 0, 0))
                              + chunk(b"IDAT", zlib.compress(bytes(91 * 20))) + chunk(b"IEND", b""))
END
cat >> "$d/pairs.csv" <<'END'
g,street/gone.png,aerial/again.png,48.001,11,train,,
h,street/cut.png,"aerial/no, not ""there"".png",48.001,11,train,,
i,aerial/2.png,aerial/wide.png,48.001,11,train,,
END
for threads in 1 2; do
    expect 1 check --data "$d" --list "$tmp/list$threads.csv" --threads $threads
done
cmp "$tmp/list1.csv" "$tmp/list2.csv"
lines err 0
count missing 2
count unreadable 2
count mis-sized 1
count doubled 2
count "in two splits" 3
count "out of range" 2
count "positions disagree" 1
python3 - "$tmp/list1.csv" "$d/" <<'END'
import csv, sys
rows = [row for row in csv.DictReader(open(sys.argv[1]))]
found = sorted((r["finding"], r["split"], r["id"], r["file"].removeprefix(sys.argv[2])) for r in rows)
want = sorted([
    ("missing", "train", "g", "street/gone.png"), ("missing", "train", "", 'aerial/no, not "there".png'),
    ("unreadable", "train", "h", "street/cut.png"), ("unreadable", "train", "i", "aerial/2.png"),
    ("mis_sized", "train", "", "aerial/wide.png"), ("doubled", "train", "", "aerial/again.png"),
    ("doubled", "train", "i", "aerial/2.png"),
    ("two_splits", "both", "e", "street/1.png"), ("two_splits", "both", "b", "street/4.png"),
    ("two_splits", "both", "c", "street/3.png"), ("out_of_range", "train", "f", "street/3.png"),
    ("out_of_range", "train", "", "aerial/4.png"), ("disagree", "train", "b", "street/2.png")])
assert found == want, set(found) ^ set(want)
END

# Sizes are compared with the published ones, unless all pictures of a view were scaled alike, as the aerial ones here.
v=$tmp/cvusa
mkdir -p "$v/splits" "$v/bingmap/19" "$v/streetview/panos"
for i in 1 2 3; do
    cp $demo/aerial/$i.png "$v/bingmap/19/000000$i.jpg"
    cp $demo/street/$i.png "$v/streetview/panos/000000$i.jpg"
    echo "bingmap/19/000000$i.jpg,streetview/panos/000000$i.jpg"
done > "$v/splits/val-19zl.csv"
expect 1 check --data "$v"
says out "cvusa: CVUSA, 174.4 m of ground, elevations -32.73 to 32.73 degrees" "splits/train-19zl.csv is missing" \
    "streetview/panos/0000001.jpg: 480 x 240, not 1232 x 224"
count 'test \(val\)' "3 pairs, 3 tiles"
count mis-sized 3

# CVACT's labels name pictures that were not published: a few are accepted, many are not, nor is anything else missing.
a=$tmp/cvact
mkdir -p "$a/streetview" "$a/satview_polish"
python3 - "$a" <<'END'
import struct, sys, zlib
folder, N = sys.argv[1], 20
def element(kind, body):
    return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)
def matrix(name, kind, shape, data):
    flags = element(6, struct.pack("<II", kind, 0))
    return element(14, flags + element(5, struct.pack("<ii", *shape)) + element(1, name.encode()) + data)
def doubles(name, shape, values):
    return matrix(name, 6, shape, element(9, struct.pack(f"<{len(values)}d", *values)))
def set_of(name, field, numbers):
    names = struct.pack("<HHi", 5, 4, 32) + element(1, field.encode().ljust(32, b"\0"))
    return matrix(name, 2, (1, 1), names + doubles("", (len(numbers), 1), numbers))
ids = [f"id{i:02d}" for i in range(N)]
columns = "".join(name[k] for k in range(4) for name in ids)
with open(folder + "/ACT_data.mat", "wb") as f:
    f.write(b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x100, b"IM"))
    f.write(matrix("panoIds", 4, (N, 4), element(16, columns.encode())))
    f.write(doubles("utm", (N, 2), [690000.0 + 100 * i for i in range(N)] + [6090000.0] * N))
    f.write(set_of("trainSet", "trainInd", list(range(1, 16))) + set_of("valSet", "valInd", list(range(16, N + 1))))
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
def picture(name, width, height, shade):
    open(folder + name, "wb").write(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress((b"\0" + bytes([shade]) * 3 * width) * height)) + chunk(b"IEND", b""))
for i, name in enumerate(ids):
    picture(f"/streetview/{name}_grdView.jpg", 16, 8, 3 * i)
    picture(f"/satview_polish/{name}_satView_polish.jpg", 12, 12, 3 * i)
END
expect 0 check --data "$a"
says out "cvact: CVACT, 144 m"
count pictures 40
count missing 0
rm "$a"/*/id07_*
expect 0 check --data "$a" # 5%
count missing 2
says out "not an error: CVACT's labels list pictures that were not published"
expect 0 check --data "$a" --json
python3 -c 'import json,sys; a = json.load(open(sys.argv[1])); assert a["found"] == 2 and a["harmless"] == 2, a' "$tmp/out"
cp "$a/streetview/id03_grdView.jpg" "$tmp/whole.jpg"
echo broken > "$a/streetview/id03_grdView.jpg"
expect 1 check --data "$a"
count missing 2
count unreadable 1
mv "$tmp/whole.jpg" "$a/streetview/id03_grdView.jpg"
rm "$a"/streetview/id18_*
expect 1 check --data "$a"
count missing 3
fails grep -q "not an error" "$tmp/out"

# Labels that contradict the files, and wrong calls.
echo "j,../street/1.png,aerial/1.png,48,11,train,," >> "$d/pairs.csv"
expect 1 check --data "$d"
refused "pairs.csv, line 12: '../street/1.png' is outside the data set's folder"
expect 1 check --data "$tmp/gone"
refused "gone: cannot open it"
expect 1 check --data "$tmp"
refused "no data set found"
expect 1 check --data "$d" --format COCO
refused "unknown data set format 'COCO'; expected CVUSA, CVACT, VIGOR, pairs or photos"
expect 1 check --data "$d" --test dev
refused "test split is val or test, not 'dev'"
expect 2 check
refused "--data is required"
expect 2 check --data "$d" --ground 0
refused "--ground takes metres"
expect 2 check --data "$d" more
refused "unexpected argument 'more'"

# A list that cannot be written fails before the work.
sed -i '$d' "$d/pairs.csv"
expect 1 check --data "$d" --list "$tmp/no/list.csv"
refused "list.csv: cannot"
[ -z "$(find "$tmp" -name '*.tmp')" ]
