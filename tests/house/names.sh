#!/bin/bash
# names.sh - the documents name files that are there, docs/model.md's tables functions that stand in their files, and the
# glossary options and public names that there are.
set -euo pipefail

status=0
complain() { echo "$1"; status=1; }

# Paths in backticks; NAME, FOLDER and * stand for any.
for page in README.md CONTRIBUTING.md docs/*.md docs/decisions/*.md; do
    while IFS=: read -r line path; do
        pattern=$(sed -E 's/NAME|FOLDER/*/g' <<< "${path//\`/}")
        compgen -G "${pattern%/}" > /dev/null || complain "$page:$line: there is no $path"
    done < <(grep -noE '`(bench|cmake|examples|include|models|program|src|tests|tools)/[A-Za-z0-9_./*-]+`' "$page")
done

# The last cell of a row: `file` `function`, `function`; `file` ... A function begins its line, and its name the bracket.
while IFS=: read -r line cell; do
    file=
    for word in $(grep -oE '`[A-Za-z0-9_./*-]+`' <<< "$cell" | tr -d '`'); do
        case $word in
        */*) file=$word ;;
        *) grep -qE "^[a-z].*[ *]$word\(" "$file" || complain "docs/model.md:$line: $file has no function $word" ;;
        esac
    done
done < <(awk -F '|' '/^\|/ && $(NF - 1) ~ /src\// {print NR ":" $(NF - 1)}' docs/model.md)

while IFS=: read -r line word; do
    case $word in
    --*) grep -rqwE -- "(--|\")${word#--}" program/cli src/train || complain "docs/glossary.md:$line: no command has $word" ;;
    *) grep -qwF -- "$word" include/geoviewmatch.h || complain "docs/glossary.md:$line: the header has no $word" ;;
    esac
done < <(grep -noE '`(--[a-z-]+|(gvm|GVM)_[A-Za-z_]+)' docs/glossary.md | tr -d '`')
exit $status
