#!/bin/bash
# gpu_check.sh - on a machine with an NVIDIA GPU: build, run every test that needs one, benchmarks, compute-sanitizer, a
# profile and the peers, in ten minutes. Each part has its own time limit. A failing part does not stop the others; a
# part that would start too late is skipped. results.txt and the output of each part are written as they come, to the
# folder $OUT or build-gpu/results.
#
#   GVM_BUILD        a finished build to use instead of building here: its folder, or an archive of its program, tests
#                    and their libraries that was made elsewhere with
#                        gpu_check.sh --pack BUILD ARCHIVE.tar.xz
#   GVM_DEBUG_BUILD  another build, with guard bands, whose test_cuda also runs
#
# Exit status 1 if a test failed or was skipped.
# shellcheck disable=SC2086 # lists of layers and the program's options are words
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
layers="norm linear attention feature tape pool decoupled"
whole=590 # seconds

# Pack the binaries and the libraries they load, except those of the C library, the driver and CUDA.
pack() {
    local from=$1 archive=$2 room name
    room=$(mktemp -d) && mkdir "$room/lib" || return 1
    for name in geoviewmatch test_cuda libgeoviewmatch_cuda.so $(printf 'test_layers_%s ' $layers); do
        [ ! -e "$from/$name" ] || strip -o "$room/$name" "$from/$name" || return 1
    done
    ldd "$room"/[gt]* | awk '$2 == "=>" { print $3 }' | sort -u |
        grep -vE '/(ld-linux|lib(c|m|dl|rt|pthread|resolv|stdc\+\+|gcc_s|cuda|cublas[A-Za-z]*))[-.]' |
        xargs cp -L -t "$room/lib" && tar -C "$room" -cf - . | xz -T2 > "$archive"
    rm -r "$room"
}
if [ "${1:-}" = --pack ]; then
    pack "$2" "$3"
    exit
fi

results=${OUT:-build-gpu/results}
build=$(realpath -m "${GVM_BUILD:-build-gpu}")
failed=0
mkdir -p "$results" build-gpu
: > "$results/results.txt"

say() { printf '\n==== %s (%s s)\n' "$1" "$SECONDS" | tee -a "$results/results.txt"; }
# part LIMIT NAME COMMAND...: the end of the output goes to results.txt, all of it to NAME.log
part() {
    local limit=$1 name=$2 status=0 log
    log=$results/${2//[ :,]/_}.log
    shift 2
    [ "$limit" -lt $((whole - SECONDS)) ] || limit=$((whole - SECONDS))
    if [ "$limit" -lt 5 ]; then
        say "$name: skipped, because the ten minutes are over"
        return 125
    fi
    say "$name: $*"
    timeout "$limit" "$@" > "$log" 2>&1 || status=$?
    tail -n 60 "$log" >> "$results/results.txt"
    echo "exit status $status" | tee -a "$results/results.txt"
    return $status
}
try() { part "$@" || failed=1; }

say "machine"
nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit --format=csv \
    >> "$results/results.txt" 2>&1
for folder in /usr/local/cuda/bin /usr/local/cuda/lib64; do # if a shell or the loader does not search them
    [ -d $folder ] || continue
    case $folder in
    *bin) PATH=$PATH:$folder ;;
    *) export LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} ;;
    esac
done

case $build in
*.tar.xz)
    mkdir -p build-gpu/carried && tar -C build-gpu/carried -xf "$build" || exit 1
    build=$PWD/build-gpu/carried ;;
esac
if [ -n "${GVM_BUILD:-}" ]; then
    [ -x "$build/test_cuda" ] || { say "GVM_BUILD, $build, is not a finished build: it has no test_cuda."; exit 1; }
    [ ! -d "$build/lib" ] || export LD_LIBRARY_PATH=$build/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
else
    missing=
    for tool in nvcc cmake ninja pkg-config cc c++; do command -v $tool > /dev/null || missing+=" $tool"; done
    for package in vips jansson matio proj gdal sqlite3 glib-2.0 libmicrohttpd cmocka; do
        pkg-config --exists $package 2> /dev/null || missing+=" $package"
    done
    if [ -n "$missing" ]; then
        say "This machine cannot build the program: it lacks$missing. Set GVM_BUILD to a build made elsewhere."
        exit 1
    fi
    part 250 "build" bash -c "cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=Release &&
        cmake --build $build --target geoviewmatch geoviewmatch_cuda test_cuda \
            $(printf 'test_layers_%s ' $layers)" || exit 1
fi
export GVM_CUDA_MODULE=$build/libgeoviewmatch_cuda.so
export CUBLASLT_LOG_LEVEL=1 # log errors; there should be none

for layer in $layers; do try 90 "layers: $layer" env GVM_LAYER_DEVICE=cuda "$build/test_layers_$layer"; done
try 150 "networks" "$build/test_cuda"
if [ -n "${GVM_DEBUG_BUILD:-}" ]; then
    try 150 "networks, guard bands" env GVM_CUDA_MODULE="$GVM_DEBUG_BUILD/libgeoviewmatch_cuda.so" \
        "$GVM_DEBUG_BUILD/test_cuda"
fi

program="$build/geoviewmatch bench --device cuda --quiet"
part 90 "bench, bf16" $program
part 60 "bench, tf32" $program --precision tf32 --no-train
part 60 "bench, batch 32" $program --batch 32 --rounds 3
part 60 "bench, loader" $program --learning --preset nano --gallery 100
# which kernel each product uses, and into how many parts its sum is split
part 60 "products" env CUBLASLT_LOG_LEVEL=2 CUBLASLT_LOG_FILE="$results/cublaslt.log" GVM_CUDA_EAGER=1 $program \
    --rounds 1

if command -v compute-sanitizer > /dev/null; then
    # a tool that runs into its limit (124) has found nothing so far
    for tool in memcheck racecheck; do
        part 60 "compute-sanitizer, $tool" env GVM_LAYER_DEVICE=cuda compute-sanitizer --tool $tool --error-exitcode 1 \
            "$build/test_layers_attention"
        case $? in 0 | 124 | 125) ;; *) failed=1 ;; esac
    done
else
    say "compute-sanitizer is not installed"
fi
if command -v nsys > /dev/null; then # step by step: of a replayed graph it reports only the total
    part 60 "kernels" bash -c "GVM_CUDA_EAGER=1 nsys profile -o $results/profile --force-overwrite true $program \
        --rounds 1 && nsys stats --report cuda_gpu_kern_sum $results/profile.nsys-rep"
else
    say "nsys is not installed"
fi
for peer in "PyTorch" "PyTorch compiled"; do # one at a time: figures are printed at the end
    part 120 "peers, $peer" python3 bench/peers.py --device cuda --program "$build/geoviewmatch" --repeats 5 \
        --peers "$peer"
done

say "done; failed tests: $failed"
exit $failed
