#!/bin/bash
# lengths.sh - no source has more than 500 lines, except the public header, and no function in C or CUDA more than 60,
# including its braces' lines.
set -euo pipefail

find src program tests bench tools examples cmake \
    -regex '.*\.\(c\|h\|cu\|cuh\|cpp\|sh\|bash\|py\|js\|css\|cmake\|def\)' -print0 | sort -z | xargs -0 awk '
    FNR == 1 { if (file != "") finish(); file = FILENAME; name = "" }
    { lines = FNR }
    file ~ /[.](c|h|cu|cuh|cpp)$/ && /^[A-Za-z_]/ { name = $0; sub(/[(].*/, "", name); sub(/.*[ *]/, "", name) }
    /^{/ && file ~ /[.](c|h|cu|cuh|cpp)$/ { from = FNR }
    /^}$/ && from { if (FNR - from + 1 > 60) { print file ":" from ": " name " has " FNR - from + 1 " lines"; bad = 1 }; from = 0 }
    function finish() { if (lines > 500) { print file ": " lines " lines"; bad = 1 }; from = 0 }
    END { finish(); exit bad }'
