#!/bin/bash
# coverage.sh BUILD JOBS - runs the unit tests and those of the commands in a coverage build, and prints how many of each
# folder's lines they reach; BUILD/coverage/index.html shows which. With TESTS=REGEX only those, added to what ran before.
set -euo pipefail

build=$1 jobs=$2 failed=0
if [ -z "${TESTS:-}" ]; then find "$build" -name '*.gcda' -delete; fi
ctest --preset coverage -j "$jobs" ${TESTS:+-R "$TESTS"} || failed=1

# gcovr 6 and newer stop at a function that stands on two lines, as those do that are compiled once an instruction set.
merge=()
if gcovr --help | grep -q merge-mode-functions; then merge=(--merge-mode-functions=separate); fi
mkdir -p "$build/coverage"
gcovr --root . --filter src/ --filter program/ -j "$jobs" "${merge[@]}" --csv "$build/coverage/files.csv" \
    --html-details "$build/coverage/index.html" "$build"
awk -F, '$1 ~ /^(src|program)\// { folder = $1; sub(/\/[^\/]*$/, "", folder); all[folder] += $2; run[folder] += $3; n += $2; m += $3 }
    END { for (f in all) printf "%-24s %6d of %6d lines  %5.1f%%\n", f, run[f], all[f], 100 * run[f] / all[f]
          if (n > 0) printf "%-24s %6d of %6d lines  %5.1f%%\n", "~", m, n, 100 * m / n }' "$build/coverage/files.csv" |
    LC_ALL=C sort | sed 's/^~  /all/'
[ $failed = 0 ] || { echo "the figures hold, but tests have failed: see above"; exit 1; }
