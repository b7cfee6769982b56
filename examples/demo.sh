#!/bin/bash
# demo.sh [PROGRAM] - street pictures of a made-up town, and where they were taken: the whole way from a picture to a
# coordinate, with a small network. tools/make_demo.py drew the pictures in examples/demo.
set -euo pipefail

program=${1:-build/geoviewmatch}
demo=$(dirname "$0")/demo
weights=$(mktemp -d)/nano.safetensors
trap 'rm -r "$(dirname "$weights")"' EXIT

run() { # without the temporary folder's name
    echo "\$ geoviewmatch $*" | sed "s|$(dirname "$weights")/||g"
    "$program" "$@" | sed "s|$(dirname "$weights")/||g"
    echo
}

run init --preset nano --out "$weights"
run locate --weights "$weights" --tiles "$demo/tiles.csv" --top 2 "$demo"/street/{1,2,3,4}.png
cat <<'END'
This ran all of it: the pictures were read, turned north and cropped, the network made numbers of them, the tiles
were searched. Panorama N was taken in tile N, and the answers above are no better than chance: these weights have
learned nothing yet. Trained ones go into --weights in their place.
END
