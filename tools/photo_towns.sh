#!/bin/bash
# photo_towns.sh PROGRAM FOLDER - drawn towns for training a network for photos: FOLDER/train, eight towns of a square
# kilometre with 1,500 photos each and a ninth with 500 for testing, and FOLDER/unseen, a larger one for evaluation.
# Each town has its own season, sun and flight. Can be interrupted and continued.
set -euo pipefail
program=$1 folder=$2
mkdir -p "$folder/train/imagery"

town() { # FOLDER SEED PHOTOS METRES TEST: with its own position, also in its UTM zone
    [ -e "$1/photos.csv" ] ||
        "$program" world --photos --out "$1" --force --seed "$2" --pairs "$3" --metres "$4" --test "$5" --pixel 0.3 \
            --projection utm --origin "$((44 + $2 % 10)).$2,-$((25 + $2 % 5)).5"
}
for seed in 2 3 4 5 6 7 8 9; do town "$folder/train/$seed" "$seed" 1500 1640 0; done
town "$folder/train/12" 12 500 1240 100
town "$folder/unseen" 77 1000 2000 100

# One folder: the towns' lists merged into one, and their imagery side by side.
cd "$folder/train"
{
    head -1 2/photos.csv
    for seed in 2 3 4 5 6 7 8 9 12; do
        ln -f "$seed/imagery/ortho.tif" "imagery/$seed.tif"
        tail -n +2 "$seed/photos.csv" | sed "s|^|$seed/|"
    done
} > photos.csv.part
mv photos.csv.part photos.csv
