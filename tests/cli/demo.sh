#!/bin/bash
# The demo runs from nothing, again with --force, and finds most of its panoramas.
. tests/cli/common.bash

expect 0 demo --out "$tmp/town" --quiet
says out "\$ geoviewmatch world --ortho" "\$ geoviewmatch index --raster" "\$ geoviewmatch locate --index" \
    "30 photos whose place is known: median error" "geoviewmatch index --raster ORTHOPHOTO.tif"
first=$(sed -n 's/.*within 25 m \([0-9]*\).*at rank 1.*/\1/p' "$tmp/out")
[ "$first" -ge 60 ] || { echo "only $first% at rank 1"; exit 1; }
for file in ortho.tif map.gpkg map.features report/index.html report/answers.geojson; do [ -s "$tmp/town/$file" ]; done
expect 1 demo --out "$tmp/town"
says err "town: the folder is not empty"
touch "$tmp/town/map.gpkg-journal"
expect 2 demo --out "$tmp/town" --force --seed x
for file in map.gpkg map.gpkg-journal map.features; do [ ! -e "$tmp/town/$file" ]; done
expect 2 demo more
refused "'more' is one argument too many"
