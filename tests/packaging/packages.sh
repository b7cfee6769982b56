#!/bin/bash
# packages.sh - output and actions of cmake/packages.sh if packages are missing, with fake dpkg, apt and sudo commands
# that keep a record; and `make build` and `make install` install no package.
# shellcheck disable=SC2016 # text of scripts
set -euo pipefail
unset MAKEFLAGS MAKELEVEL

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bin" "$tmp/lists"
for tool in bash env find grep awk mktemp tail rm sh; do ln -s "$(command -v $tool)" "$tmp/bin"; done

# fake NAME: a command NAME, whose script is read from standard input.
fake() { { echo '#!/bin/sh'; cat; } > "$tmp/bin/$1"; chmod +x "$tmp/bin/$1"; }
fake dpkg-query <<< 'for name; do :; done; case " $MISSING " in *" $name "*) exit 1 ;; esac; echo -n installed'
fake apt-cache <<< 'shift; case " $UNKNOWN " in *" $1 "*) exit 0 ;; esac; echo "$1:"; echo "  Candidate: 1"'
fake apt-get <<< 'case "$*" in *--print-uris*) echo "url name 1500000 sum" ;; *) echo "apt-get $*" >> "$RECORD" ;; esac'
fake id <<< 'echo "$WHO"'

# packages STATUS ARGUMENT...: output in $tmp/said, the commands it ran in $tmp/record.
packages() {
    local want=$1 got=0
    shift
    : > "$tmp/record"
    env -i PATH="$tmp/bin" RECORD="$tmp/record" APT_LISTS="$tmp/lists" WHO="$who" MISSING="$missing" UNKNOWN="$unknown" \
        bash cmake/packages.sh "$@" > "$tmp/said" 2>&1 || got=$?
    [ $got = "$want" ] || { echo "status $got, not $want: packages.sh $*"; cat "$tmp/said"; exit 1; }
}
says() { grep -qF -- "$1" "$tmp/said" || { echo "it does not say '$1':"; cat "$tmp/said"; exit 1; }; }
ran() { diff "$tmp/record" - <<< "$1" || { echo "it ran other commands"; exit 1; }; }
ran_nothing() { [ ! -s "$tmp/record" ] || { cat "$tmp/record"; exit 1; }; }

who=1000 missing='' unknown=''
touch "$tmp/lists/debian_main_Packages.lz4"
packages 0 build test
[ ! -s "$tmp/said" ]
packages 2 neither

# Without --install it prints the command and changes nothing.
missing="cmake libvips-dev chromium"
packages 1 build
says "packages are missing: cmake libvips-dev"
says "    sudo apt-get install --no-install-recommends cmake libvips-dev"
ran_nothing
packages 1 build test
says "libvips-dev chromium"
rm "$tmp"/lists/*
packages 1 build
says "    sudo apt-get update && sudo apt-get install --no-install-recommends cmake libvips-dev"
who=0
packages 1 build
says "    apt-get update && apt-get install --no-install-recommends cmake libvips-dev"
ran_nothing

# With --install: as root; without sudo; with sudo.
packages 0 --install build
says "installing cmake libvips-dev: 1 packages, 2 MB to fetch"
ran "apt-get -q update
apt-get -q -y install --no-install-recommends cmake libvips-dev"
who=1000
packages 1 --install build
says "Run as root: apt-get update && apt-get install --no-install-recommends cmake libvips-dev"
ran_nothing
touch "$tmp/lists/debian_main_Packages"
fake sudo <<< 'echo "sudo $*" >> "$RECORD"; "$@"'
packages 0 --install build
says "asking for root (sudo) to install: cmake libvips-dev"
ran "sudo true
sudo apt-get -q update
apt-get -q update
sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends cmake libvips-dev
apt-get -q -y install --no-install-recommends cmake libvips-dev"
fake sudo <<< 'exit 1'
packages 1 --install build
says "Run: sudo apt-get install --no-install-recommends cmake libvips-dev"

# A system without a chromium package: the tests do without it. Build dependencies are always required.
unknown="chromium libvips-dev"
packages 1 build test
says "--no-install-recommends cmake libvips-dev"
if grep -q chromium "$tmp/said"; then cat "$tmp/said"; exit 1; fi
missing=chromium
packages 0 build test
packages 0 --install build test
ran_nothing
packages 1 --offered chromium
packages 0 --offered cmake

# On a system without dpkg, CMake reports what is missing.
rm "$tmp/bin/dpkg-query"
missing="cmake"
packages 0 build test
packages 0 --install build

for target in build debug install check fuzz; do
    make -n --no-print-directory $target > "$tmp/commands"
    if grep -E 'apt|sudo|packages.sh --install' "$tmp/commands"; then echo "make $target installs packages"; exit 1; fi
    grep -qx 'cmake/packages.sh build' "$tmp/commands"
done
for target in deps deps-test demo test; do
    make -n --no-print-directory $target > "$tmp/commands"
    grep -q '^cmake/packages.sh --install build' "$tmp/commands"
done
