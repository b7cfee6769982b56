#!/bin/bash
# The demo runs from nothing and finds most of its panoramas; what it drew and indexed is used again; its commands can
# be typed as they stand.
. tests/cli/common.bash
GEOVIEWMATCH=$(realpath "$GEOVIEWMATCH")
town="$tmp/my town"

expect 0 demo --out "$town" --quiet
says out "\$ $GEOVIEWMATCH world --ortho --out '$town'" "\$ $GEOVIEWMATCH index --raster" \
    "\$ $GEOVIEWMATCH locate --index" "30 photos whose place is known: median error" \
    "of them weak (margin below 0.05): of the other " "file://" "my%20town/report/index.html" \
    "  $GEOVIEWMATCH serve --index '$town/map.gpkg'" "  $GEOVIEWMATCH index --raster ORTHOPHOTO.tif"
first=$(sed -n 's/.*within 25 m \([0-9]*\).*at rank 1.*/\1/p' "$tmp/out")
[ "$first" -ge 60 ] || { echo "only $first% at rank 1"; exit 1; }
for file in ortho.tif map.gpkg map.features report/index.html report/answers.geojson; do [ -s "$town/$file" ]; done

# A line of it, as it stands: the map is there.
sed -n 's/^\$ \(.* index .*\)/\1/p' "$tmp/out" > "$tmp/typed"
[ "$(wc -l < "$tmp/typed")" = 1 ]
bash -e "$tmp/typed" > "$tmp/out" 2> "$tmp/err" || { cat "$tmp/out" "$tmp/err"; exit 1; }
says out "complete already, 576 tiles"

# The same town again is not drawn anew, by whatever name the program or the folder is called.
ln -s "$GEOVIEWMATCH" "$tmp/gvm"
touch -d 2001-01-01 "$town/ortho.tif"
(cd "$tmp" && ./gvm demo --out "my town" --quiet > "$tmp/out")
says out "my town: this town is drawn already" "\$ ./gvm index --raster 'my town/ortho.tif'" "576 tiles" \
    "  ./gvm serve --index 'my town/map.gpkg'" "30 photos whose place is known"
[ "$(stat -c %Y "$town/ortho.tif")" = "$(date -d 2001-01-01 +%s)" ]

# Another town takes its place, as the folder is a demo's (the map cannot be made: that is enough to see); a folder of
# something else stays.
sed -i 's/seed 2024/seed 7/' "$town/demo.txt"
rm "$town/map.gpkg" "$town/map.features"
mkdir "$town/map.features"
expect 1 demo --out "$town" --quiet
says err "map.features"
mkdir "$tmp/mine"
touch "$tmp/mine/notes.txt"
expect 1 demo --out "$tmp/mine"
says err "mine: the folder is not empty"
expect 2 demo --out "$town" --force --seed x
refused "--seed takes a whole number of 0 or more, not 'x'"
[ -s "$town/ortho.tif" ]
expect 2 demo more
refused "'more' is one argument too many"
