#!/bin/bash
# gpu_check.sh [RESULTS] - on a machine with an NVIDIA GPU: build, every test that needs one, the layers under
# compute-sanitizer, the benchmarks. One file of results, in ten minutes; each part has a limit of its own, and one that
# fails stops no other. Exit status 1 if a test failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
results=${1:-gpu_results.txt}
build=build-gpu
failed=0
: > "$results"

say() { printf '\n==== %s (%s s)\n' "$1" "$SECONDS" | tee -a "$results"; }
# part LIMIT NAME COMMAND...: its last lines go into the results
part() {
    local limit=$1 name=$2 status=0
    shift 2
    say "$name: $*"
    timeout "$limit" "$@" > "$build/part.log" 2>&1 || status=$?
    tail -n 60 "$build/part.log" >> "$results"
    echo "exit status $status" >> "$results"
    return $status
}

mkdir -p $build
say "machine"
nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit --format=csv >> "$results" 2>&1
nvcc --version 2>&1 | tail -n 2 >> "$results"

part 200 "build" bash -c "cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=Release &&
    cmake --build $build --target geoviewmatch geoviewmatch_cuda test_cuda test_layers_norm test_layers_linear \
        test_layers_attention test_layers_feature test_layers_tape" || { cat "$results"; exit 1; }
export GVM_CUDA_MODULE=$PWD/$build/libgeoviewmatch_cuda.so

for test in norm linear attention feature tape; do
    part 60 "layers: $test" env GVM_LAYER_DEVICE=cuda $build/test_layers_$test || failed=1
done
part 120 "networks" $build/test_cuda || failed=1
part 120 "compute-sanitizer" env GVM_LAYER_DEVICE=cuda \
    compute-sanitizer --error-exitcode 1 $build/test_layers_tape || failed=1

part 90 "bench, bf16" $build/geoviewmatch bench --device cuda --quiet
part 60 "bench, tf32" $build/geoviewmatch bench --device cuda --precision tf32 --no-train --quiet
part 60 "bench, batch 32" $build/geoviewmatch bench --device cuda --batch 32 --rounds 3 --quiet
part 60 "bench, loader" $build/geoviewmatch bench --device cuda --learning --preset nano --gallery 100 --quiet
if command -v nsys > /dev/null; then
    part 90 "kernels" bash -c "nsys profile -o $build/profile --force-overwrite true $build/geoviewmatch bench \
        --device cuda --rounds 2 --quiet && nsys stats --report cuda_gpu_kern_sum $build/profile.nsys-rep"
fi
part 240 "peers" python3 bench/peers.py --device cuda --program $build/geoviewmatch --repeats 5

say "done; tests that failed: $failed"
exit $failed
