#!/bin/bash
# make_nano.sh PROGRAM FOLDER - train models/nano.safetensors again: two drawn towns, 11,500 pairs, cameras up to 20 and
# 23 m off the tiles' centres. Two hours on two cores with AVX2; goes on where it was stopped.
set -euo pipefail
program=$1 folder=$2
mkdir -p "$folder/towns"

town() { # NUMBER PAIRS OFFSET TEST
    [ -e "$folder/towns/$1/pairs.csv" ] ||
        "$program" world --out "$folder/towns/$1" --force --pairs "$2" --seed "$1" --offset "$3" --test "$4"
}
town 1 9000 20 5
town 2 2500 23 0
# Both in one list; the second a degree further north, so that they are no neighbours.
{
    head -1 "$folder/towns/1/pairs.csv"
    for n in 1 2; do
        tail -n +2 "$folder/towns/$n/pairs.csv" | awk -F, -v OFS=, -v n=$n '{
            $1 = n "-" $1; $2 = n "/" $2; $3 = n "/" $3
            if (n == 2) { $4 = sprintf("%.8f", $4 + 1); $8 = sprintf("%.8f", $8 + 1) }
            print }'
    done
} > "$folder/towns/pairs.csv"

common=(--batch 64 --rate 1.5e-3 --rate-new 1.5e-3 --rho 0 --drop-path 0 --blur 0.2 --grey 0.1 --jitter 0.25)
train() { # RUN STEPS OPTIONS...
    local run=$folder/$1 steps=$2
    shift 2
    if [ -e "$run/state.safetensors" ]; then
        "$program" train --resume "$run" --steps "$steps"
    else
        "$program" train --out "$run" --steps "$steps" "${common[@]}" "$@"
    fi
}
# First pictures from everywhere in the first town, at nearly the full rate; then neighbourhoods of both towns, which are
# harder to tell apart.
train first 628 --data "$folder/towns/1" --preset nano --cache "$folder/first.cache" --epochs 24 --eval-every 2
train second 2580 --data "$folder/towns" --init "$folder/first/last.safetensors" --cache "$folder/second.cache" \
    --cluster 250 --epochs 15 --eval-every 1
"$program" init --from "$folder/second/best.safetensors" --float16 --out models/nano.safetensors
