#!/bin/bash
# `--device cuda`: one sentence says what is missing. With the CUDA module compiled for the CPU (CUDA_HOST), train,
# --resume, eval, embed and heatmap give the results of the CPU.
. tests/cli/common.bash

[ -n "${CUDA_HOST:-}" ] || { echo "skipped: no C++ compiler for the CUDA module, or sanitizers"; exit 77; }
start=tests/golden/net_four.safetensors
picture=tests/golden/run/street/00.png

export GVM_CUDA_MODULE=/nowhere
expect 1 embed --weights $start --view aerial --out "$tmp/f" --device cuda $picture
refused "libgeoviewmatch_cuda.so, is not installed beside the program"
export GVM_CUDA_MODULE=$CUDA_HOST
GVM_CUDA_HOST_DEVICE=driver expect 1 embed --weights $start --view aerial --out "$tmp/f" --device cuda $picture
refused "the NVIDIA driver is missing or too"
GVM_CUDA_HOST_DEVICE=none expect 1 train --data tests/golden/run --out "$tmp/none" --device cuda
refused "no usable NVIDIA GPU"
[ ! -e "$tmp/none" ] || { echo "it left a folder"; exit 1; }
expect 2 bench --search --device cuda
refused "--search runs on the CPU"

# train, interrupted and resumed; the losses of both devices side by side
learn() {
    expect 0 train --data tests/golden/run --init $start --augment none --shuffle no --batch 2 --epochs 20 \
        --eval-every 0 --quiet "$@"
}
learn --out "$tmp/cpu" --steps 4
learn --out "$tmp/gpu" --steps 2 --device cuda --precision fp32
expect 0 train --resume "$tmp/gpu" --steps 4 --quiet --precision fp32 --device cuda
cat > "$tmp/same.py" <<'END'
import json, sys
a, b = ([json.loads(line)["loss"] for line in open(f"{run}/log.jsonl")] for run in sys.argv[1:])
assert len(a) == len(b) == 4 and max(abs(x / y - 1) for x, y in zip(a, b)) < 1e-4, (a, b)
END
python3 "$tmp/same.py" "$tmp/cpu" "$tmp/gpu"
# hard batches, whose order follows from the weights at the start of each epoch: four pairs, two epochs
cp -r tests/golden/run "$tmp/four"
head -n 5 tests/golden/run/pairs.csv > "$tmp/four/pairs.csv"
hard="--data $tmp/four --hard 2 --shuffle yes --epochs 2"
learn $hard --out "$tmp/hard.cpu"
learn $hard --out "$tmp/hard.gpu" --device cuda --precision fp32
python3 "$tmp/same.py" "$tmp/hard.cpu" "$tmp/hard.gpu"

# eval: the same table
for device in cpu cuda; do
    expect 0 eval --data tests/golden/run --weights $start --json --quiet --device $device --precision fp32
    grep '"R@' "$tmp/out" > "$tmp/eval.$device"
done
cmp "$tmp/eval.cpu" "$tmp/eval.cuda"

# embed and heatmap: pictures of another size than the network's, so a drawn one
expect 0 embed --weights $start --view aerial --out "$tmp/f.safetensors" --device cuda --quiet tests/golden/run/aerial/0[0-2].png
expect 0 heatmap --weights $start --view aerial --stage 3 --out "$tmp/cpu.png" --quiet tests/golden/run/aerial/00.png
expect 0 heatmap --weights $start --view aerial --stage 3 --out "$tmp/gpu.png" --quiet --device cuda --precision fp32 \
    tests/golden/run/aerial/00.png
cmp "$tmp/cpu.png" "$tmp/gpu.png" || echo "the heat maps differ by rounding"
