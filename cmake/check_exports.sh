#!/bin/bash
# check_exports.sh LIBRARY HEADER - the shared library exports exactly the names that the header declares.
set -euo pipefail

# The linker adds its own three names if a library it links has them, as GDAL does.
exported=$(nm -D --defined-only "$1" | awk '$2 ~ /[TDBRVW]/ {print $3}' | grep -vxE '_end|_edata|__bss_start' | sort)
declared=$(tr '\n' ' ' < "$2" | grep -o 'GVM_API [^;(]*(' | grep -o 'gvm_[a-z0-9_]*(' | tr -d '(' | sort)
diff <(echo "$declared") <(echo "$exported") ||
    { echo "$1 and $2 differ: < declared only, > exported only"; exit 1; }
