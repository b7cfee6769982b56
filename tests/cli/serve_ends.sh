#!/bin/bash
# Conditions that must not keep a service from answering or from ending.
. tests/cli/common.bash
command -v python3 > /dev/null || exit 77
expect 0 world --ortho --out "$tmp/town" --metres 200 --pairs 1 --seed 3 --quiet
expect 0 index --raster "$tmp/town/ortho.tif" --out "$tmp/map.gpkg" --quiet
mkdir "$tmp/folder"
python3 tests/serve/ends.py "$GEOVIEWMATCH" "$tmp/map.gpkg" "$tmp"/town/street/*.jpg "$tmp/folder"

# The map's features are truncated while `locate` uses them. If it finishes before that, it gets more photos.
photos=("$tmp"/town/street/*.jpg)
for _ in 1 2 3 4 5 6 7 8; do
    cp "$tmp/map.gpkg" "$tmp/cut.gpkg"
    cp "$tmp/map.features" "$tmp/cut.features"
    "$GEOVIEWMATCH" locate --index "$tmp/cut.gpkg" --quiet --threads 1 "${photos[@]}" > "$tmp/out" 2> "$tmp/err" & pid=$!
    until grep -q cut.features "/proc/$pid/maps" || ! kill -0 $pid; do :; done 2> /dev/null
    truncate -s 5000 "$tmp/cut.features"
    status=0
    wait $pid || status=$?
    [ $status = 0 ] || break
    photos+=("${photos[@]}" "${photos[@]}" "${photos[@]}")
done
[ $status = 1 ] || { echo "locate with a truncated map: status $status"; exit 1; }
refused "cut.features: it "
