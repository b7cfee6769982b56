#!/bin/bash
# Drawn towns, as pairs, as an orthophoto and as photos: the same files for the same seed with any number of threads;
# what is refused.
. tests/cli/common.bash

expect 0 world --out "$tmp/a" --pairs 5 --seed 7 --threads 1 --quiet
says out "a: 5 pairs, 1 of them for testing"
lines err 0
expect 0 world --out "$tmp/b" --pairs 5 --seed 7 --threads 2 --quiet
diff -r "$tmp/a" "$tmp/b"
expect 0 world --out "$tmp/c" --pairs 5 --seed 8 --quiet
for picture in street/000003.jpg aerial/000003.jpg; do
    ! cmp -s "$tmp/a/$picture" "$tmp/c/$picture" || { echo "another seed gave the same $picture"; exit 1; }
done

python3 - "$tmp/a" <<'END2'
import csv, os, sys
folder = sys.argv[1]
lines = open(folder + "/pairs.csv").read().split("\n")
assert lines[0] == "id,street,aerial,lat,lon,heading,split,aerial_lat,aerial_lon" and len(lines) == 7 and lines[6] == ""
rows = list(csv.DictReader(lines))
tiles = list(csv.DictReader(open(folder + "/tiles.csv")))
assert [t["image"] for t in tiles] == [r["aerial"] for r in rows]
assert sorted(r["split"] for r in rows) == ["test", "train", "train", "train", "train"]
east = max(rows, key=lambda r: float(r["lon"]))
assert east["split"] == "test"
for r, t in zip(rows, tiles):
    assert os.path.getsize(os.path.join(folder, r["street"])) > 8000
    assert os.path.getsize(os.path.join(folder, r["aerial"])) > 8000
    assert r["heading"] == "0" and abs(float(r["lat"]) - 45) < 0.01 and abs(float(r["lon"]) + 30) < 0.01
    assert (t["lat"], t["lon"], t["metres"]) == (r["lat"], r["lon"], "64")
END2

# Further options.
expect 0 world --out "$tmp/d" --pairs 2 --seed 7 --offset 25 --test 100 --origin -33.9,151.2 --scale 2
says out "d: 2 pairs, 2 of them for testing"
python3 - "$tmp/d" <<'END2'
import csv, math, sys
rows = list(csv.DictReader(open(sys.argv[1] + "/pairs.csv")))
tiles = list(csv.DictReader(open(sys.argv[1] + "/tiles.csv")))
for r, t in zip(rows, tiles):
    north = (float(r["lat"]) - float(t["lat"])) * 110920
    east = (float(r["lon"]) - float(t["lon"])) * 111320 * math.cos(math.radians(33.9))
    assert 0 < math.hypot(north, east) < 25.2 and abs(float(r["lat"]) + 33.9) < 0.01, (north, east)
END2

# A folder in use is not changed.
expect 1 world --out "$tmp/a" --pairs 2
refused "a: the folder is not empty" "--force"
diff -r "$tmp/a" "$tmp/b"
expect 0 world --out "$tmp/c" --pairs 5 --seed 7 --force --quiet
diff -r "$tmp/a" "$tmp/c"

# One orthophoto and panoramas in it.
expect 0 world --out "$tmp/o" --ortho --pairs 3 --seed 7 --metres 200 --turn yes --threads 1 --quiet
says out "o: an orthophoto of 800 x 800 pixels, 3 panoramas"
lines err 0
expect 0 world --out "$tmp/p" --ortho --pairs 3 --seed 7 --metres 200 --turn yes --threads 2 --quiet
diff -r "$tmp/o" "$tmp/p"
expect 0 world --out "$tmp/q" --ortho --pairs 2 --seed 7 --metres 210 --projection utm --origin 60,25 --quiet
says out "q: an orthophoto of 840 x 840 pixels, 2 panoramas"
python3 - "$tmp" <<'END2'
import csv, os, sys
for folder, count, turned in (("o", 3, True), ("q", 2, False)):
    folder = os.path.join(sys.argv[1], folder)
    assert sorted(os.listdir(folder)) == ["ortho.tif", "photos.csv", "street"]
    assert open(folder + "/ortho.tif", "rb").read(4) in (b"II*\0", b"MM\0*")
    assert open(folder + "/photos.csv").readline() == "image,lat,lon,heading\n"
    rows = list(csv.DictReader(open(folder + "/photos.csv")))
    assert [r["image"] for r in rows] == ["street/%06d.jpg" % n for n in range(1, count + 1)]
    assert len(os.listdir(folder + "/street")) == count
    assert all((0 < float(r["heading"]) < 360) == turned for r in rows), rows
END2
expect 1 world --out "$tmp/o" --ortho --pairs 2
refused "o: the folder is not empty"
expect 0 world --out "$tmp/o" --pairs 1 --force --quiet # the list of panoramas is deleted with the panoramas
[ ! -e "$tmp/o/photos.csv" ]
expect 1 world --out "$tmp/new" --ortho --pairs 1000 --metres 300
refused "the roads of 300 m have room for " "got 1000; lower --pairs or raise --metres"

# Photos and the surrounding imagery.
expect 0 world --out "$tmp/s" --photos --pairs 8 --seed 7 --metres 300 --margin 50 --pixel 0.5 --test 25 --threads 1 --quiet
says out "s: an orthophoto of 600 x 600 pixels, 8 photos, 2 of them for testing"
lines err 0
expect 0 world --out "$tmp/t" --photos --pairs 8 --seed 7 --metres 300 --margin 50 --pixel 0.5 --test 25 --threads 2 --quiet
diff -r "$tmp/s" "$tmp/t"
python3 - "$tmp/s" <<'END2'
import csv, os, sys
folder = sys.argv[1]
assert sorted(os.listdir(folder)) == ["imagery", "photos", "photos.csv"] and os.listdir(folder + "/imagery") == ["ortho.tif"]
assert open(folder + "/photos.csv").readline() == "image,lat,lon,heading,pitch,roll,fov,lens,split\n"
rows = list(csv.DictReader(open(folder + "/photos.csv")))
assert [r["image"] for r in rows] == ["photos/%06d.jpg" % n for n in range(1, 9)] and len(os.listdir(folder + "/photos")) == 8
assert sorted(r["split"] for r in rows) == ["test"] * 2 + ["train"] * 6
assert all(r["lens"] == "pinhole" and 25 < float(r["fov"]) < 115 and 0 <= float(r["heading"]) < 360 for r in rows), rows
assert max(abs(float(r["lat"]) - 45) for r in rows) < 101 / 111000
END2
expect 0 info "$tmp/s/photos/000001.jpg" # our own reader accepts its EXIF
says out "GPS position   4" "heading "

# Any camera: shapes, lenses, pose, orientations, and magnetic north in EXIF but not in the list.
expect 0 world --out "$tmp/any" --photos --pairs 6 --seed 7 --metres 300 --margin 50 --pixel 1 --photo-size 128 --shape 3:2,2:3 \
    --fov 59,61 --lens=-0.1,0.02 --pitch 8 --roll 5 --orientation any --north magnetic --quiet
expect 0 world --out "$tmp/sweep" --photos --pairs 2 --seed 7 --metres 300 --margin 50 --pixel 1 --photo-size 256 --shape 4:1 \
    --fov 179,181 --lens cylinder --quiet
python3 - "$tmp" <<'END2'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1] + "/any/photos.csv")))
assert {r["lens"] for r in rows} == {"-0.1,0.02"} and any(abs(float(r["pitch"])) > 4 for r in rows), rows
for r in rows: # the distortion widens it
    assert 39 < float(r["fov"]) < 43 or 59 < float(r["fov"]) < 65, r
assert all(abs(float(r["fov"]) - 180) < 1.5 and r["lens"] == "cylinder"
           for r in csv.DictReader(open(sys.argv[1] + "/sweep/photos.csv")))
END2
expect 0 info --json --lens=-0.1,0.02 "$tmp/any/photos/000002.jpg"
cp "$tmp/out" "$tmp/any.json"
expect 0 info --json "$tmp/sweep/photos/000001.jpg"
python3 - "$tmp" <<'END2'
import csv, json, sys
for folder, number, info in (("any", 1, "any.json"), ("sweep", 0, "out")):
    truth = list(csv.DictReader(open(f"{sys.argv[1]}/{folder}/photos.csv")))[number]
    said = json.load(open(f"{sys.argv[1]}/{info}"))
    said = said.get("camera", said)
    assert abs(said["fov"] - float(truth["fov"])) < 0.02, (said, truth)
    assert abs((said["heading"] - float(truth["heading"]) + 180) % 360 - 180) < 0.02, (said, truth)
END2
expect 1 world --out "$tmp/new" --photos --pairs 10
refused "the roads of 600 m have room for 0 photos at least 310 m from the border, got 10"

for bad in "--pairs 0" "--pairs x" "--pairs 2 --seed -1" "--pairs 2 --offset 31" "--pairs 2 --offset nan" \
    "--pairs 2 --test 101" "--pairs 2 --origin 45" "--pairs 2 --origin 85,0" "--pairs 2 --scale 5" "--pairs 2 more" "" "--pairs 2 --metres 300" "--pairs 2 --turn yes" \
    "--pairs 2 --ortho --metres 100" "--pairs 2 --ortho --metres 4001" "--pairs 2 --ortho --metres 2100 --scale 2" \
    "--pairs 2 --ortho --test 5" "--pairs 2 --ortho --offset 5" "--pairs 2 --ortho --turn maybe" \
    "--pairs 2 --ortho --projection lambert" "--pairs 2 --ortho=yes" "--pairs 2 --photos --ortho" "--pairs 2 --photos --scale 2" \
    "--pairs 2 --photos --offset 5" "--pairs 2 --photos --turn yes" "--pairs 2 --pixel 0.5" "--pairs 2 --ortho --margin 50" \
    "--pairs 2 --photos --metres 2000 --pixel 0.1" "--pairs 2 --photos --fov 90,60" "--pairs 2 --photos --photo-size 2000" \
    "--pairs 2 --photos --shape 4:3," "--pairs 2 --photos --shape 4x3" "--pairs 2 --photos --shape 20:1" "--pairs 2 --photos --lens 0.1" \
    "--pairs 2 --photos --lens wide" "--pairs 2 --photos --fov 100,200" "--pairs 2 --photos --lens=-1,0" "--pairs 2 --lens fisheye" \
    "--pairs 2 --photos --orientation 9" "--pairs 2 --photos --pitch 40" "--pairs 2 --photos --north up"; do
    # shellcheck disable=SC2086
    expect 2 world --out "$tmp/new" $bad
    refused "geoviewmatch world: "
done
expect 2 world --pairs 2
refused "--out is required"
[ ! -e "$tmp/new" ]
expect 0 world --help
says out "usage: geoviewmatch world --out FOLDER --pairs N"
expect 1 world --out "$tmp/a/pairs.csv" --pairs 2
refused "pairs.csv: it is not a folder"
expect 1 world --out "$tmp/no/where" --pairs 2
refused "where: cannot create it: No such file or directory"
mkdir "$tmp/full" && ln -s /dev/full "$tmp/full/aerial"
expect 1 world --out "$tmp/full" --pairs 2 --force
refused "aerial: it is a symbolic link"
[ -z "$(find "$tmp" -name '*.tmp')" ]
