#!/bin/bash
# Training of a network that takes photos of any field of view: its losses, that a resumed run gives the same bits, and
# what its options refuse.
. tests/cli/common.bash

narrow=tests/golden/net_narrow.safetensors
# Its weights in the same network with visibility.
expect 0 info "$narrow" --json
python3 -c 'import json, sys
config = json.load(open(sys.argv[1]))["config"]
json.dump({**config, "visible": True, "wrap": True}, open(sys.argv[2], "w"))' "$tmp/out" "$tmp/config.json"
expect 0 init --from "$narrow" --config "$tmp/config.json" --out "$tmp/begin.safetensors"
begin="train --data tests/golden/run --init $tmp/begin.safetensors --batch 8 --epochs 5 --eval-every 2 --rho 0 --hard 4 --quiet
    --rate 1e-3 --rate-new 1e-3 --tolerance 12 --street-jitter 0.2"
log() { sed 's/, "pairs_per_s.*//' "$1/log.jsonl"; }

expect 0 $begin --out "$tmp/whole"
says out "epoch 2: R@1 " "; strips of 90 degrees: R@1 " "best R@1 so far"
python3 - "$tmp/whole/log.jsonl" <<'END'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
steps = [line for line in lines if "loss" in line]
found = [line for line in lines if "R@1" in line]
weights = {"loss_con": .5, "loss_ret1": .5, "loss_ret2": .5, "loss_view1": .25, "loss_view2": .25, "loss_agree": .5}
assert len(found) == 3 and all("R@1 of 90 degrees" in line for line in found)
for step in steps:
    total = sum(weight * step[key] for key, weight in weights.items()) / 2.5
    assert abs(total - step["loss"]) < 1e-5 * total, step
END
expect 0 info "$tmp/whole/last.safetensors" --json
python3 - "$tmp/out" <<'END'
import json, sys
config = json.load(open(sys.argv[1]))["config"]
assert config["visible"] is True and config["wrap"] is True and config["heading_tolerance"] == 12, config
END

# In parts: within an epoch with hard batches by views, and after one.
for steps in 5 16; do
    expect 0 $begin --out "$tmp/parts$steps" --steps $steps
    expect 0 train --resume "$tmp/parts$steps" --quiet
    for file in last.safetensors best.safetensors state.safetensors; do cmp "$tmp/whole/$file" "$tmp/parts$steps/$file"; done
    diff <(log "$tmp/whole") <(log "$tmp/parts$steps")
done

# Trained further it keeps its tolerance.
expect 0 train --data tests/golden/run --init "$tmp/whole/last.safetensors" --batch 8 --epochs 1 --out "$tmp/more" --quiet \
    --view-weight 0.25 --agreement-weight 0 --contrast no
grep -q '"loss_con": 0, .*"loss_agree": ' "$tmp/more/log.jsonl"
expect 0 info "$tmp/more/last.safetensors" --json
grep -q '"heading_tolerance": 12' "$tmp/out"

# A new network, and options for networks that cannot.
expect 0 train --data tests/golden/run --preset nano-photo --batch 8 --epochs 1 --steps 1 --eval-every 0 --out "$tmp/new" \
    --elevation=-45,45 --quiet
expect 0 info "$tmp/new/last.safetensors" --json
grep -q '"heading_tolerance": 9' "$tmp/out"
for option in --tolerance --view-weight --panorama-weight --agreement-weight --contrast-weight; do
    expect 1 train --data tests/golden/run --init $narrow $option 1 --out "$tmp/no"
    refused "$option does not apply"
done
expect 1 train --data tests/golden/run --init "$tmp/begin.safetensors" --out "$tmp/no" --view-weight 0 --panorama-weight 0 \
    --agreement-weight 0 --contrast-weight 0
refused "the weights of all losses are 0"
[ ! -e "$tmp/no" ]
