#!/bin/bash
# order.sh OBJECT... - each folder includes only from those above it in CONTRIBUTING's table, and no source files call
# each other in a circle.
set -euo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

# The folders in order, all files, and "file:line:header" of each include.
sed -n 's/^| `\([^`]*\)\/` |.*/\1/p' CONTRIBUTING.md > "$tmp/folders"
find include src program -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' -o -name '*.def' | sort > "$tmp/files"
xargs grep -HnoE '^ *# *include "[^"]+"' < "$tmp/files" | sed 's/ *# *include "\(.*\)"/\1/' > "$tmp/includes"

awk -F : '
    # The table row of the longest folder that a path is in; 0 for none.
    function rank(path) {
        while (sub("/[^/]*$", "", path)) if (path in order) return order[path]
        return 0
    }
    FILENAME ~ /folders$/ { order[$0] = ++count; next }
    FILENAME ~ /files$/ {
        there[$0] = 1
        if (rank($0) == 0) { print $0 ": its folder is not in the table of CONTRIBUTING.md"; bad = 1 }
        next
    }
    {
        folder = $1; sub("/[^/]*$", "", folder)
        target = ""
        split(folder " src program include", roots, " ")
        for (i = 1; i <= 4 && target == ""; i++) if ((roots[i] "/" $3) in there) target = roots[i] "/" $3
        if (rank(target) <= rank($1)) next # also files that the build makes or the system has
        print $1 ":" $2 ": " target " lies below it in the order of folders"
        bad = 1
    }
    END { exit bad }' "$tmp/folders" "$tmp/files" "$tmp/includes" || status=1

# "A B" if A uses a name that B defines. tsort prints the members of each circle it finds.
nm -A "$@" | sed 's|^[^:]*[.]dir/[./]*||; s|[.]o:[ 0-9a-f]*| |' | awk '
    $2 ~ /[TDBRVC]/ { home[$3] = $1 }
    $2 == "U" { lacks[$1, $3] = 1 }
    END { for (pair in lacks) { split(pair, p, SUBSEP); if (p[2] in home) print p[1], home[p[2]] } }' | sort -u > "$tmp/calls"
tsort "$tmp/calls" 2> "$tmp/circles" > /dev/null || status=1
sed -n 's/^tsort: .*loop:$/a circle of calls:/p; s/^tsort: \([^:]*\)$/    \1/p' "$tmp/circles"
exit $status
