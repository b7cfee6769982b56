#!/bin/bash
# The demo runs in an empty folder and finds most of its panoramas. A second run reuses what the first drew and indexed.
# The commands it prints can be pasted.
. tests/cli/common.bash
GEOVIEWMATCH=$(realpath "$GEOVIEWMATCH")
town="$tmp/my town"

# Interrupted, it leaves no half-written file, and the same command continues.
"$GEOVIEWMATCH" demo --out "$town" --quiet > "$tmp/out" & pid=$!
until compgen -G "$town/*.tmp" > "$tmp/writing"; do kill -0 $pid; sleep 0.05; done
kill -TERM $pid
wait $pid && { echo "it was not interrupted"; exit 1; }
fails compgen -G "$town/*.tmp"
[ ! -e "$town/ortho.tif" ]

expect 0 demo --out "$town" --quiet
says out "\$ $GEOVIEWMATCH world --ortho --out '$town'" "\$ $GEOVIEWMATCH index --raster" \
    "\$ $GEOVIEWMATCH locate --index" "30 photos of known place: median error" \
    "of them weak (margin below 0.05): of the other " "file://" "my%20town/report/index.html" \
    "  $GEOVIEWMATCH serve --index '$town/map.gpkg'" "  $GEOVIEWMATCH index --raster ORTHOPHOTO.tif"
first=$(sed -n 's/.*within 25 m \([0-9]*\).*at rank 1.*/\1/p' "$tmp/out")
[ "$first" -ge 60 ] || { echo "only $first% at rank 1"; exit 1; }
for file in ortho.tif map.gpkg map.features report/index.html report/answers.geojson; do [ -s "$town/$file" ]; done

# One of its printed commands, verbatim: the map exists.
sed -n 's/^\$ \(.* index .*\)/\1/p' "$tmp/out" > "$tmp/typed"
[ "$(wc -l < "$tmp/typed")" = 1 ]
bash -e "$tmp/typed" > "$tmp/out" 2> "$tmp/err" || { cat "$tmp/out" "$tmp/err"; exit 1; }
says out "already complete, 576 tiles"

# The same town is not drawn or indexed again; printed commands name the program as it was called.
ln -s "$GEOVIEWMATCH" "$tmp/gvm"
before=$(stat -c %y "$town/ortho.tif")
find "$town/street" -name '0000[0-3]*.jpg' ! -name '00000[12].jpg' -delete # two are enough
(cd "$tmp" && ./gvm demo --out "$town" --quiet > "$tmp/out")
says out "my town: this town exists already" "\$ ./gvm index --raster '$town/ortho.tif'" "complete" \
    "  ./gvm serve --index '$town/map.gpkg'" "2 photos of known place"
[ "$(stat -c %y "$town/ortho.tif")" = "$before" ]

# In a folder under another path the map is made again, because it contains the orthophoto's path; another town is drawn
# over the old one. Both fail here, which shows that they were tried.
rm "$town/map.gpkg" "$town/map.features"
mkdir "$town/map.features"
sed -i '$ s/.*/elsewhere/' "$town/demo.txt"
expect 1 demo --out "$town" --quiet
refused "map.features: cannot replace it"
rm -r "$town/map.features" "$town/street"
touch "$town/street"
expect 1 demo --out "$town" --seed 7 --quiet
says out "world --ortho --out '$town' --pairs 30 --metres 800 --turn yes --seed 7 --force"
says err "street"
mkdir "$tmp/mine"
touch "$tmp/mine/notes.txt"
expect 1 demo --out "$tmp/mine"
says err "mine: the folder is not empty"
for name in map.gpkg map.features demo.txt; do # with --force too
    rm -f "$tmp/mine"/*
    echo 'a day of work' > "$tmp/mine/$name"
    expect 1 demo --out "$tmp/mine" --force
    refused "$tmp/mine/$name: it was not made by a demo; move it away, or choose another folder with --out"
    [ "$(cat "$tmp/mine"/*)" = 'a day of work' ]
done
expect 2 demo --out "$town" --force --seed x
refused "--seed takes a whole number of at least 0, got 'x'"
[ -s "$town/ortho.tif" ]
expect 2 demo more
refused "unexpected argument 'more'"
