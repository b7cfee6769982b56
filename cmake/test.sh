#!/bin/bash
# test.sh JOBS PRESET... - builds each preset and runs its tests; with GVM_WERROR=ON a warning is an error. One that fails
# stops no other, and the last lines report what passed and what failed in each. A preset NAME-clang becomes NAME, built
# with gcc, if clang is not installed. Exit status 1 if anything failed.
set -euo pipefail

# Tests interrupt commands with SIGINT, which a shell in the background makes them ignore.
if [ -z "${GVM_INTERRUPTIBLE:-}" ]; then GVM_INTERRUPTIBLE=1 exec env --default-signal=INT "$0" "$@"; fi

jobs=$1
shift
python=${PYTHON:-python3}
summary="" built=()
total_passed=0 total_failed=0 total_skipped=0

# add NAME PASSED FAILED SKIPPED [FAILED TEST...]: a line of the summary
add() {
    local name=$1 passed=$2 failed=$3 skipped=$4
    shift 4
    summary+="$name: $passed passed, $failed failed, $skipped skipped"$'\n'
    [ $# = 0 ] || summary+="    failed: $*"$'\n'
    total_passed=$((total_passed + passed)) total_failed=$((total_failed + failed))
    total_skipped=$((total_skipped + skipped))
}

build() {
    local options=(-DBUILD_TESTING=ON)
    [ -z "${GVM_WERROR:-}" ] || options+=("-DGVM_WERROR=$GVM_WERROR")
    cmake --preset "$1" "${options[@]}" > /dev/null && cmake --build --preset "$1" -j "$jobs"
}

# Two more tests than cores, because some wait. A line of ctest: "12/83 Test #12: NAME .....   Passed    0.10 sec".
run() {
    local log options=()
    log=$(mktemp)
    [ "$1" != release ] || options=(-LE '^sanitized$') # scripts of commands that the sanitizers' build runs
    ctest --preset "$1" "${options[@]}" -j $((jobs + 2)) | tee "$log" || true
    # shellcheck disable=SC2046 # the counts and names are words
    add "$1" $(awk '/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
            sub(/^.*#[0-9]+: /, "")
            if ($0 ~ /\*\*\*Skipped/) skipped++; else if ($0 ~ /^[^ ]+ \.+ +Passed/) passed++
            else failed[++n] = $1
        }
        END { printf "%d %d %d", passed, n, skipped; for (i = 1; i <= n; i++) printf " %s", failed[i] }' "$log")
    rm "$log"
}

for preset; do
    if [[ $preset = *-clang ]] && ! command -v clang > /dev/null; then
        summary+="$preset: built with gcc, as clang is not installed"$'\n'
        preset=${preset%-clang}
    fi
    if build "$preset"; then
        built+=("$preset")
    else
        add "$preset" 0 1 0 "its build"
    fi
done
for preset in "${built[@]}"; do run "$preset"; done
if "$python" -c 'import timm' 2> /dev/null; then
    if make --no-print-directory golden; then add golden 1 0 0; else add golden 0 1 0 "make golden"; fi
else
    summary+="golden: left out, as it needs PyTorch and timm (tools/requirements.txt)"$'\n'
fi

printf '\n%s' "$summary"
echo "$total_passed passed, $total_failed failed, $total_skipped skipped"
[ $total_failed = 0 ]
