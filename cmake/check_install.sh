#!/bin/bash
# check_install.sh CMAKE BUILD COMPILER - the installed files suffice to compile, link and run from C and C++, under any
# prefix, and with the commands of the README and the user guide.
set -euo pipefail

cmake=$1 build=$(realpath "$2") compiler=$3
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
unset DESTDIR PKG_CONFIG_PATH LD_LIBRARY_PATH

install_to() { "$cmake" --install "$build" --prefix "$1" > "$root/log"; }

# uses PREFIX: compile a program and the example with the flags from pkg-config, and run them.
cat > "$root/use.c" <<'END'
#include <geoviewmatch.h>
int main(void) { return gvm_version()[0] == 0; }
END
uses() {
    local pc libdir flags source
    pc=$(find "$1" -name geoviewmatch.pc)
    export PKG_CONFIG_PATH=${pc%/*}
    for variable in prefix includedir libdir; do
        [[ $(realpath "$(pkg-config --variable=$variable geoviewmatch)") = "$1"* ]] ||
            { echo "$variable is not in $1: $(pkg-config --variable=$variable geoviewmatch)"; exit 1; }
    done
    flags=$(pkg-config --cflags --libs geoviewmatch)
    libdir=$(pkg-config --variable=libdir geoviewmatch)
    for source in "$root/use.c" examples/locate.c; do
        # shellcheck disable=SC2086 # flags are words
        "$compiler" -Wall -Werror -o "$root/program" "$source" $flags "-Wl,-rpath,$libdir"
        "$root/program" nano examples/demo/tiles.csv examples/demo/street/1.png > "$root/out"
    done
    grep -q "[0-9]\.[0-9]" "$root/out"
    unset PKG_CONFIG_PATH
    [ ! -e "$1/bin/geoviewmatch" ] || "$1/bin/geoviewmatch" --version > /dev/null
}

install_to "$root/one"
uses "$root/one"
install_to "$root/deeper/two"
rm -r "$root/one"
uses "$root/deeper/two"
mv "$root/deeper/two" "$root/moved"
uses "$root/moved"

# CMake's find_package finds it too.
mkdir "$root/find"
cat > "$root/find/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.22)
project(use LANGUAGES C)
find_package(geoviewmatch 0.2 REQUIRED CONFIG)
add_executable(use $PWD/examples/locate.c)
target_link_libraries(use PRIVATE geoviewmatch::geoviewmatch)
END
{
    "$cmake" -S "$root/find" -B "$root/find/build" -DCMAKE_PREFIX_PATH="$root/moved" -DCMAKE_C_COMPILER="$compiler"
    "$cmake" --build "$root/find/build"
} > "$root/log" 2>&1 || { cat "$root/log"; exit 1; }
"$root/find/build/use" nano examples/demo/tiles.csv examples/demo/street/1.png > "$root/out"
grep -q "[0-9]\.[0-9]" "$root/out"

DESTDIR=$root/stage install_to /usr # as for a package
uses "$root/stage/usr"
case $("$compiler" --version) in *clang*) "$compiler" -x c++ -fsyntax-only "$root/use.c" -I"$root/moved/include" ;; esac

# installed.sh, run by `make install`, prints what a prefix other than the system's needs.
install_to "$root/three"
bash cmake/installed.sh "$build" > "$root/said"
grep -qF "PKG_CONFIG_PATH=$root/three/lib" "$root/said"

# The commands of the README and the user guide, in a folder with the files they name. Their `cc`, `sudo` and `make` are
# the functions below.
awk '/^```$/ {if (on && block ~ /pkg-config/) printf "%s", block; on = 0} on {block = block $0 "\n"}
     /^```sh$/ {on = 1; block = ""}' README.md docs/guide.md > "$root/lines"
[ "$(grep -c "examples/locate.c" "$root/lines")" = 2 ]
mkdir "$root/work" "$root/home"
ln -s "$PWD/examples" "$root/work"
"$build/geoviewmatch" index --tiles examples/demo/tiles.csv --out "$root/work/map.gpkg" --quiet > /dev/null
cp examples/demo/street/1.png "$root/work/panorama.jpg"
cat > "$root/run" <<'END'
cc() { "$COMPILER" "$@"; }
sudo() { "$@"; }
make() {
    [ "$1" = install ]
    case ${2:-} in PREFIX=*) prefix=${2#PREFIX=} ;; *) prefix=$HOME/local ;; esac
    "$CMAKE" --install "$BUILD" --prefix "$prefix" > /dev/null
}
export PKG_CONFIG_PATH=$HOME/local/lib/pkgconfig LD_LIBRARY_PATH=$HOME/local/lib # stands for the loader's search path
make install
. "$LINES_OF_README"
END
(cd "$root/work" && HOME=$root/home COMPILER=$compiler CMAKE=$cmake BUILD=$build LINES_OF_README=$root/lines \
    bash -eu "$root/run") > "$root/out" || { cat "$root/out" "$root/lines"; exit 1; }
grep -q "[0-9]\.[0-9]" "$root/out"
