#!/bin/bash
# `train` matches PyTorch: 30 steps on the 64 pairs of tests/golden/run, whose pictures have the network's size already,
# compared with the losses and the weights' update from tools/check_training.py --golden.
. tests/cli/common.bash

start=tests/golden/net_narrow.safetensors
learn() {
    expect 0 train --data tests/golden/run --elevation=-36,36 --init $start --augment none \
        --drop-path 0 --shuffle no --batch 16 --epochs 20 --steps 30 --eval-every 0 --quiet "$@"
}

# away RUN: the number of steps, the worst relative difference of a loss, and 1 - cosine of the weights' update.
cat > "$tmp/away.py" <<'END'
import json, math, struct, sys

def tensors(path):
    with open(path, "rb") as file:
        header, data = json.loads(file.read(struct.unpack("<Q", file.read(8))[0])), file.read()
    for name, entry in header.items():
        if name != "__metadata__":
            part = data[slice(*entry["data_offsets"])]
            code = {"F64": "d", "F32": "f", "F16": "e"}[entry["dtype"]]
            yield name, struct.unpack(f"<{len(part) // struct.calcsize(code)}{code}", part)

run, start = sys.argv[1:]
golden, before = dict(tensors("tests/golden/run/golden.safetensors")), dict(tensors(start))
after = dict(tensors(run + "/last.safetensors"))
losses = [json.loads(line)["loss"] for line in open(run + "/log.jsonl")]
assert len(golden["losses"]) == 30 and len(golden) == len(before) + 1
xy = xx = yy = 0
for name, old in before.items():
    for a, b, y in zip(after[name], old, golden["update." + name], strict=True):
        x = a - b
        xy, xx, yy = xy + x * y, xx + x * x, yy + y * y
print(len(losses), max(abs(a / b - 1) for a, b in zip(losses, golden["losses"])), 1 - xy / math.sqrt(xx * yy))
END
away() { python3 "$tmp/away.py" "$1" $start; }

learn --out "$tmp/run"
away "$tmp/run" | tee "$tmp/out"
awk '{ exit !($1 == 30 && $2 < 1e-4 && $3 < 1e-3) }' "$tmp/out" || { echo "too far from PyTorch"; exit 1; }

# The check detects a wrong rho: 2.4 instead of 2.5 shows within five steps.
learn --out "$tmp/other" --rho 2.4 --steps 5
away "$tmp/other" | tee "$tmp/out"
awk '{ exit !($1 == 5 && $2 > 1e-3) }' "$tmp/out" || { echo "another rho gives the same losses"; exit 1; }
