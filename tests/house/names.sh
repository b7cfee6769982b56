#!/bin/bash
# names.sh - paths in the documents, the functions of docs/model.md's equations, and the glossary's options and public
# names exist; links lead to existing pages and headings; the README is short.
set -euo pipefail

status=0
complain() { echo "$1"; status=1; }

pages=(*.md docs/*.md docs/decisions/*.md)

# Paths in backticks; NAME, FOLDER and * stand for any name. The list of changes also names former files.
for page in "${pages[@]}"; do
    [ "$page" != CHANGELOG.md ] || continue
    while IFS=: read -r line path; do
        pattern=$(sed -E 's/NAME|FOLDER/*/g' <<< "${path//\`/}")
        compgen -G "${pattern%/}" > /dev/null || complain "$page:$line: there is no $path"
    done < <(grep -noE '`(bench|cmake|examples|include|models|program|src|tests|tools)/[A-Za-z0-9_./*-]+`' "$page")
done

# Each equation of a page names its file and functions: in the last cell of a table headed "file, function", or in lines
# that begin "In `". A cell is `file` `function`, `function`; `file` ... In the file, the function's name and its
# opening bracket are in a line that is not indented.
check_functions() {
    local line cell word file named
    while IFS=$'\t' read -r line cell; do
        file='' named=yes
        for word in $(grep -oE '`[A-Za-z0-9_./*-]+`' <<< "$cell" | tr -d '`'); do
            case $word in
            */*)
                [ "$named" ] || echo "$1:$line: $file has no function beside it"
                file=$word named=
                [ -f "$file" ] || echo "$1:$line: there is no $file" ;;
            *)
                named=yes
                [ ! -f "$file" ] || grep -qE "^[a-z].*[ *]$word\(" "$file" || echo "$1:$line: $file has no function $word" ;;
            esac
        done
        [ "$file" ] || echo "$1:$line: it names no file"
        [ "$named" ] || echo "$1:$line: $file has no function beside it"
    done < <(awk -F '|' '
        !/^\|/ { table = 0 }
        /^\|/ && $(NF - 1) ~ /file, function/ { table = 1; next }
        table && !/^\|-/ { print NR "\t" $(NF - 1) }
        /^In `/ { print NR "\t" $0 }' "$1")
}
while read -r complaint; do complain "$complaint"; done < <(check_functions docs/model.md)

# A test of the check itself: five wrong rows and two correct ones.
wrong=$(mktemp)
trap 'rm -f "$wrong"' EXIT
cat > "$wrong" << 'END'
| what | file, function |
|---|---|
| right | `src/layers/triplet.c` `triplet_cpu`; `src/geo/earth.h` `metres_between` |
| a wrong function | `src/layers/triplet.c` `triplet_gpu` |
| a wrong file | `src/layers/triplets.c` `triplet_cpu` |
| no function | `src/layers/triplet.c` |
| no function for the first | `src/layers/triplet.c`; `src/layers/norm.c` `layer_norm_cpu` |
| nothing | |

In `src/layers/triplet.c` `triplet_cpu`.
END
[ "$(check_functions "$wrong" | cut -d : -f 2 | tr '\n' ' ')" = "4 5 6 7 8 " ] ||
    complain "tests/house/names.sh: it does not find what is wrong with a table"

# Links inside the project: [text](path#heading). A heading's anchor is its words in lower case, joined by hyphens.
anchors() {
    sed '/^```/,/^```/d' "$1" | sed -nE 's/^#+ +//p' | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}
for page in "${pages[@]}"; do
    while IFS=: read -r line link; do
        target=${link#*](} target=${target%)}
        case $target in http* | mailto*) continue ;; esac
        file=$page
        [ "${target%%#*}" = "" ] || file=$(dirname "$page")/${target%%#*}
        [ -e "$file" ] || { complain "$page:$line: the link leads nowhere: $target"; continue; }
        [[ $target != *'#'* ]] || anchors "$file" | grep -qxF -- "${target#*#}" ||
            complain "$page:$line: $file has no heading for $target"
    done < <(grep -noE '\]\([^)]*\)' "$page")
done

while IFS=: read -r line word; do
    case $word in
    --*) grep -rqwE -- "(--|\")${word#--}" program/cli src/train || complain "docs/glossary.md:$line: no command has $word" ;;
    *) grep -qwF -- "$word" include/geoviewmatch.h || complain "docs/glossary.md:$line: the header has no $word" ;;
    esac
done < <(grep -noE '`(--[a-z-]+|(gvm|GVM)_[A-Za-z_]+)' docs/glossary.md | tr -d '`')

# The README is an overview, the guide the manual; and words that the documents once used for if, reports and N.
[ "$(wc -l < README.md)" -lt 120 ] || complain "README.md: 120 lines or more; what is for users belongs into docs/guide.md"
while read -r found; do complain "$found: say reports, shows, N, ignores or parsed"; done \
    < <(grep -noiwE 'so many|tells?|takes? no notice|taken apart' "${pages[@]}" || true)
exit $status
