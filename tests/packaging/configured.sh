#!/bin/bash
# configured.sh CMAKE COMPILER - configurations of other systems: a matio whose pkg-config module does or does not name
# HDF5, no HDF5 module at all, another library folder.
set -euo pipefail

cmake=$1 compiler=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset PKG_CONFIG_PATH

# configure NAME OPTION...: without tests and the CUDA module
configure() {
    local name=$1
    shift
    "$cmake" -S . -B "$tmp/$name" -G Ninja -DCMAKE_C_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
        -DGVM_CUDA=OFF "$@" > "$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
}

# links NAME yes|no: whether cvact.c calls HDF5 and the program is linked with it.
links() {
    local calls=no names=no
    "$cmake" --build "$tmp/$1" --target CMakeFiles/parts.dir/src/data/formats/cvact.c.o > "$tmp/log" || { cat "$tmp/log"; exit 1; }
    ! nm "$tmp/$1/CMakeFiles/parts.dir/src/data/formats/cvact.c.o" | grep -q ' U H5' || calls=yes
    ! ninja -C "$tmp/$1" -t commands geoviewmatch | tail -n 1 | grep -qE 'hdf5(_serial)?(\.so| |$)' || names=yes
    [ "$calls" = "$2" ] || { echo "$1: cvact.c calls HDF5: $calls, not $2"; exit 1; }
    [ "$calls" = no ] || [ "$names" = yes ] || { echo "$1: cvact.c calls HDF5, but the program is not linked with it"; exit 1; }
}

# All modules of this system, in folders of our own; matio does not name HDF5 in the first and does in the second.
IFS=: read -ra folders <<< "$(pkg-config --variable pc_path pkg-config)"
mkdir "$tmp/silent" "$tmp/naming" "$tmp/none"
for folder in "${folders[@]}"; do
    for file in "$folder"/*.pc; do
        [ ! -e "$file" ] || cp -n "$file" "$tmp/silent" 2> /dev/null || true
    done
done
cp "$tmp"/silent/*.pc "$tmp/naming"
cp "$tmp"/silent/*.pc "$tmp/none"
sed -i 's/ -L[^ ]*hdf5[^ ]*//; s/ -lhdf5[^ ]*//' "$tmp/silent/matio.pc" "$tmp/none/matio.pc"
rm -f "$tmp"/none/hdf5*.pc
sed -i -E '/^Requires/s/(, *)?\bhdf5[a-z-]*( *[<>=]+ *[0-9.]+)?//g' "$tmp"/none/*.pc
# shellcheck disable=SC2016 # a variable of pkg-config
hdf5=$(pkg-config --silence-errors --libs hdf5-serial || pkg-config --silence-errors --libs hdf5) || hdf5=
sed -i "s|^Libs: .*|Libs: -lmatio $hdf5|" "$tmp/naming/matio.pc"

PKG_CONFIG_LIBDIR=$tmp/none configure none
links none no
if [ -n "$hdf5" ]; then
    for name in silent naming; do
        PKG_CONFIG_LIBDIR=$tmp/$name configure $name
        links $name yes
    done
fi

# The pkg-config file finds its prefix with any library folder.
for libdir in lib lib/some-triplet lib64; do
    configure moved -DCMAKE_INSTALL_LIBDIR=$libdir
    mkdir -p "$tmp/prefix/$libdir/pkgconfig"
    cp "$tmp/moved/geoviewmatch.pc" "$tmp/prefix/$libdir/pkgconfig"
    for variable in prefix: libdir:/$libdir includedir:/include; do
        got=$(PKG_CONFIG_PATH=$tmp/prefix/$libdir/pkgconfig pkg-config --variable="${variable%%:*}" geoviewmatch)
        [ "$(realpath -m "$got")" = "$(realpath "$tmp/prefix")${variable#*:}" ] ||
            { echo "CMAKE_INSTALL_LIBDIR=$libdir: ${variable%%:*} is $got"; exit 1; }
    done
done
