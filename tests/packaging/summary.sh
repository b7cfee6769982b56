#!/bin/bash
# summary.sh - the last lines of cmake/test.sh count all tests and name the failed ones, in whatever order they ran, and
# the exit status agrees; with fake cmake and ctest commands.
# shellcheck disable=SC2016 # text of scripts
set -euo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bin"
fake() { { echo '#!/bin/sh'; cat; } > "$tmp/bin/$1"; chmod +x "$tmp/bin/$1"; }
fake python3 <<< 'exit 1'
fake cmake <<< 'case "$*" in "--preset broken"*) exit 1 ;; "--preset"*) echo "$*" >> "$CONFIGURED" ;; esac'
fake ctest <<'END'
case "$*" in
*good*) cat <<'LOG' ;;
 1/3 Test  #2: install .....................   Passed    1.00 sec
 2/3 Test #14: test_base .....................   Passed    0.02 sec
 3/3 Test  #3: test_layers_avx512 ............***Skipped   0.01 sec
LOG
*bad*) cat <<'LOG'; exit 8 ;;
 1/5 Test #77: cli_index .....................***Timeout 240.03 sec
what it said: 3/5 Passed
 2/5 Test  #1: test_base .....................***Failed    0.02 sec
 3/5 Test  #2: test_file .....................Child aborted***Exception:   0.10 sec
 4/5 Test  #3: test_map ......................   Passed    0.02 sec
 5/5 Test  #4: test_none .....................***Not Run   0.00 sec
LOG
esac
END

# ends STATUS PRESET... : the last lines of its output are those on standard input.
ends() {
    local want=$1 got=0
    shift
    env PATH="$tmp/bin:$PATH" CONFIGURED="$tmp/configured" GVM_WERROR="$werror" bash cmake/test.sh 2 "$@" > "$tmp/out" 2>&1 || got=$?
    cat > "$tmp/expected"
    # shellcheck disable=SC2015 # what the last command says is nothing that fails
    [ $got = "$want" ] && tail -n "$(wc -l < "$tmp/expected")" "$tmp/out" | diff "$tmp/expected" - || { cat "$tmp/out"; exit 1; }
}

golden="golden: left out, as it needs PyTorch and timm (tools/requirements.txt)"
werror=''
ends 0 good <<END
good: 2 passed, 0 failed, 1 skipped
$golden
2 passed, 0 failed, 1 skipped
END
werror=ON
ends 1 bad broken good <<END
broken: 0 passed, 1 failed, 0 skipped
    failed: its build
bad: 1 passed, 4 failed, 0 skipped
    failed: cli_index test_base test_file test_none
good: 2 passed, 0 failed, 1 skipped
$golden
3 passed, 5 failed, 1 skipped
END
diff "$tmp/configured" - <<END
--preset good -DBUILD_TESTING=ON
--preset bad -DBUILD_TESTING=ON -DGVM_WERROR=ON
--preset good -DBUILD_TESTING=ON -DGVM_WERROR=ON
END
