#!/bin/bash
# check_abi.sh COMPILER HEADER RECORD - the public header's structs, enumerators and functions are as recorded, so that
# a program compiled with an older header of the same MAJOR.MINOR keeps working. With `--record` as the first argument
# it writes the record.
#
# Allowed within a MAJOR.MINOR: new members at the end of a struct that begins with `size`, beyond its former sizeof;
# new enumerators and functions. Every other change raises GVM_VERSION_MINOR, with a line in CHANGELOG.md. Then record
# again:
#     bash cmake/check_abi.sh --record cc include/geoviewmatch.h tests/golden/abi.txt
set -euo pipefail

if [ "$1" = --record ]; then shift; record=yes; else record=no; fi
compiler=$1 header=$2 golden=$3
[ "$(getconf LONG_BIT)" = 64 ] || exit 77 # recorded on 64-bit machines
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One declaration per line, without comments and directives.
plain() {
    sed -e 's|//.*||' "$header" | tr '\n' '\001' | sed -e 's|/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/||g' | tr '\001' '\n' |
        sed -e '/^#/d' -e '/^ *\\/d' -e '/extern "C"/d' | tr -s ' \n' ' ' | sed -e 's/; *\([a-zA-Z]\)/;\n\1/g'
}

# A program that prints the offsets and sizes of the structs' members and the values of the enumerators.
plain > "$work/plain"
tr '\n' ' ' < "$work/plain" | grep -o 'enum [a-z_]*{[^}]*}\|enum [a-z_]* {[^}]*}\|enum {[^}]*}' | grep -o 'GVM_[A-Z_0-9]*' |
    LC_ALL=C sort -u | sed 's|.*|    printf("enum %s %d\\n", "&", (int)&);|' > "$work/enums"
tr '\n' ' ' < "$work/plain" | grep -o 'typedef struct gvm_[a-z_]* {[^}]*}' |
    awk '{
        name = $3; body = $0
        sub(/^[^{]*{/, "", body); sub(/}$/, "", body)
        printf "    printf(\"struct %s %%zu\\n\", sizeof(%s));\n", name, name
        n = split(body, members, ";")
        for (i = 1; i <= n; i++) {
            m = split(members[i], names, ",")
            if (members[i] ~ /\(\*/) { m = 1; sub(/^.*\(\*/, "", members[i]); sub(/\).*/, "", members[i]); names[1] = members[i] }
            for (k = 1; k <= m; k++) {
                member = names[k]
                sub(/\[.*/, "", member); sub(/ *$/, "", member); sub(/^.*[ *]/, "", member)
                if (member != "") printf "    printf(\"  %s.%s %%zu %%zu\\n\", offsetof(%s, %s), sizeof(((%s *)0)->%s));\n", name, member, name, member, name, member
            }
        }
    }' > "$work/structs"
{
    printf '#include <stddef.h>\n#include <stdio.h>\n#include "%s"\nint main(void)\n{\n' "$(realpath "$header")"
    cat "$work/enums" "$work/structs"
    printf '    return 0;\n}\n'
} > "$work/abi.c"
"$compiler" -o "$work/abi" "$work/abi.c"
{
    "$work/abi"
    tr '\n' ' ' < "$work/plain" | grep -o 'typedef [^(){};]* gvm_[a-z_]*([^()]*)' | sed 's/  */ /g'
    tr '\n' ' ' < "$work/plain" | grep -o 'GVM_API [^()]*([^()]*)' | sed -e 's/^GVM_API //' -e 's/  */ /g' | LC_ALL=C sort
} > "$work/now"
for kind in '^struct' '^enum' '^typedef' ' gvm_[a-z_]*(\|\*gvm_[a-z_]*('; do
    grep -q "$kind" "$work/now" || { echo "$header: nothing like $kind was found in it"; exit 1; }
done
if [ $record = yes ]; then cp "$work/now" "$golden"; fi
diff "$golden" "$work/now" || { echo "$header differs from $golden; cmake/check_abi.sh says what may change"; exit 1; }
