#!/bin/bash
# order.sh - each folder includes only from those above it in CONTRIBUTING's table, and no units are in a circle. A unit is
# NAME.c, NAME.h and what else has that name in a folder.
set -euo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

# Folders in their order, then "file:line:header" of each include, then the files themselves.
sed -n 's/^| `\([^`]*\)\/` |.*/\1/p' CONTRIBUTING.md > "$tmp/folders"
files=$(find include src program -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' -o -name '*.def')
grep -noE '^ *# *include "[^"]+"' $files | sed 's/ *# *include "\(.*\)"/\1/' > "$tmp/includes"

awk -F : -v units="$tmp/units" -v files="$files" '
    # The place in the order of the longest folder of the table that a path lies in; 0 for none.
    function rank(path, at) {
        for (at = path; sub("/[^/]*$", "", at);) if (at in order) return order[at]
        return 0
    }
    function unit(path) { sub("[.][a-z]+$", "", path); return path }
    BEGIN { n = split(files, list, /[ \n]+/); for (i = 1; i <= n; i++) there[list[i]] = 1 }
    FILENAME ~ /folders$/ { order[$0] = ++count; next }
    {
        folder = $1; sub("/[^/]*$", "", folder)
        target = ""
        split(folder " src program include", roots, " ")
        for (i = 1; i <= 4 && target == ""; i++) if ((roots[i] "/" $3) in there) target = roots[i] "/" $3
        if (target == "") next # what the build makes, or the system has
        if (rank($1) == 0) { print $1 ": its folder is not in CONTRIBUTING.md"; bad = 1 }
        else if (rank(target) > rank($1)) { print $1 ":" $2 ": " target " lies below it in the order of folders"; bad = 1 }
        if (unit($1) != unit(target)) print unit($1), unit(target) > units
    }
    END { exit bad }' "$tmp/folders" "$tmp/includes" || status=1

# tsort names each circle that it meets, a member a line.
tsort "$tmp/units" 2> "$tmp/circles" > /dev/null || status=1
sed -n 's/^tsort: .*loop:/a circle of units:/p; s/^tsort: \([^:]*\)$/    \1/p' "$tmp/circles"
exit $status
