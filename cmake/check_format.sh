#!/bin/bash
# check_format.sh CLANG_FORMAT - `make format` would change nothing. Releases of clang-format format differently: the
# sources follow Debian 12's, and the check is skipped with any other.
set -euo pipefail

version=$("$1" --version)
case $version in *"version 14."*) ;; *) echo "skipped: $version, the sources are formatted with 14"; exit 77 ;; esac
find src program include tests examples \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' -o -name '*.cpp' \) -print0 |
    xargs -0 "$1" --dry-run -Werror
