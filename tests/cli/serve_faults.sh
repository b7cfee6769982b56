#!/bin/bash
# Malicious and faulty clients; the service keeps answering others.
. tests/cli/common.bash
command -v python3 > /dev/null || exit 77
expect 0 world --ortho --out "$tmp/town" --metres 200 --pairs 1 --seed 3 --quiet
expect 0 index --raster "$tmp/town/ortho.tif" --out "$tmp/map.gpkg" --quiet

connections=10000
if grep -q __asan_init "$GEOVIEWMATCH"; then connections=1000 MEMORY=asan; fi
export MEMORY=${MEMORY-}
python3 tests/serve/faults.py "$GEOVIEWMATCH" "$tmp/map.gpkg" "$tmp"/town/street/*.jpg $connections
