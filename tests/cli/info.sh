#!/bin/bash
# `info` describes every file that the program writes, and files of others; also as JSON.
. tests/cli/common.bash
program=$(realpath "$GEOVIEWMATCH")

# json FILE EXPRESSION: a Python expression that holds for the output of `info --json`.
json() {
    expect 0 info --json "$1"
    python3 -c "import json, sys; i = json.load(open(sys.argv[1])); assert $2, i" "$tmp/out"
}

expect 0 info nano
says out "nano: GeoViewMatch weights" "parameters     2942780"
json nano 'i["kind"] == "weights" and i["file"] == "nano" and len(i["fingerprint"]) == 16'

mkdir "$tmp/data"
cp -r $demo/street $demo/aerial "$tmp/data"
{
    echo id,street,aerial,lat,lon,split
    for i in 1 2 3 4; do
        for set in train test; do echo "$set$i,street/$i.png,aerial/$i.png,4$i.5,8.25,$set"; done
    done
} > "$tmp/data/pairs.csv"
expect 0 train --data "$tmp/data" --init tests/golden/net_narrow.safetensors --batch 2 --epochs 4 --eval-every 2 --steps 5 \
    --quiet --out "$tmp/run" --cache "$tmp/pictures"
for of in "" /state.safetensors; do
    expect 0 info "$tmp/run$of"
    says out "$tmp/run$of: the state of a training run" "steps          5" "epoch          2 of 4" "best R@1       " \
        "data set       $tmp/data" "batch          2 pairs" "cache          $tmp/pictures"
    json "$tmp/run$of" 'i["kind"] == "run" and i["steps"] == 5 and i["evaluated"] and i["data"].endswith("/data")'
done
(cd "$tmp/run" && "$program" info state.safetensors > /dev/null)
expect 0 info "$tmp/run"
says out "network        best.safetensors" "network        last.safetensors"
expect 0 info "$tmp/run/log.jsonl"
says out "log.jsonl: the log of a training run" "steps          5" "evaluations    1" "R@1 "
json "$tmp/run/log.jsonl" 'i["kind"] == "log" and i["steps"] == 5 and i["evaluations"] == 1 and "best_recall_1" in i'
printf '{"step": 6, "epo' >> "$tmp/run/log.jsonl"
json "$tmp/run/log.jsonl" 'i["steps"] == 5'
printf '{"step": no\n' > "$tmp/log"
expect 1 info "$tmp/log"
refused "$tmp/log: line 1 is not a line of a training log"
cp "$tmp/run/state.safetensors" "$tmp/other.safetensors"
expect 1 info "$tmp/other.safetensors"
refused "it is the state of a training run; rename it to state.safetensors"
expect 0 info "$tmp/pictures"
says out "pictures: a cache of decoded pictures (--cache), complete, "
json "$tmp/pictures" 'i["kind"] == "cache" and i["complete"]'

expect 0 eval --data "$tmp/data" --weights "$tmp/run" --quiet --matches "$tmp/matches.csv" --gallery-picture "$tmp/five.png"
json "$tmp/matches.csv" 'i["kind"] == "a list of matches" and i["lines"] == 4'
json "$tmp/five.png" 'i["kind"] == "picture" and i["format"] == "PNG" and i["width"] > 100'
expect 1 check --data "$tmp/data" --list "$tmp/found.csv" --quiet
expect 0 info "$tmp/found.csv"
says out "a list of findings of \`check --list\`"
expect 0 embed --view aerial --out "$tmp/f" $demo/aerial/1.png
json "$tmp/f" 'i["kind"] == "tensors" and i["metadata"]["view"] == "aerial"'

# A town's orthophoto, its map and the map's features; one of its photos, as WebP and as JPEG.
expect 0 world --out "$tmp/town" --ortho --metres 200 --pairs 1 --turn yes --quiet
expect 0 index --raster "$tmp/town/ortho.tif" --out "$tmp/map.gpkg" --quiet
expect 0 info "$tmp/town/ortho.tif"
says out "ortho.tif: a TIFF picture of " ", georeferenced: \`index --raster\` builds a map from it" "covers         latitude 4" "pixel          0.25 m"
json "$tmp/town/ortho.tif" 'i["kind"] == "picture" and 0.2 < i["pixel_m"] < 0.3 and i["box"][1] < 45 < i["box"][3]'
expect 0 info "$tmp/town/street/000001.jpg"
says out "a JPEG picture of 640 x 160 pixels" "GPS position   4" "heading        "
json "$tmp/town/street/000001.jpg" '"lat" in i and "heading" in i and "box" not in i'
expect 0 info "$tmp/map.features"
says out "the features of a map, " " rows of 2304 numbers"
json "$tmp/map.features" 'i["kind"] == "map features" and i["features"] == 2304 and i["rows"] > 0'
json "$tmp/map.gpkg" 'i["kind"] == "map"'
printf '<!DOCTYPE html><meta name="generator" content="GeoViewMatch 1">' > "$tmp/index.html"
json "$tmp/index.html" 'i["kind"] == "report"'

# Files of others are recognised by their content, not by their name.
stranger() { # stranger BYTES WORDS...
    printf "$1" > "$tmp/stranger.safetensors"
    shift
    expect 1 info "$tmp/stranger.safetensors"
    refused "$tmp/stranger.safetensors: it is not a file that GeoViewMatch writes; it looks like " "$@"
    expect 1 info --json "$tmp/stranger.safetensors"
    lines out 0
}
stranger '\200\2}q' "a Python pickle" torch.save
printf 'PK\3\4\24\0' > "$tmp/stranger.safetensors" # any zip file may be PyTorch's
expect 1 info "$tmp/stranger.safetensors"
refused "$tmp/stranger.safetensors: " "it is truncated, or not a zip file"
stranger '%%PDF-1.7\n' PDF
stranger '\211HDF\r\n\32\n' HDF5
stranger 'MATLAB 5.0 MAT-file' MATLAB
stranger '\37\213\10\0' gzip
for kind in 'ftypheic:HEIC picture' 'ftypavif:unsupported format AVIF'; do
    printf "\0\0\0\30${kind%:*}" > "$tmp/stranger.safetensors"
    expect 1 info "$tmp/stranger.safetensors"
    refused "${kind#*:}" "convert it to JPEG"
done
stranger 'GIF89a' GIF
stranger 'a day of work\n' text
stranger 'a,b\n1,2\n' "a list (CSV)"
stranger '{"a": 1}' JSON
stranger '<!DOCTYPE html><title>' "a web page"
expect 1 info "$program"
refused "it looks like a program"
for start in '\211PNG\r\n\32\n' '\377\330\377' 'II*\0' 'GVMpics\0' 'RIFF\0\0\0\0WEBP' 'SQLite format 3\0' '\0\1\2' '\10\0\0\0\0\0\0\0'; do
    printf "$start" > "$tmp/cut"
    expect 1 info "$tmp/cut"
    refused "$tmp/cut: "
done
expect 1 info "$tmp/data"
refused "$tmp/data: it is a folder, but not one of a training run; it looks like a data set, which \`check --data\` describes"
expect 1 info "$tmp/town/street"
refused "it is a folder, but not one of a training run"
