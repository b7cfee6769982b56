#!/bin/bash
# fuzz.sh BUILD SECONDS - run each fuzz target so long from its first inputs in tests/fuzz/corpus_NAME. What it finds
# on the way stays in BUILD, and so does an input that ends it.
set -euo pipefail

for target in "$1"/fuzz_*; do
    if [ ! -f "$target" ] || [ ! -x "$target" ]; then continue; fi
    name=${target##*/fuzz_}
    corpus=$1/found_$name
    mkdir -p "$corpus"
    echo "== $name, $2 seconds"
    LSAN_OPTIONS=suppressions=$PWD/tests/suppressions.txt "$target" -max_total_time="$2" -rss_limit_mb=2048 \
        -timeout=10 -dict=tests/fuzz/json.dict -print_final_stats=1 \
        -artifact_prefix="$1/crash_${name}_" "$corpus" "tests/fuzz/corpus_$name" \
        2> "$1/fuzz_$name.log" || { tail -60 "$1/fuzz_$name.log"; exit 1; }
    grep -E '^stat::(number_of_executed_units|average_exec_per_sec|peak_rss_mb)|DONE' "$1/fuzz_$name.log"
done
