#!/bin/bash
# make_photo_weights.sh PROGRAM FOLDER - train the built-in weights further, so that they take photos of any field of view
# with unknown headings: on the three drawn towns of make_nano.sh, 16,000 pairs. Can be interrupted and continued. Then it
# measures them, and the weights that it began with, in a town not used in training.
#
# In the environment: EPOCHS (default 10), PAIRS of the three towns ("9000 2500 4500") and of the town that is measured
# (TEST_PAIRS, 1000), BATCH (128), INIT (nano), and OPTIONS, further ones of `train`.
set -euo pipefail
program=$1 folder=$2
mkdir -p "$folder/towns"
. "$(dirname "$0")/towns.bash"
read -r -a pairs <<< "${PAIRS:-9000 2500 4500}"
read -r -a options <<< "${OPTIONS:-}"

town 1 "${pairs[0]}" 20 5
town 2 "${pairs[1]}" 23 0
town 3 "${pairs[2]}" 0 0
run=$folder/photo
if [ ! -e "$run/done" ]; then
    if [ -e "$run/state.safetensors" ]; then
        "$program" train --resume "$run"
    else
        list 3 > "$folder/towns/pairs.csv"
        "$program" init --from "${INIT:-nano}" --preset nano-photo --force --out "$folder/begin.safetensors"
        "$program" train --data "$folder/towns" --init "$folder/begin.safetensors" --cache "$folder/photo.cache" \
            --out "$run" --epochs "${EPOCHS:-10}" --eval-every 1 --batch "${BATCH:-128}" --rate 1e-3 --rate-new 1e-3 \
            --rho 0 --drop-path 0 --blur 0.2 --grey 0.1 --jitter 0.25 --mirror 0.5 --street-jitter 0.2 --hard 32 \
            "${options[@]}"
    fi
    touch "$run/done"
fi
"$program" init --from "$run/best.safetensors" --float16 --force --out "$folder/photo.safetensors"

town 77 "${TEST_PAIRS:-1000}" 0 100
for weights in "$folder/photo.safetensors" "${INIT:-nano}"; do
    "$program" eval --data "$folder/towns/77" --weights "$weights" --fov 360,180,90,70 --heading both \
        --cache "$folder/77-$(basename "$weights" .safetensors).cache"
done
