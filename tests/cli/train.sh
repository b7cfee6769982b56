#!/bin/bash
# Training: what it writes, that a resumed run gives the same bits, also after kill -9, and what it refuses.
. tests/cli/common.bash

# Pairs from the demo's pictures, and the smallest golden network to start from.
mkdir "$tmp/data"
cp -r "$demo/street" "$demo/aerial" "$tmp/data"
{
    echo id,street,aerial,lat,lon,heading,split
    for i in 1 2 3 4; do
        for set in train test; do echo "$set$i,street/$i.png,aerial/$i.png,4$i.5,8.25,,$set"; done
    done
} > "$tmp/data/pairs.csv"
begin="train --data $tmp/data --init tests/golden/net_narrow.safetensors --batch 2 --epochs 12 --eval-every 4 --quiet"

# without the speed, which differs from run to run
log() { sed 's/, "pairs_per_s.*//' "$1/log.jsonl"; }
same() {
    for file in last.safetensors best.safetensors state.safetensors; do cmp "$tmp/whole/$file" "$1/$file"; done
    diff <(log "$tmp/whole") <(log "$1")
}

expect 0 $begin --out "$tmp/whole"
says out "epoch 4: R@1 " "epoch 12: R@1 " "best R@1 so far" ": 24 steps; "
[ "$(grep -c '"loss_ret2"' "$tmp/whole/log.jsonl")" = 24 ]
[ "$(grep -c '"R@1%"' "$tmp/whole/log.jsonl")" = 3 ]
expect 0 info "$tmp/whole/last.safetensors"
says out "GeoViewMatch weights"

# In parts, with a cache.
expect 0 $begin --out "$tmp/parts" --cache "$tmp/cache" --steps 5
says out ": 5 steps; " "to continue: geoviewmatch train --resume $tmp/parts"
expect 0 train --resume "$tmp/parts" --quiet --steps 14
expect 0 train --resume "$tmp/parts" --quiet
cmp "$tmp/whole/last.safetensors" "$tmp/parts/last.safetensors"
diff <(log "$tmp/whole") <(log "$tmp/parts")

# A relative path of a cache is relative to the folder in which the run began.
top=$PWD
mkdir "$tmp/here" "$tmp/there"
program=$(realpath "$GEOVIEWMATCH")
from() { (cd "$1" && shift && "$program" "$@" > /dev/null); }
from "$tmp/here" ${begin/tests/$top/tests} --out run --cache near.cache --steps 5
from "$tmp/there" train --resume ../here/run --quiet
[ -e "$tmp/here/near.cache" ]
[ -z "$(ls "$tmp/there")" ]
cmp "$tmp/whole/last.safetensors" "$tmp/here/run/last.safetensors"

# Other options are saved too.
expect 0 $begin --out "$tmp/plain" --augment none --shuffle no --contrast no --rho 0 --steps 3 --eval-every 0
expect 0 train --resume "$tmp/plain" --quiet
says out ": 24 steps; "
grep -q '"loss_con": 0, ' "$tmp/plain/log.jsonl"
mirrored="$begin --epochs 3 --eval-every 0 --mirror 0.5 --street-jitter 0.3 --cluster 500"
expect 0 $mirrored --out "$tmp/mirrored"
expect 0 $mirrored --out "$tmp/again" --steps 3
expect 0 train --resume "$tmp/again" --quiet
cmp "$tmp/mirrored/state.safetensors" "$tmp/again/state.safetensors"

# Hard batches: a resumed epoch keeps its order, although the weights have changed since.
hard="$begin --epochs 4 --eval-every 0 --hard 2"
expect 0 $hard --out "$tmp/hard"
for steps in 3 4; do
    expect 0 $hard --out "$tmp/hard$steps" --steps $steps
    expect 0 train --resume "$tmp/hard$steps" --quiet
    cmp "$tmp/hard/state.safetensors" "$tmp/hard$steps/state.safetensors"
done

# Killed a few times, at arbitrary moments.
$GEOVIEWMATCH $begin --out "$tmp/killed" --save-minutes 0 > /dev/null & pid=$!
for pause in 0.15 0.1 0.3 0.2; do
    sleep $pause
    kill -9 $pid 2> /dev/null || true
    wait $pid 2> /dev/null || true
    if [ ! -e "$tmp/killed/state.safetensors" ]; then # before its first save
        rm -rf "$tmp/killed"
        $GEOVIEWMATCH $begin --out "$tmp/killed" --save-minutes 0 > /dev/null & pid=$!
    else
        $GEOVIEWMATCH train --resume "$tmp/killed" --save-minutes 0 --quiet > /dev/null & pid=$!
    fi
done
wait $pid
same "$tmp/killed"

# A full disk: the state of the last save stays, and once there is room the run continues from it to the same bits. A
# shell's limit on file sizes has the same effect: 1000 KB fail in the state, 300 in the network, 1 in the log. A small
# file system is tried too, if the system allows mounting one.
expect 0 $begin --out "$tmp/full" --steps 6
cp -r "$tmp/full" "$tmp/small"
cp "$tmp/full/state.safetensors" "$tmp/saved"
for limit in 1000:state.safetensors 300:best.safetensors; do
    (ulimit -f ${limit%:*}; expect 1 train --resume "$tmp/full" --quiet)
    lines err 1
    says err "$tmp/full" "${limit#*:}"
    cmp "$tmp/saved" "$tmp/full/state.safetensors"
    [ -z "$(find "$tmp/full" -name '*.tmp')" ]
done
expect 0 train --resume "$tmp/full" --quiet
same "$tmp/full"
expect 0 $begin --out "$tmp/log" --steps 6 --eval-every 0
cp "$tmp/log/state.safetensors" "$tmp/logged"
(ulimit -f 1; expect 1 train --resume "$tmp/log" --quiet)
says err "$tmp/log: cannot write its log"
cmp "$tmp/logged" "$tmp/log/state.safetensors"
if unshare -rm mount -t tmpfs none "$tmp/small" 2> /dev/null; then
    mkdir "$tmp/disk"
    unshare -rm bash -c "mount -t tmpfs -o size=4m none '$tmp/disk' && cp '$tmp/small'/* '$tmp/disk'
        ! '$GEOVIEWMATCH' train --resume '$tmp/disk' --quiet && cp '$tmp/disk'/* '$tmp/small'" > /dev/null 2> "$tmp/err"
    says err "$tmp/disk/" "No space left on device"
    cmp "$tmp/saved" "$tmp/small/state.safetensors"
    expect 0 train --resume "$tmp/small" --quiet
    same "$tmp/small"
fi

# A loss that is not finite, because each update multiplies the weights by -99: nothing is saved after it.
wild="--rate 10 --rate-new 10 --decay 10"
expect 1 $begin $wild --out "$tmp/wild"
lines err 1
says err "$tmp/wild: the loss of step " " is not finite at a learning rate of " "lower --rate or --rho and start again"
step=$(sed 's/.*of step \([0-9]*\) .*/\1/' "$tmp/err")
expect 0 $begin $wild --out "$tmp/tame" --steps $(((step - 1) / 2 * 2)) # an epoch has two steps
for file in last.safetensors best.safetensors state.safetensors; do cmp "$tmp/tame/$file" "$tmp/wild/$file"; done
expect 1 train --resume "$tmp/wild" --quiet
says err "the loss of step $step is not finite"

# Ctrl-C finishes the step.
$GEOVIEWMATCH $begin --epochs 100000 --eval-every 0 --out "$tmp/stopped" > "$tmp/out" & pid=$!
while [ ! -e "$tmp/stopped/state.safetensors" ]; do sleep 0.05; done
sleep 0.3
kill -TERM $pid
got=0; wait $pid || got=$?
[ $got = 1 ]
says out "to continue: geoviewmatch train --resume $tmp/stopped"

# So does a signal while waiting for a cache that another process makes, and during a long evaluation; both resume.
exec 9> "$tmp/held.cache.part"
flock 9
$GEOVIEWMATCH $begin --cache "$tmp/held.cache" --out "$tmp/held" > "$tmp/out" 9>&- & pid=$!
# until it is no longer a copy of this shell, whose trap handles SIGTERM, and handles SIGTERM itself
while kill -0 $pid && { grep -q bash /proc/$pid/comm ||
    awk '/^SigCgt/ {exit substr($2, length($2) - 3, 1) ~ /[4-7c-f]/}' /proc/$pid/status; }; do sleep 0.05; done
kill -TERM $pid
got=0; wait $pid || got=$?
[ $got = 1 ]
says out "to continue: geoviewmatch train --resume $tmp/held"
exec 9>&-
expect 0 train --resume "$tmp/held" --quiet
cmp "$tmp/whole/last.safetensors" "$tmp/held/last.safetensors"
diff <(log "$tmp/whole") <(log "$tmp/held")

if ! grep -q __asan_init "$GEOVIEWMATCH"; then # with sanitizers it takes half a minute
    mkdir "$tmp/long"
    cp -r "$demo/street" "$demo/aerial" "$tmp/long"
    {
        cat "$tmp/data/pairs.csv"
        for i in {5..400}; do
            cp "$demo/street/$((i % 4 + 1)).png" "$tmp/long/street/$i.png"
            echo "test$i,street/$i.png,aerial/$((i % 4 + 1)).png,4$((i % 4 + 1)).5,8.25,,test"
        done
    } > "$tmp/long/pairs.csv"
    long="${begin/$tmp\/data/$tmp/long} --epochs 2 --eval-every 1"
    expect 0 $long --out "$tmp/evaluated"
    pause=200 # milliseconds: longer if the evaluation had not begun, shorter if it was over
    for try in {1..40}; do
        rm -rf "$tmp/cut"
        $GEOVIEWMATCH $long --out "$tmp/cut" > "$tmp/out" & pid=$!
        while [ ! -e "$tmp/cut/state.safetensors" ]; do sleep 0.02; done
        sleep $((pause / 1000)).$(printf %03d $((pause % 1000)))
        kill -TERM $pid 2> /dev/null || true
        got=0; wait $pid || got=$?
        ! grep -qF 'evaluate\":true' "$tmp/cut/state.safetensors" || break
        if [ $got = 0 ]; then pause=$((pause * 2 / 3)); else pause=$((pause * 5 / 4)); fi
    done
    [ $got = 1 ]
    grep -qF 'evaluate\":true' "$tmp/cut/state.safetensors"
    says out "to continue: geoviewmatch train --resume $tmp/cut"
    expect 0 train --resume "$tmp/cut" --quiet
    for file in last.safetensors best.safetensors state.safetensors; do cmp "$tmp/evaluated/$file" "$tmp/cut/$file"; done
    diff <(log "$tmp/evaluated") <(log "$tmp/cut")
fi

# Plots of one run and of several; of a run that has just begun, without evaluations and with a half-written line.
"$TOOLS/plot" "$tmp/whole" > "$tmp/out"
[ "$(cat "$tmp/out")" = "$tmp/whole/log.svg" ]
mkdir "$tmp/a&b"
head -2 "$tmp/whole/log.jsonl" > "$tmp/a&b/log.jsonl"
printf '{"step": 3, "epo' >> "$tmp/a&b/log.jsonl"
"$TOOLS/plot" "$tmp/whole" "$tmp/a&b" "$tmp/plain" -o "$tmp/three.svg" > /dev/null
python3 - "$tmp" <<'END'
import sys, xml.dom.minidom
folder = sys.argv[1]
def lines(path):
    """How many lines each panel has; all of their points lie within the axes."""
    picture, found = xml.dom.minidom.parse(path), {}
    for panel in picture.getElementsByTagName("g"):
        key = panel.getAttribute("data-series")
        if not key:
            continue
        found[key] = 0
        for line in panel.getElementsByTagName("polyline"):
            points = [tuple(map(float, point.split(","))) for point in line.getAttribute("points").split()]
            assert all(0 <= x <= 460 and -0.1 <= y <= 200 for x, y in points) and points == sorted(points, key=lambda p: p[0])
            found[key] += 1
        assert key != "R@1" or len(panel.getElementsByTagName("circle")) == 3
    return found, [text.firstChild.data for text in picture.getElementsByTagName("text")]
found, texts = lines(folder + "/whole/log.svg")
assert found == {"loss": 2, "loss_con": 2, "loss_ret1": 2, "loss_ret2": 2, "lr": 1, "R@1": 1}, found
assert folder + "/whole" in texts and "step" in texts and "0" in texts
found, texts = lines(folder + "/three.svg")
assert found == {"loss": 6, "loss_con": 6, "loss_ret1": 6, "loss_ret2": 6, "lr": 3, "R@1": 1}, found
assert folder + "/a&b" in texts
END
grep -q 'prefers-color-scheme: dark' "$tmp/whole/log.svg"
"$TOOLS/plot" "$tmp/whole/log.jsonl" > /dev/null # over its own file
echo '<svg>mine</svg>' > "$tmp/mine.svg"
fails "$TOOLS/plot" "$tmp/whole" -o "$tmp/mine.svg" 2> "$tmp/err"
says err "mine.svg: it exists and is no picture that plot drew"
[ "$(cat "$tmp/mine.svg")" = '<svg>mine</svg>' ]
fails "$TOOLS/plot" "$tmp/nothing" 2> "$tmp/err"
lines err 1
says err "plot: $tmp/nothing/log.jsonl: cannot open it"
echo 'no JSON' > "$tmp/a&b/log.jsonl"
fails "$TOOLS/plot" "$tmp/a&b" 2> "$tmp/err"
says err "log.jsonl, line 1: it is no line that training writes"

# Evaluation of the trained network.
expect 0 eval --data "$tmp/data" --weights "$tmp/whole/last.safetensors" --json --quiet --matches "$tmp/matches.csv"
python3 -c 'import json,sys; e = json.load(open(sys.argv[1])); assert e["queries"] == 4 and 0 <= e["R@1"] <= 100 and "R@1%" in e' "$tmp/out"
[ "$(wc -l < "$tmp/matches.csv")" = 5 ]
expect 0 eval --data "$tmp/data" --weights "$tmp/whole/last.safetensors" --reverse --quiet
says out "aerial to street: 4 queries, gallery of 4"

# Refusals.
expect 1 $begin --out "$tmp/whole"
refused "$tmp/whole: it already contains a run"
cp -r "$tmp/whole" "$tmp/left"
rm "$tmp/left/state.safetensors"
for file in log.jsonl last.safetensors best.safetensors; do
    expect 1 $begin --out "$tmp/left"
    refused "$tmp/left: it contains $file of another run"
    cmp "$tmp/whole/$file" "$tmp/left/$file"
    rm "$tmp/left/$file"
done
expect 0 $begin --out "$tmp/left" --steps 1 --eval-every 0
for wrong in "--stages 9,9" "--stages 4,4" "--preset huge"; do
    expect 2 train --data "$tmp/data" --out "$tmp/none" $wrong
    refused "${wrong% *} takes "
done
expect 1 train --data "$tmp/no" --out "$tmp/none" --init "$tmp/no.safetensors"
refused "$tmp/no (--data): No such file" "$tmp/no.safetensors (--init): No such file"
expect 1 train --data "$tmp/no" --out "$tmp/none" --backbone "$tmp/no.safetensors"
refused "$tmp/no (--data): No such file" "$tmp/no.safetensors (--backbone): No such file"
expect 1 train --data "$tmp/data" --out "$tmp/no/where/run"
refused "$tmp/no/where/run: cannot make it"
expect 1 train --data "$tmp/data" --out "$tmp/data/pairs.csv"
refused "pairs.csv: it is a file; --out expects a folder"
expect 1 $begin --out "$tmp/none" --cache "$tmp/"$'stra\xdfe'
refused "the cache's path is not UTF-8"
mv "$tmp/data" "$tmp/"$'m\xfcnster'
expect 1 train --data "$tmp/"$'m\xfcnster' --out "$tmp/none" --init tests/golden/net_narrow.safetensors
refused "the data set's path is not UTF-8" "rename it"
mv "$tmp/"$'m\xfcnster' "$tmp/data"
[ ! -e "$tmp/none" ]
expect 2 train --data "$tmp/data"
says err "either --data and --out"
for option in "--epochs 9" "--batch 64" "--rate 5" "--on-bad skip" "--shuffle no" "--seed 1"; do
    expect 2 train --resume "$tmp/whole" $option --steps 30
    refused "--resume continues a run with its own options: it accepts" "--force, not ${option% *};"
done
expect 2 train --data "$tmp/data" --out "$tmp/x" --epochs many
says err "--epochs takes a whole number"
expect 2 train --data "$tmp/data" --out "$tmp/x" --cluster 1e-300
refused "--cluster takes 0 or metres from 1 to 1000000, got '1e-300'"
expect 2 train --data "$tmp/data" --out "$tmp/x" --hard 8 --cluster 100
refused "--hard: only one of --hard, --neighbours, --clusters, --cluster and --shuffle no can be used"
expect 2 train --data "$tmp/data" --out "$tmp/x" --neighbours 2 --clusters 4
refused "--neighbours: only one"
expect 2 train --data "$tmp/data" --out "$tmp/x" --clusters 4 --shuffle no
refused "--clusters: only one"
cp -r "$tmp/whole" "$tmp/odd"
sed -i 's/cluster\\":0.0/cluster\\":0.1/' "$tmp/odd/state.safetensors"
expect 1 train --resume "$tmp/odd"
refused "$tmp/odd/state.safetensors: the saved run's 'cluster' is invalid; expected 0 or metres from 1 to 1000000"
expect 1 train --resume "$tmp/nothing"
refused "$tmp/nothing: no such run folder"
mkdir "$tmp/empty"
expect 1 train --resume "$tmp/empty"
refused "$tmp/empty/state.safetensors: cannot open it"
printf 'broken' > "$tmp/data/street/2.png"
expect 1 $begin --out "$tmp/bad"
refused "street/2.png"
expect 0 $begin --out "$tmp/skipped" --on-bad skip --eval-every 0
says err "left out: " "street/2.png"
