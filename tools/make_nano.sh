#!/bin/bash
# make_nano.sh PROGRAM FOLDER - train models/nano.safetensors again: three drawn towns, 16,000 pairs, cameras at most
# 20, 23 and 0 m from the tiles' centres. Six hours on two cores with AVX2; can be interrupted and continued.
set -euo pipefail
program=$1 folder=$2
mkdir -p "$folder/towns"

. "$(dirname "$0")/towns.bash"
town 1 9000 20 5
town 2 2500 23 0
town 3 4500 0 0

train() { # RUN STEPS OPTIONS...
    local run=$folder/$1 steps=$2
    shift 2
    if [ -e "$run/state.safetensors" ]; then
        "$program" train --resume "$run" --steps "$steps"
    else
        "$program" train --out "$run" --steps "$steps" --rho 0 --drop-path 0 --blur 0.2 --grey 0.1 --jitter 0.25 "$@"
    fi
    touch "$run/done"
}
# Batches from all of the first town, at nearly the full rate.
[ -e "$folder/first/done" ] ||
    train first 628 --data "$folder/towns/1" --preset nano --cache "$folder/first.cache" --epochs 24 --eval-every 2 \
        --batch 64 --rate 1.5e-3 --rate-new 1.5e-3
# Neighbourhoods of two towns, which are harder to distinguish.
if [ ! -e "$folder/second/done" ]; then
    list 2 > "$folder/towns/pairs.csv"
    train second 2580 --data "$folder/towns" --init "$folder/first/last.safetensors" --cache "$folder/second.cache" \
        --epochs 15 --eval-every 1 --batch 64 --rate 1.5e-3 --rate-new 1.5e-3 --cluster 250
fi
# All three, in larger batches, mirrored and with other colours: first by neighbourhoods, then the pairs it confuses.
varied=(--batch 128 --rate 1.8e-3 --rate-new 1.8e-3 --mirror 0.5 --street-jitter 0.2)
if [ ! -e "$folder/third/done" ]; then
    list 3 > "$folder/towns/pairs.csv"
    train third 183 --data "$folder/towns" --init "$folder/second/last.safetensors" --cache "$folder/third.cache" \
        --epochs 18 --eval-every 1 --cluster 250 "${varied[@]}"
fi
[ -e "$folder/fourth/done" ] ||
    train fourth 1694 --data "$folder/towns" --init "$folder/third/last.safetensors" --cache "$folder/third.cache" \
        --epochs 14 --eval-every 1 --hard 32 "${varied[@]}"
# Once more with a lower rate and another order.
varied=(--batch 128 --rate 1e-3 --rate-new 1e-3 --mirror 0.5 --street-jitter 0.2)
[ -e "$folder/fifth/done" ] ||
    train fifth 847 --data "$folder/towns" --init "$folder/fourth/last.safetensors" --cache "$folder/third.cache" \
        --epochs 7 --eval-every 1 --hard 32 --seed 2 "${varied[@]}"
"$program" init --from "$folder/fifth/last.safetensors" --float16 --out models/nano.safetensors
