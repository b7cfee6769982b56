#!/bin/bash
# man.sh PROGRAM PAGE - write the program's description of its commands into the manual page, between the two marks.
set -euo pipefail
text=$(mktemp)
trap 'rm -f "$text"' EXIT
"$1" help --man > "$text"
sed -i -e '/^\.\\" From here/r '"$text" -e '/^\.\\" From here/,/^\.\\" To here/{/^\.\\" /!d}' "$2"
