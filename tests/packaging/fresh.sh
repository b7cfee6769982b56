#!/bin/bash
# fresh.sh 12|13 [--keep] [--folder DIR] [--mirror URL] [--no-test] - what a new user meets on a Debian that has only
# make, git and certificates. The committed HEAD is cloned into it. `make build` must name the missing packages and
# install nothing. Then `make demo`, `make test` with that Debian's gcc and clang, `make install` with the README's
# example, and `serve`, which must answer each of 200 pictures. Prints times and sizes; exit status 1 if anything
# failed.
#
# Needs root, debootstrap, a network and 4 GB, so `make test` does not run it: run it before a release, on each Debian.
#
#   --keep        keep the system's folder, and print its path
#   --folder DIR  make it there instead of in /var/tmp
#   --mirror URL  get packages from there, or from $DEBIAN_MIRROR; default: the mirror that this system's apt uses
#   --no-test     skip `make test`
#
# All mounts and processes are in namespaces that end with the script. Inside, dpkg does not sync the disk.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 2; }
[ $# -ge 1 ] || usage
case $1 in 12) suite=bookworm ;; 13) suite=trixie ;; *) usage ;; esac
debian=$1 keep='' parent=/var/tmp mirror=${DEBIAN_MIRROR:-} tests=yes
shift
while [ $# -gt 0 ]; do
    case $1 in
    --keep) keep=yes ;;
    --folder) parent=$2; shift ;;
    --mirror) mirror=$2; shift ;;
    --no-test) tests='' ;;
    *) usage ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || { echo "fresh.sh needs root"; exit 1; }
command -v debootstrap > /dev/null || { echo "fresh.sh needs debootstrap: apt-get install debootstrap"; exit 1; }
# shellcheck disable=SC2016 # apt's variable. The Debian mirror among this system's sources; debootstrap has a default.
[ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
    sed -n 's|\(.*/debian\)/*$|\1|p' | sort -u | sed -n 1p)

root=$(mktemp -d -p "$parent" "debian$debian.XXXXXX")
chmod 755 "$root"
finish() {
    if [ -n "$keep" ]; then echo "the system is in $root"; else rm -rf --one-file-system "$root"; fi
}
trap finish EXIT

echo "Debian $debian ($suite) in $root"
from=$SECONDS
debootstrap --variant=minbase --include=make,git,ca-certificates "$suite" "$root" ${mirror:+"$mirror"} > "$root.log" 2>&1 ||
    { tail -n 20 "$root.log"; rm "$root.log"; exit 1; }
rm "$root.log"
rm -f "$root"/var/cache/apt/archives/*.deb
echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
echo "debootstrap: $((SECONDS - from)) s, $(du -sxm "$root" | cut -f 1) MB"
git clone -q --no-hardlinks . "$root/root/geoviewmatch"
git -C "$root/root/geoviewmatch" checkout -q "$(git rev-parse HEAD)"

# Inside. Each step has a log. If it fails, the end of the log is printed, and the other steps run as far as they can.
cat > "$root/root/steps" <<'END'
set -uo pipefail
cd /root/geoviewmatch
mkdir /root/logs
failures=() summary=()

TIMEFORMAT='%0R %0U %0S'
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# step NAME COMMAND...: 0 on success
step() {
    local name=$1 status=0 took wall user system
    shift
    { time "$@" > "/root/logs/$name" 2>&1; } 2> /root/timing || status=$?
    read -r wall user system < /root/timing
    took="$(clock "$wall"), $(clock "$((user + system))") of a core"
    if [ $status = 0 ]; then
        echo "$name: $took"
    else
        failures+=("$name")
        echo "$name: FAILED with status $status after $took; its last lines:"
        tail -n 40 "/root/logs/$name" | sed 's/^/    /'
    fi
    summary+=("$(printf '%-14s %-26s  %s' "$name" "$took" "$([ $status = 0 ] && echo good || echo FAILED)")")
    return $status
}
disk() { du -sxm / --exclude=/proc --exclude=/dev --exclude=/root/logs 2> /dev/null | cut -f 1; }
fetched() { find /var/cache/apt/archives -name '*.deb' -printf '%s\n' | awk '{s += $1} END {printf "%.0f", s / 1e6}'; }
note() { summary+=("$1"); echo "$1"; }

# No package is installed: `make build` must say so, print a command, and leave the system unchanged.
refuses() {
    local before after
    before=$(dpkg -l | sha256sum)
    ! make build || return 1
    after=$(dpkg -l | sha256sum)
    [ "$before" = "$after" ]
}
refuses_well() { refuses && grep -q '^    apt-get .*install --no-install-recommends .*libvips-dev' /root/logs/refusal; }

# Each of the 200 requests is sent once.
serves() {
    local address photos i answered=0 server
    build/geoviewmatch serve --index build/demo/map.gpkg --port 0 --quiet > /root/address & server=$!
    while [ ! -s /root/address ]; do kill -0 $server || return 1; sleep 0.2; done
    address=$(cat /root/address)
    photos=(build/demo/street/*.jpg)
    for ((i = 0; i < 200; i++)); do
        curl -sSf -F "picture=@${photos[i % ${#photos[@]}]}" "${address}v1/locate" > /root/answer &&
            grep -q '"answers":\[{' /root/answer && answered=$((answered + 1))
    done
    kill $server
    wait $server || echo "serve ended with status $?"
    echo "$answered of 200 pictures were answered"
    [ $answered = 200 ]
}

# The library in /usr/local, as the README describes.
installs() {
    make install &&
        cc examples/locate.c $(pkg-config --cflags --libs geoviewmatch) -o /root/locate &&
        /root/locate nano build/demo/map.gpkg build/demo/street/000001.jpg
}

empty=$(disk)
step refusal refuses_well
step packages make deps && note "packages to build: $(fetched) MB fetched, $(($(disk) - empty)) MB on disk"
step build make build
if step demo make demo; then
    grep 'whose place is known' /root/logs/demo
    step install installs
    apt-get -q -y install --no-install-recommends curl < /dev/null > /root/logs/curl 2>&1
    step serve serves
    note "$(tail -n 1 /root/logs/serve)"
fi
if [ -n "${TESTS:-}" ]; then
    step packages-test make deps-test && note "with those to test: $(fetched) MB fetched, $(($(disk) - empty)) MB on disk"
    step test make test
    while read -r line; do note "    $line"; done < <(tail -n 8 /root/logs/test | grep -E 'passed|failed|left out')
fi
warnings=$(cat /root/logs/build /root/logs/test 2> /dev/null | grep -c 'warning:')
[ "$warnings" = 0 ] || { failures+=(warnings); grep -h -A 3 'warning:' /root/logs/build /root/logs/test | head -40; }
note "$warnings warnings of $(gcc --version | head -n 1)$(command -v clang > /dev/null && echo ", $(clang --version | head -n 1)")"
note "on disk at the end: $(disk) MB"
printf '\n'
printf '%s\n' "${summary[@]}"
[ ${#failures[@]} = 0 ] || { echo "failed: ${failures[*]}"; exit 1; }
END
# shellcheck disable=SC2016 # a variable of the inner shell
ROOT=$root TESTS=$tests unshare --mount --pid --fork --kill-child --propagation private bash -euc '
    mount -t proc proc "$ROOT/proc"
    mount --rbind /dev "$ROOT/dev"
    exec env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb \
        TESTS="$TESTS" chroot "$ROOT" bash /root/steps'
