# common.bash - for the scripts beside it, which run from the top of the repository: an empty folder $tmp, and checks of
# a command's status, stdout and stderr.
set -euo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C
demo=examples/demo

# expect STATUS COMMAND...: run the program; its output is in $tmp/out and $tmp/err.
expect() {
    local want=$1 got=0
    shift
    "$GEOVIEWMATCH" "$@" > "$tmp/out" 2> "$tmp/err" || got=$?
    [ "$got" = "$want" ] || { echo "status $got, not $want: geoviewmatch $*"; cat "$tmp/out" "$tmp/err"; exit 1; }
}

# fails COMMAND...: the command must fail. `set -e` ignores a command after "!" and all but the last of several joined
# by &&, so those do not end a script.
fails() {
    if "$@"; then
        echo "it succeeded: $*"
        exit 1
    fi
}

# says FILE PATTERN...: each PATTERN (fixed text) is in $tmp/FILE.
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

# refused PATTERN...: the last command printed one sentence that contains each PATTERN, and nothing else.
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
