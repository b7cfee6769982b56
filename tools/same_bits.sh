#!/bin/bash
# same_bits.sh PROGRAM [PROGRAM ...] - digests of a program's results, to compare two builds: features of the built-in
# weights on a drawn town's tiles and panoramas, and the weights and log of one epoch of training.
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: same_bits.sh PROGRAM [PROGRAM ...]" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
programs=()
for program; do programs+=("$(realpath "$program")"); done
cd "$tmp" # a file of features contains the paths of its pictures
"${programs[0]}" world --out town --pairs 96 --test 20 --seed 5 --quiet
for program in "${programs[@]}"; do
    run=run
    rm -rf "$run"
    find town -name '*.jpg' -path '*aerial*' | sort > aerial
    find town -name '*.jpg' -path '*street*' | sort > street
    for view in aerial street; do
        xargs -a "$view" "$program" embed --view "$view" --out "$view.f" --force --quiet > /dev/null
    done
    "$program" train --data town --out "$run" --preset nano --epochs 1 --batch 8 --seed 3 --threads 2 --quiet > out 2>&1 ||
        { cat out >&2; exit 1; }
    echo "$program"
    echo "  features of $(wc -l < aerial) tiles       $(sha256sum < aerial.f | cut -c 1-16)"
    echo "  features of $(wc -l < street) panoramas   $(sha256sum < street.f | cut -c 1-16)"
    echo "  fingerprint after an epoch  $("$program" info --json "$run/last.safetensors" | sed -n 's/.*"fingerprint": *"\([^"]*\)".*/\1/p')"
    echo "  its losses                  $(sed 's/, "pairs_per_s.*//' "$run/log.jsonl" | sha256sum | cut -c 1-16)"
done
