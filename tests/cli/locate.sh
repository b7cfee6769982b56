#!/bin/bash
# From street pictures to coordinates: the table, JSON, headings, lists and invalid photos.
. tests/cli/common.bash
w=$(nano)
tiles=$demo/tiles.csv

expect 0 locate --weights "$w" --tiles $tiles --top 3 $demo/street/1.png $demo/street/2.png
lines err 0
lines out 13 # two blocks of 5, an empty line between, an empty line and the summary
says out "$demo/street/1.png" "  rank     latitude     longitude    score  tile" \
    " 45.0003593   -30.0007622   0."
[ "$(grep -c 'aerial/[1-4].png$' "$tmp/out")" = 6 ]

expect 0 locate --weights "$w" --tiles $tiles --json $demo/street
cp "$tmp/out" "$tmp/all.json"
expect 0 locate --weights "$w" --tiles $tiles --format json --quiet --threads 1 $demo/street
python3 - "$tmp/all.json" "$tmp/out" $tiles <<'END'
import csv, json, sys
places = {t["image"]: t for t in csv.DictReader(open(sys.argv[3]))}
a, b = (json.load(open(p)) for p in sys.argv[1:3])
assert [p["photo"] for p in a] == [f"examples/demo/street/{i}.png" for i in (1, 2, 3, 4)] == [p["photo"] for p in b]
for p, q in zip(a, b):
    assert [h["rank"] for h in p["hits"]] == [1, 2, 3, 4]  # --top 5 of four tiles
    scores = [h["score"] for h in p["hits"]]
    assert scores == sorted(scores, reverse=True) and all(-1 <= s <= 1 for s in scores)
    assert {h["source"] for h in p["hits"]} == set(places)
    for h, g in zip(p["hits"], q["hits"]):
        t = places[h["source"]]
        assert abs(h["lat"] - float(t["lat"])) < 1e-9 and abs(h["lon"] - float(t["lon"])) < 1e-9
        assert h["half_tile_m"] == float(t["metres"]) / 2 and abs(h["score"] - g["score"]) < 1e-5
END

# The third panorama's metadata has a heading of 90 degrees: giving it changes nothing, giving another one does.
expect 0 locate --weights "$w" --tiles $tiles --json $demo/street/3.png
cp "$tmp/out" "$tmp/own.json"
expect 0 locate --weights "$w" --tiles $tiles --json --heading 90 $demo/street/3.png
cmp "$tmp/out" "$tmp/own.json"
expect 0 locate --weights "$w" --tiles $tiles --json --heading 0 $demo/street/3.png
! cmp -s "$tmp/out" "$tmp/own.json" || { echo "--heading 0 changes nothing"; exit 1; }

# Failed photos are named, the others are located.
head -c 3000 $demo/street/2.png > "$tmp/cut.png"
expect 1 locate --weights "$w" --tiles $tiles --top 1 --json "$tmp/cut.png" $demo/street/1.png \
    $demo/aerial/1.png "$tmp/gone.jpg"
lines err 3
says err "cut.png: this PNG picture cannot be decoded" "aerial/1.png: 200 x 200 is not a full panorama" \
    "--panorama yes if this is one" "gone.jpg: cannot open it: No such file or directory"
python3 - "$tmp/out" <<'END'
import json, sys
p = json.load(open(sys.argv[1]))
assert ["error" in x for x in p] == [True, False, True, True] and len(p[1]["hits"]) == 1
assert p[3]["error"].endswith("gone.jpg: cannot open it: No such file or directory")
END
expect 1 locate --weights "$w" --tiles $tiles --format lines "$tmp/gone.jpg" $demo/street/1.png $demo/street/2.png
says out "2 of 3 photos located, "
printf 'street,lat,lon\nstreet/1.png,45,-30\nstreet/2.png,45,-30\n' > "$tmp/two.csv"
expect 1 locate --weights "$w" --tiles $tiles --known "$tmp/two.csv" "$tmp/gone.jpg" $demo/street/1.png $demo/street/2.png
says out "2 photos of known place" "; 1 of 3 photos were not located"
expect 1 locate --weights "$w" --tiles $tiles "$tmp/gone.jpg"
refused "gone.jpg: cannot open it"
expect 1 locate --weights "$w" --tiles $tiles --json "$tmp/gone.jpg"
python3 -m json.tool "$tmp/out" > /dev/null
expect 1 locate --index $demo/street/1.png $demo/street/1.png
refused "1.png: expected a map's name, which ends in .gpkg; make one with \`index\`"

# Failed tiles are skipped.
cp -r $demo "$tmp/town"
rm "$tmp/town/aerial/2.png"
echo text > "$tmp/town/aerial/3.png"
expect 1 locate --weights "$w" --tiles "$tmp/town/tiles.csv" $demo/street/1.png
lines err 2
says err "town/aerial/2.png: cannot open it" "town/aerial/3.png: unsupported format; expected a JPEG"
lines out 4
rm -r "$tmp/town/aerial"
expect 1 locate --weights "$w" --tiles "$tmp/town/tiles.csv" $demo/street/1.png
lines out 0
lines err 5
says err "tiles.csv: none of its 4 tiles can be used"

# Invalid lists: one sentence with the line.
list() {
    printf '%b' "$1" > "$tmp/list.csv"
    expect 1 locate --weights "$w" --tiles "$tmp/list.csv" $demo/street/1.png
    refused "list.csv$2"
}
list '' ': the file is empty'
list '\n' ': the list is empty'
list 'image,lat,lon\n' ': the list has no tiles, only a header'
list 'image,lat,lon\na.png,1,2\nb.png,91,2\n' ', line 3: lat 91 is out of range; expected -90 to 90'
list 'image,lat,alt\na.png,1,2\n' ", line 1: unknown column \"alt\" in the header; expected image, lat, lon and metres"
list 'image,lat,lon\na.png,45,25,-30\n' ", line 2: got 4 fields, expected 3 as in the header; numbers with decimal commas need semicolons between the fields"
list 'image,lat,lon\na.png,1\n' ', line 2: got 2 fields, expected 3 as in the header'
for bad in "$tmp" "$tmp/gone.csv" /dev/null; do
    expect 1 locate --weights "$w" --tiles "$bad" $demo/street/1.png
    refused "$bad: "
done

# Lists as spreadsheets write them, from their own folder, with a name that needs quotes.
cp $demo/aerial/1.png "$tmp/one, two.png"
printf '\xef\xbb\xbfimage,lat,lon\r\n"one, two.png",1,-2\r\n' > "$tmp/list.csv"
expect 0 locate --weights "$w" --tiles "$tmp/list.csv" $demo/street/1.png
says out "  1.0000000    -2.0000000   0." "one, two.png"
printf '\xef\xbb\xbfImage;Latitude;Lng\r"one, two.png";1,0;-2,00\r' > "$tmp/list.csv"
expect 0 locate --weights "$w" --tiles "$tmp/list.csv" $demo/street/1.png
says out "  1.0000000    -2.0000000   0." "one, two.png"
printf 'image\tlat\tlon\none, two.png\t1,0\t-2\n' | iconv -t UTF-16 > "$tmp/list.csv"
expect 0 locate --weights "$w" --tiles "$tmp/list.csv" $demo/street/1.png
says out "  1.0000000    -2.0000000   0." "one, two.png"
printf 'image,lat,lon\n"one, two.png",-0.00000004,-0.0\n' > "$tmp/list.csv"
expect 0 locate --weights "$w" --tiles "$tmp/list.csv" $demo/street/1.png
says out "  0.0000000     0.0000000   0."
! grep -qF -- -0.0000000 "$tmp/out" || { cat "$tmp/out"; exit 1; }

# A heading just west of north is rounded to 0 degrees, never to 360.
expect 0 locate --weights "$w" --tiles $tiles --format lines --heading 359.96 $demo/street/3.png $demo/street/1.png
grep -q ' 0\.0 ' "$tmp/out"
fails grep -q ',360' "$tmp/out"
expect 0 locate --weights "$w" --tiles $tiles --format csv --heading 359.996 $demo/street/3.png
fails grep -q ',360' "$tmp/out"

# An unknown heading is found; turning a photo changes only the heading found.
expect 0 locate --weights "$w" --tiles $tiles --json --heading find $demo/street/3.png
cp "$tmp/out" "$tmp/found.json"
python3 - "$tmp/found.json" "$tmp/own.json" <<'END'
import json, sys
found, own = (json.load(open(p))[0] for p in sys.argv[1:])
assert found["heading_estimated"] and not own["heading_estimated"] and own["hits"][0]["heading"] == 90
assert 0 <= found["hits"][0]["heading"] < 360
best = {h["tile"]: h["score"] for h in found["hits"]}
assert all(best[h["tile"]] > h["score"] - 1e-6 for h in own["hits"])  # 90 degrees are among the sixteen
END

# Only nearby tiles; --near exif fails for a photo without GPS.
expect 0 locate --weights "$w" --tiles $tiles --json --near 45.0003593,-30.0007622 --within 10 $demo/street/1.png
python3 -c 'import json,sys; h = json.load(open(sys.argv[1]))[0]["hits"]; assert len(h) == 1, h' "$tmp/out"
expect 1 locate --weights "$w" --tiles $tiles --near 0,0 $demo/street/1.png
refused "1.png: no tile of the map lies within 100 m of 0.000000, 0.000000"
expect 1 locate --weights "$w" --tiles $tiles --near exif $demo/street/1.png
refused "1.png: it has no GPS position"
expect 2 locate --weights "$w" --tiles $tiles --near 91,0 $demo/street/1.png
refused "--near takes LAT,LON"
expect 2 locate --weights "$w" --tiles $tiles --near 1,x $demo/street/1.png
refused "--near takes LAT,LON"

# If hundreds of tiles are at one position, other positions are still found, and the margin to them.
{
    echo image,lat,lon
    for i in {100..399}; do echo "$PWD/$demo/aerial/1.png,45.0000$i,-30"; done
    for i in 2 3 4; do echo "$PWD/$demo/aerial/$i.png,45.0$i,-30"; done
} > "$tmp/dense.csv"
expect 0 locate --weights "$w" --tiles "$tmp/dense.csv" --json --quiet --heading 0 $demo/street/1.png
python3 - "$tmp/out" <<'END'
import json, sys
p = json.load(open(sys.argv[1]))[0]
assert len(p["hits"]) == 4 and p["margin"] is not None, p
END

# True places from a list: errors in metres and a summary; headings from it too.
printf 'street,lat,lon,heading\nstreet/1.png,45.0003593,-30.0007622,0\nstreet/2.png,45,-30,\n' > "$tmp/known.csv"
expect 0 locate --weights "$w" --tiles $tiles --known "$tmp/known.csv" $demo/street/{1,2}.png
says out "error m" "2 photos of known place: median error "
expect 0 locate --weights "$w" --tiles $tiles --known "$tmp/known.csv" --format csv --merge no $demo/street
[ "$(head -1 "$tmp/out")" = "photo,rank,lat,lon,half_tile_m,score,heading,heading_estimated,margin,weak,error_m,gps_lat,gps_lon,gps_m,tile,source,p,p_within_25_m,p_within_50_m,p_within_100_m,radius_90_m,calibrated,fov,fov_from,heading_from,problem" ]
lines out 17
grep -q "street/1.png,.*,0.0[0-9],,,,0,aerial/1.png,,,,,,,,,,$" "$tmp/out"
expect 0 locate --weights "$w" --tiles $tiles --known "$tmp/known.csv" --format lines --report "$tmp/report" $demo/street
lines out 8 # a header, four photos, an empty line, the summary
says out "2 photos of known place: median error " "of them weak (margin below 0.05)"
expect 0 locate --weights "$w" --tiles $tiles --format lines --min-margin 2 $demo/street
says out "4 photos located, 4 of them weak (margin below 2)"
expect 0 locate --weights "$w" --tiles $tiles --format geojson --min-margin 2 $demo/street/1.png
python3 - "$tmp/out" <<'END'
import json, sys
g = json.load(open(sys.argv[1]))
assert g["type"] == "FeatureCollection" and len(g["features"]) == 4
p = g["features"][0]
assert p["geometry"]["type"] == "Point" and p["properties"]["rank"] == 1 and p["properties"]["weak"] is True
assert abs(p["geometry"]["coordinates"][1] - p["properties"]["lat"]) < 1e-12
END
expect 0 locate --weights "$w" --tiles $tiles --min-margin 2 $demo/street/1.png
says out "weak: another place is almost as similar"
printf 'image,lat,lon\n1.png,100,0\n' > "$tmp/known.csv"
expect 1 locate --weights "$w" --tiles $tiles --known "$tmp/known.csv" $demo/street/1.png
refused "known.csv, line 2: lat \"100\" is not a number from -90 to 90"
printf 'lat,lon\n1,0\n' > "$tmp/known.csv"
expect 1 locate --weights "$w" --tiles $tiles --known "$tmp/known.csv" $demo/street/1.png
refused "known.csv, line 1: the header needs lat, lon and one of image and street"

status=0
"$GEOVIEWMATCH" locate --weights "$w" --tiles $tiles $demo/street/1.png > /dev/full 2> "$tmp/err" || status=$?
[ $status = 1 ]
says err "cannot write to standard output"
