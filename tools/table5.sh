#!/bin/bash
# table5.sh PROGRAM FOLDER [EPOCHS] - the four rows of the paper's Table 5 with the small network: features of stage 4
# or of stages 4 and 3, without and with the contrastive loss; same drawn town, epochs and seed. Some minutes per row on
# two cores.
set -euo pipefail
program=$1 folder=$2 epochs=${3:-8}
mkdir -p "$folder"
[ -e "$folder/town/pairs.csv" ] || "$program" world --out "$folder/town" --force --pairs 4500 --seed 3 --test 0
[ -e "$folder/unseen/pairs.csv" ] || "$program" world --out "$folder/unseen" --force --pairs 1000 --seed 77 --test 100

echo "| stages | contrastive loss | R@1 | R@5 | R@10 = R@1% |"
echo "|---|---|---|---|---|"
for stages in 4 4,3; do
    for contrast in no yes; do
        run=$folder/stages-$stages-contrast-$contrast
        if [ -e "$run/state.safetensors" ]; then
            "$program" train --resume "$run" > "$run.log"
        else
            "$program" train --out "$run" --data "$folder/town" --cache "$folder/town.cache" --preset nano \
                --stages $stages --contrast $contrast --epochs "$epochs" --eval-every 0 --batch 64 --rate 1.5e-3 \
                --rate-new 1.5e-3 --rho 0 --drop-path 0 --blur 0.2 --grey 0.1 --jitter 0.25 > "$run.log"
        fi
        "$program" eval --data "$folder/unseen" --cache "$folder/unseen.cache" --weights "$run/last.safetensors" \
            --json --quiet |
            python3 -c 'import json, sys; e = json.load(sys.stdin)
print("| %s | %s | %.1f | %.1f | %.1f |" % (*sys.argv[1:], e["R@1"], e["R@5"], e["R@10"]))' $stages $contrast
    done
done
