# common.bash - for the scripts beside it, which run from the repository's top: an empty folder $tmp, and a command's
# status, stdout and stderr held against what they must be.
set -euo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C
demo=examples/demo

# expect STATUS COMMAND...: run the program; its output lies in $tmp/out and $tmp/err.
expect() {
    local want=$1 got=0
    shift
    "$GEOVIEWMATCH" "$@" > "$tmp/out" 2> "$tmp/err" || got=$?
    [ "$got" = "$want" ] || { echo "status $got, not $want: geoviewmatch $*"; cat "$tmp/out" "$tmp/err"; exit 1; }
}

# fails COMMAND...: it must. Neither a command after "!" nor the first of several joined by && ends a script if it is not
# as it must be.
fails() {
    if "$@"; then
        echo "it succeeds: $*"
        exit 1
    fi
}

# says FILE PATTERN...: each (a fixed text) stands in $tmp/FILE.
says() {
    local file=$1 pattern
    shift
    for pattern; do
        grep -qF -- "$pattern" "$tmp/$file" || { echo "no '$pattern' in $file:"; cat "$tmp/$file"; exit 1; }
    done
}

# lines FILE COUNT
lines() {
    local got
    got=$(wc -l < "$tmp/$1")
    [ "$got" = "$2" ] || { echo "$got lines in $1, not $2:"; cat "$tmp/$1"; exit 1; }
}

# refused PATTERN...: the last command printed nothing but one sentence, which has all of these.
refused() {
    lines out 0
    lines err 1
    says err "$@"
}

# A small network, made once.
nano() {
    [ -e "$tmp/nano.safetensors" ] || expect 0 init --preset nano --seed 7 --out "$tmp/nano.safetensors"
    echo "$tmp/nano.safetensors"
}
