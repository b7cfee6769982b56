#!/bin/bash
# Before a training begins and while it ends: its summary, when it refuses to begin, one process per run, a data set
# that has moved, signals, and changed files of a run.
. tests/cli/common.bash
program=$(realpath "$GEOVIEWMATCH")

mkdir "$tmp/data"
cp -r "$demo/street" "$demo/aerial" "$tmp/data"
{
    echo id,street,aerial,lat,lon,heading,split
    for i in 1 2 3 4; do
        for set in train test; do echo "$set$i,street/$i.png,aerial/$i.png,4$i.5,8.25,,$set"; done
    done
} > "$tmp/data/pairs.csv"
small=$PWD/tests/golden/net_narrow.safetensors
begin="train --data $tmp/data --init $small --batch 2 --epochs 12 --eval-every 4"

# The summary before the first step; with --quiet none.
expect 0 $begin --out "$tmp/run" --steps 6 --save-minutes 3
says err "data set       pairs in $tmp/data: 4 training pairs, 4 test pairs (" "network  " "million parameters" \
    "from $small" "computes on    " "steps          2 of 2 pairs an epoch, 12 epochs: 24 in all; now to step 6" \
    "memory         about " " are available" "time           very roughly " \
    "writes         $tmp/run: state.safetensors (" "saves          after each epoch, and every 3 minutes; a kill loses" \
    "evaluates      every 4 epochs" "\`geoviewmatch train --resume $tmp/run\`"
expect 0 train --resume "$tmp/run" --steps 7
says err "; as it was saved" "24 in all, 6 of them done; now to step 7"
expect 0 train --resume "$tmp/run" --steps 8 --quiet
lines err 0

# A training that does not fit the machine's memory, however large that is, does not begin and leaves no folder.
for i in $(seq 5 4096); do echo "t$i,street/1.png,aerial/$i.png,41.5,8.25,,train"; done > "$tmp/many"
mkdir "$tmp/large" "$tmp/large/aerial"
cp -r "$demo/street" "$tmp/large"
for i in $(seq 1 4096); do ln "$tmp/data/aerial/1.png" "$tmp/large/aerial/$i.png"; done
cat "$tmp/data/pairs.csv" "$tmp/many" > "$tmp/large/pairs.csv"
expect 1 train --data "$tmp/large" --preset paper --batch 4096 --out "$tmp/huge"
says err "memory         about " " GB; " "batch size 4096 needs about " " GB are available; lower --batch" "--force"
expect 1 train --data "$tmp/large" --preset paper --batch 4096 --out "$tmp/huge" --quiet
refused "batch size 4096 needs about "
[ ! -e "$tmp/huge" ]
expect 1 train --data "$tmp/data" --init $small --batch 5 --out "$tmp/huge" --quiet
refused "4 street pictures on 4 tiles do not fill one batch of size 5 with different places; lower --batch"
# If there are no pairs to train on, the message names what is missing.
mkdir -p "$tmp/cvusa/splits" "$tmp/gone"
cp -r "$demo/street" "$demo/aerial" "$tmp/cvusa"
for i in 1 2 3 4; do echo "aerial/$i.png,street/$i.png"; done > "$tmp/cvusa/splits/val-19zl.csv"
expect 1 train --data "$tmp/cvusa" --init $small --batch 2 --out "$tmp/huge" --quiet
refused "0 street pictures on 0 tiles do not fill one batch of size 2 with different places; splits/train-19zl.csv is missing"
cp -r "$demo/aerial" "$tmp/gone"
mkdir "$tmp/gone/street"
cp "$demo/street/1.png" "$tmp/gone/street"
cp "$tmp/data/pairs.csv" "$tmp/gone"
expect 1 train --data "$tmp/gone" --init $small --batch 2 --out "$tmp/huge" --quiet
refused "1 street pictures on 1 tiles do not fill" "pairs are left out because a picture is missing (" "street/2.png)"
[ ! -e "$tmp/huge" ]
rm -r "$tmp/large"

# The data set and the run moved together; the data set alone, with a cache whose folder is gone; relative paths.
mkdir "$tmp/a" "$tmp/b" "$tmp/a/caches"
cp -r "$tmp/data" "$tmp/a/data"
in_folder() { (cd "$1" && shift && GEOVIEWMATCH=$program expect "$@"); }
in_folder "$tmp/a" 0 ${begin/$tmp\//} --out whole --quiet
in_folder "$tmp/a" 0 ${begin/$tmp\//} --out run --quiet --steps 5
in_folder "$tmp/a" 0 ${begin/$tmp\//} --out cached --quiet --steps 5 --cache caches/c
mv "$tmp/a"/* "$tmp/b"
rm -r "$tmp/b/caches"
in_folder "$tmp/b" 1 train --resume run --quiet
refused "$tmp/a/data: the run's data set was not found; give its new location with --data"
in_folder "$tmp/b" 0 train --resume run --quiet --data data --steps 9
in_folder "$tmp" 0 train --resume b/run --quiet # from another folder, with the saved path
cmp "$tmp/b/whole/last.safetensors" "$tmp/b/run/last.safetensors"
in_folder "$tmp" 1 train --resume b/cached --quiet --data b/data
refused "$tmp/a/caches/c: the folder of the run's cache was not found; give a file with --cache"
in_folder "$tmp" 0 train --resume b/cached --quiet --data b/data --cache b/cache
[ -s "$tmp/b/cache" ]
cmp "$tmp/b/whole/last.safetensors" "$tmp/b/cached/last.safetensors"

# Another data set under that name: a changed position, a changed picture, one more pair, another order.
other="its pairs or pictures differ from those that the run began with"
changed() {
    rm -rf "$tmp/other"
    cp -r "$tmp/data" "$tmp/other"
    (cd "$tmp/other" && eval "$1")
    expect 1 train --resume "$tmp/run" --quiet --data "$tmp/other"
    refused "$tmp/other: $other"
}
changed 'sed -i s/41.5/41.6/ pairs.csv'
changed 'cp street/1.png street/2.png'
changed 'echo more,street/1.png,aerial/2.png,42.5,8.25,,train >> pairs.csv'
changed 'sed -i "2{h;d};4{G}" pairs.csv'
changed 'sed -i "s/,,train/,90,train/" pairs.csv'
rm -r "$tmp/other"
cp -r "$tmp/data" "$tmp/other" # a copy with other file times is the same
touch -d '2001-01-01' "$tmp/other/street"/*
expect 0 train --resume "$tmp/run" --quiet --data "$tmp/other/" --steps 9

# One process per run, also if two begin in the same folder.
"$program" $begin --epochs 100000 --eval-every 0 --out "$tmp/busy" --quiet > "$tmp/busy.out" 2> "$tmp/busy.err" & pid=$!
until [ -e "$tmp/busy/state.safetensors" ]; do kill -0 $pid; sleep 0.05; done
expect 1 train --resume "$tmp/busy" --quiet
refused "$tmp/busy: another process is training in this folder; stop it first"
expect 1 $begin --out "$tmp/busy" --quiet
lines err 1

# A signal is acknowledged at once; a second one ends the process.
kill -HUP $pid
until grep -q "stopping after this step and saving" "$tmp/busy.err"; do sleep 0.05; done
got=0; wait $pid || got=$?
[ $got = 1 ]
grep -qF "to continue: geoviewmatch train --resume $tmp/busy" "$tmp/busy.out"
step=$(tail -1 "$tmp/busy/log.jsonl" | sed 's/{"step": \([0-9]*\).*/\1/')
expect 0 train --resume "$tmp/busy" --quiet --steps $((step + 1)) # the last step was saved
says out ": $((step + 1)) steps"
exec 9> "$tmp/held.part" # it waits for this lock, silent because of --quiet
flock 9
"$program" $begin --cache "$tmp/held" --out "$tmp/twice" --quiet > /dev/null 2> "$tmp/twice.err" 9>&- & pid=$!
until [ -d "$tmp/twice" ]; do sleep 0.05; done
kill -STOP $pid # so that both signals are pending when it continues
kill -INT $pid
kill -TERM $pid
kill -CONT $pid
got=0; wait $pid || got=$?
[ $got != 0 ]
exec 9>&-
(trap '' HUP; exec "$program" $begin --epochs 100000 --out "$tmp/nohup" --quiet > /dev/null 2> "$tmp/nohup.err") & pid=$!
until [ -e "$tmp/nohup/state.safetensors" ]; do kill -0 $pid; sleep 0.05; done
kill -HUP $pid # ignored, as under nohup
sleep 0.2
kill -0 $pid
kill -TERM $pid
wait $pid || true
lines nohup.err 2

# The folder of a run stands for its best network, or else its last; a message explains why best is not there yet.
expect 0 $begin --out "$tmp/named" --quiet --steps 2
expect 1 eval --data "$tmp/data" --weights "$tmp/named/best.safetensors" --quiet
refused "best.safetensors: it is written by a run's first evaluation; use last.safetensors beside it until then"
expect 0 eval --data "$tmp/data" --weights "$tmp/named" --quiet
says err "$tmp/named: it is a training run; its last.safetensors is used"
cp "$tmp/out" "$tmp/last.figures"
expect 0 eval --data "$tmp/data" --weights "$tmp/named/last.safetensors" --quiet
cmp "$tmp/out" "$tmp/last.figures"
expect 0 train --resume "$tmp/named" --quiet
expect 0 eval --data "$tmp/data" --weights "$tmp/named/" --quiet
says err "its best.safetensors is used"
expect 0 $begin --init "$tmp/named" --out "$tmp/from" --quiet --steps 1
says err "its best.safetensors is used"
expect 1 eval --data "$tmp/data" --weights "$tmp/data" --quiet
refused "$tmp/data: it is a directory, expected a file"

# A run of version 1, in the middle of an epoch of hard batches: options in lists, the order as float32.
hard="$begin --eval-every 0 --hard 2 --mirror 0.5 --elevation -40,40 --on-bad skip"
expect 0 $hard --out "$tmp/hard" --quiet
expect 0 $hard --out "$tmp/one" --quiet --steps 3
version() { # version NUMBER FOLDER: 1 rewrites the state as version 1 wrote it; another number is set as it is
    python3 - "$2/state.safetensors" "$1" <<'END'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
n, = struct.unpack("<Q", data[:8])
head, body = json.loads(data[8:8 + n]), data[8 + n:]
new, version = json.loads(head["__metadata__"]["run"]), int(sys.argv[2])
names = {"ground_m": "ground-metres", "eval_every": "eval-every", "cluster_m": "cluster", "drop_path": "drop-path",
         "next_batch": "next-batch"}
same = "data format test cache epochs batch seed shuffle hard turn rho step epoch evaluate best pairs".split()
old = {**{key: new[key] for key in same}, **{key: new[name] for key, name in names.items()},
       "has_elevation": True, "elevation": new["elevation"], "skip_bad": new["on-bad"] == "skip",
       "amounts": [new[x] for x in "jitter grey blur sigma-low sigma-high mirror street-jitter".split()],
       "losses": [new["loss-" + x] for x in "contrast strong weak alpha".split()],
       "rates": [new[x] for x in "rate rate-new decay beta1 beta2 epsilon".split()]}
if version == 1:
    begin, end = head["sequence"]["data_offsets"]
    order = struct.unpack("<%di" % ((end - begin) // 4), body[begin:end])
    body = body[:begin] + struct.pack("<%df" % len(order), *order) + body[end:]
    head["sequence"]["dtype"] = "F32"
head["__metadata__"]["run"] = json.dumps(old if version == 1 else {**new, "version": version})
text = json.dumps(head).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + body)
END
}
version 1 "$tmp/one"
expect 0 info "$tmp/one"
says out "steps          3" "epoch          1 of 12"
expect 0 train --resume "$tmp/one" --quiet
cmp "$tmp/hard/state.safetensors" "$tmp/one/state.safetensors"
expect 0 $hard --out "$tmp/later" --quiet --steps 3
version 4 "$tmp/later"
expect 1 train --resume "$tmp/later" --quiet
refused "$tmp/later/state.safetensors: unsupported version 4 of the saved run; this program reads versions 1 to 3"

# A changed state: truncated, longer, non-numbers, wrong counts. One sentence each, nothing written.
python3 - "$tmp/named/state.safetensors" "$tmp" <<'END'
import json, os, struct, sys
data = open(sys.argv[1], "rb").read()
n, = struct.unpack("<Q", data[:8])
head, body = json.loads(data[8:8 + n]), data[8 + n:]
def put(name, head, body):
    os.mkdir(f"{sys.argv[2]}/edit-{name}")
    text = json.dumps(head).encode()
    open(f"{sys.argv[2]}/edit-{name}/state.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + body)
def number(tensor, value):
    at = head[tensor]["data_offsets"][0]
    return body[:at] + struct.pack("<f", value) + body[at + 4:]
def run(**changes):
    state = json.loads(head["__metadata__"]["run"])
    state.update(changes)
    return {**head, "__metadata__": {**head["__metadata__"], "run": json.dumps(state)}}
names = [name for name in head if name != "__metadata__"]
weights, squares = next(x for x in names if x[:2] == "we"), next(x for x in names if x[:2] == "v.")
put("short", head, body[:-1])
put("long", head, body + b"1234")
put("empty", {"__metadata__": head["__metadata__"]}, b"")
put("nan", head, number(weights, float("nan")))
put("infinite", head, number(squares, float("inf")))
put("negative", head, number(squares, -1))
put("missing", {k: v for k, v in head.items() if k != weights}, body)
put("lying", {**head, weights: {**head[weights], "shape": [2 ** 62]}}, body)
for name, changes in {"batch": {"batch": 10 ** 9}, "step": {"step": -1}, "epoch": {"epoch": -2}, "rho": {"rho": 1e300},
                      "elevation": {"elevation": [-1e300, 5]}, "ground": {"ground-metres": -3}, "data": {"data": 7},
                      "best": {"best": 1e9}, "next": {"next-batch": -5}, "rate": {"rate": [1]}, "no": {"data": None}}.items():
    put(name, run(**changes), body)
saved = json.loads(head["__metadata__"]["run"])
assert saved["epoch"] == saved["epochs"] and saved["next-batch"] == 0, saved
put("far", run(step=10 ** 15, epoch=2 ** 31 - 1, **{"next-batch": 2 ** 31 - 1}), body)
put("late", run(epoch=saved["epochs"] + 1), body)
put("behind", run(epoch=0, **{"next-batch": 3}), body)
put("full", run(**{"next-batch": 1}), body)
put("steps", run(step=saved["step"] + 1), body)
put("few", run(step=0, epoch=saved["epochs"] - 1, **{"next-batch": 1}), body)
put("due", run(epoch=0, step=0, evaluate=True), body)
END
for folder in "$tmp"/edit-*; do
    cp "$folder/state.safetensors" "$tmp/edited"
    expect 1 train --resume "$folder" --quiet
    refused "$folder/state.safetensors: "
    cmp "$tmp/edited" "$folder/state.safetensors"
done
[ -z "$(find "$tmp" -name '*.tmp')" ]
