#!/bin/bash
# Requests as bytes: none is lost, each ends at the right byte, and forms are accepted as clients write them.
. tests/cli/common.bash
command -v python3 > /dev/null || exit 77
expect 0 world --ortho --out "$tmp/town" --metres 200 --pairs 1 --seed 3 --quiet
expect 0 index --raster "$tmp/town/ortho.tif" --out "$tmp/map.gpkg" --quiet

count=400
if grep -q __asan_init "$GEOVIEWMATCH"; then count=80; fi
python3 tests/serve/wire.py "$GEOVIEWMATCH" "$tmp/map.gpkg" "$tmp"/town/street/*.jpg $count
