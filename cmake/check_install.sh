#!/bin/bash
# check_install.sh CMAKE BUILD COMPILER - what is installed is enough to compile and link against, from C and C++.
set -euo pipefail

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
"$1" --install "$2" --prefix "$root" > "$root/log"
pc=$(find "$root" -name geoviewmatch.pc)
export PKG_CONFIG_PATH=${pc%/*}
flags=$(pkg-config --define-variable=prefix="$root" --cflags --libs geoviewmatch)

cat > "$root/use.c" <<'END'
#include <geoviewmatch.h>
int main(void) { return gvm_version()[0] == 0; }
END
# shellcheck disable=SC2086 # flags are words
"$3" -Wall -Werror -o "$root/use" "$root/use.c" $flags
LD_LIBRARY_PATH=${PKG_CONFIG_PATH%/pkgconfig} "$root/use"
# shellcheck disable=SC2086
"$3" -Wall -Werror -o "$root/locate" examples/locate.c $flags
LD_LIBRARY_PATH=${PKG_CONFIG_PATH%/pkgconfig} "$root/locate" nano examples/demo/tiles.csv examples/demo/street/1.png
case $("$3" --version) in *clang*) "$3" -x c++ -fsyntax-only "$root/use.c" -I"$root/include" ;; esac
[ ! -e "$root/bin/geoviewmatch" ] || "$root/bin/geoviewmatch" --version
