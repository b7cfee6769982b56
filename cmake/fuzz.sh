#!/bin/bash
# fuzz.sh BUILD SECONDS [NAME...] - run each fuzz target, or the named ones, for SECONDS. Inputs are
# tests/fuzz/corpus_NAME and the findings of earlier runs. New inputs are kept in BUILD/found_NAME, crashing ones as
# BUILD/crash_NAME_*. Prints the executions of this run and of all runs in BUILD.
set -euo pipefail

build=$1 seconds=$2
shift 2
[ $# -gt 0 ] || for target in "$build"/fuzz_*; do
    if [ -f "$target" ] && [ -x "$target" ]; then set -- "$@" "${target##*/fuzz_}"; fi
done
for name; do
    target=$build/fuzz_$name log=$build/fuzz_$name.log
    mkdir -p "$build/found_$name"
    echo "== $name, $seconds seconds"
    LSAN_OPTIONS=suppressions=$PWD/tests/suppressions.txt:print_suppressions=0 "$target" -max_total_time="$seconds" \
        -rss_limit_mb=2048 -timeout=10 -dict=tests/fuzz/json.dict -print_final_stats=1 \
        -artifact_prefix="$build/crash_${name}_" "$build/found_$name" "tests/fuzz/corpus_$name" \
        2> "$log" || { tail -60 "$log"; exit 1; }
    units=$(awk '/^stat::number_of_executed_units/ { print $2 }' "$log")
    all=$((units + $(cat "$build/executed_$name" 2> /dev/null || echo 0)))
    echo "$all" > "$build/executed_$name"
    grep -E '^stat::(average_exec_per_sec|peak_rss_mb)' "$log"
    echo "executions: $units, in all $all"
done
