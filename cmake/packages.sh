#!/bin/bash
# packages.sh build|test... - check that the Debian packages for building (testing) are installed. If not, name the
# missing ones, print the command that installs them, and exit with status 1. It changes nothing.
# packages.sh --install build|test... - install the missing ones; asks for root (sudo) only then.
# packages.sh --offered PACKAGE - whether this system's apt has the package.
#
# Without dpkg the check passes, and CMake reports what it does not find.
set -euo pipefail
export LC_ALL=C

declare -A packages=(
    # ocl-icd-opencl-dev: Debian's oneDNN asks CMake for OpenCL.
    [build]="gcc libc6-dev cmake ninja-build pkgconf libdnnl-dev ocl-icd-opencl-dev libgomp1 libglib2.0-dev libvips-dev
             libjansson-dev libmatio-dev libproj-dev libgdal-dev libsqlite3-dev libmicrohttpd-dev
             libjs-leaflet"
    # Tests do without those that a system does not offer, such as Ubuntu chromium: they say what they skip.
    [test]="g++ clang libclang-rt-dev clang-format clang-tidy lld gcovr libcmocka-dev python3 curl openssl chromium"
)

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ] ||
        { [ "$1" = pkgconf ] && command -v pkg-config > /dev/null; } # provided by the older pkg-config
}
has_lists() { [ -n "$(find "${APT_LISTS:-/var/lib/apt/lists}" -name '*_Packages*' -print -quit 2> /dev/null)" ]; }
is_offered() { [[ $(apt-cache policy "$1" 2> /dev/null) == *"Candidate: "[!\(]* ]]; }

# missing SET...: set the array `wanted`. A package for tests is left out if apt has lists and does not offer it.
missing() {
    local package set
    wanted=()
    for set; do
        for package in ${packages[$set]}; do
            is_installed "$package" || { [ "$set" = test ] && has_lists && ! is_offered "$package"; } ||
                wanted+=("$package")
        done
    done
}

# command_line ROOT: the command to type; ROOT is "sudo " or empty.
command_line() {
    has_lists || echo -n "$1apt-get update && "
    echo "$1apt-get install --no-install-recommends ${wanted[*]}"
}

# quietly COMMAND...: write its output to a file, and print the end of it if the command fails.
quietly() {
    "$@" < /dev/null > "$log" 2>&1 || { tail -n 30 "$log"; echo "$* failed"; return 1; }
}

install() {
    local root=() size
    if [ "$(id -u)" != 0 ]; then
        command -v sudo > /dev/null || { echo "packages are missing. Run as root: $(command_line "")"; return 1; }
        echo "asking for root (sudo) to install: ${wanted[*]}"
        sudo true || { echo "they are not installed. Run: $(command_line "sudo ")"; return 1; }
        root=(sudo)
    fi
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    quietly "${root[@]}" apt-get -q update
    missing "$@"
    [ ${#wanted[@]} -gt 0 ] || return 0
    size=$(apt-get install --no-install-recommends --print-uris -qq "${wanted[@]}" |
        awk '{n++; bytes += $3} END {printf "%d packages, %.0f MB to fetch", n, bytes / 1e6}')
    echo "installing ${wanted[*]}: $size; this takes minutes"
    quietly "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "${wanted[@]}"
}

action=check
case ${1:-} in
--install) action=install; shift ;;
--offered) is_offered "$2"; exit ;;
esac
for set; do
    [ -n "${packages[$set]:-}" ] || { echo "packages.sh: '$set' is neither build nor test" >&2; exit 2; }
done
command -v dpkg-query > /dev/null || exit 0

missing "$@"
[ ${#wanted[@]} -gt 0 ] || exit 0
if [ $action = install ]; then
    install "$@"
    exit
fi
sudo="sudo "
[ "$(id -u)" != 0 ] || sudo=
printf '%s\n' "packages are missing: ${wanted[*]}" "\`make deps\` installs them, and so does this command:" "" \
    "    $(command_line "$sudo")" "" >&2
exit 1
