#!/bin/bash
# What must not keep a service from answering, and from ending.
. tests/cli/common.bash
command -v python3 > /dev/null || exit 77
expect 0 world --ortho --out "$tmp/town" --metres 200 --pairs 1 --seed 3 --quiet
expect 0 index --raster "$tmp/town/ortho.tif" --out "$tmp/map.gpkg" --quiet
mkdir "$tmp/folder"
python3 tests/serve/ends.py "$GEOVIEWMATCH" "$tmp/map.gpkg" "$tmp"/town/street/*.jpg "$tmp/folder"
