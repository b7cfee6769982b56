#!/bin/bash
# Many clients of a service at once, mainly for ThreadSanitizer.
. tests/cli/common.bash
command -v python3 > /dev/null || exit 77
expect 0 world --ortho --out "$tmp/town" --metres 200 --pairs 3 --seed 3 --quiet
expect 0 index --raster "$tmp/town/ortho.tif" --out "$tmp/map.gpkg" --quiet --threads 4
expect 0 locate --index "$tmp/map.gpkg" --quiet --threads 4 "$tmp"/town/street/*.jpg
mkdir "$tmp/folder"
python3 tests/serve/threads.py "$GEOVIEWMATCH" "$tmp/map.gpkg" "$tmp/folder" "$tmp"/town/street/*.jpg
