#!/bin/bash
# Training on photos and cells: what it accepts and refuses, that resumed runs give the same bits, evaluation;
# fine-tuning of imported weights; frozen backbones.
. tests/cli/common.bash

expect 0 world --out "$tmp/town" --photos --pairs 24 --metres 420 --pixel 1 --margin 120 --test 25 --photo-size 96 --quiet
town="$tmp/town"
cat > "$tmp/tiny.json" <<'END'
{"model":"statewide","dims":[8,16,24,32],"depths":[1,1,2,1],"gelu":"tanh","street":[48,64],"aerial":[40,40],"heads":4,
 "feature":32,"scale":6,"cell_m":30,"street_input":{"projection":"perspective","resize":"skimage"},
 "aerial_input":{"zooms":[1,2],"bearing":180}}
END
expect 0 init --config "$tmp/tiny.json" --seed 3 --out "$tmp/tiny.safetensors"
begin="train --data $town --init $tmp/tiny.safetensors --batch 3 --epochs 4 --warm-steps 0 --rate 1e-3 --rate-new 1e-3 --quiet"

# without the speed, which differs from run to run
log() { sed 's/, "pairs_per_s.*//' "$1/log.jsonl"; }
same() {
    for file in last.safetensors best.safetensors state.safetensors; do cmp "$tmp/whole/$file" "$1/$file"; done
    diff <(log "$tmp/whole") <(log "$1")
}

# Whole; in parts, the second with the data set moved; killed; with a cache of the photos.
expect 0 $begin --out "$tmp/whole" --eval-every 2
says out "epoch 2: R@1 " "epoch 4: R@1 " "best R@1 so far"
expect 0 $begin --out "$tmp/parts" --eval-every 2 --steps 7
cp -r "$town" "$tmp/moved"
expect 0 train --resume "$tmp/parts" --data "$tmp/moved" --quiet
cmp "$tmp/whole/last.safetensors" "$tmp/parts/last.safetensors"
diff <(log "$tmp/whole") <(log "$tmp/parts")
$GEOVIEWMATCH $begin --out "$tmp/killed" --eval-every 2 --save-minutes 0 > /dev/null & pid=$!
until [ "$(cat "$tmp/killed/log.jsonl" 2> /dev/null | wc -l)" -ge 4 ] || ! kill -0 $pid 2> /dev/null; do sleep 0.02; done
kill -9 $pid 2> /dev/null || true
wait $pid 2> /dev/null || true
expect 0 train --resume "$tmp/killed" --quiet
same "$tmp/killed"
expect 0 $begin --out "$tmp/cached" --eval-every 2 --cache "$tmp/cache"
cmp "$tmp/whole/last.safetensors" "$tmp/cached/last.safetensors"
diff <(log "$tmp/whole") <(log "$tmp/cached")
[ "$(stat -c %s "$tmp/cache")" -lt 250000 ] # 24 photos of 48 x 64 and no cells

# Other offsets and colours each give other weights.
for option in "--around 0" "--around 10" "--augment none" "--hue 0" "--seed 2"; do
    expect 0 $begin --out "$tmp/other" --eval-every 0 --steps 2 $option
    fails cmp -s "$tmp/other/last.safetensors" "$tmp/before.safetensors"
    cp "$tmp/other/last.safetensors" "$tmp/before.safetensors"
    rm -r "$tmp/other"
done

# Evaluated like any data set; rasters may be elsewhere.
expect 0 eval --data "$town" --weights "$tmp/whole" --matches "$tmp/matches.csv" --gallery-picture "$tmp/best.png" --quiet
says out "photos, street to aerial: 6 queries, gallery of "
[ "$(wc -l < "$tmp/matches.csv")" = 7 ]
grep -q 'cell [0-9-]*,[0-9-]*' "$tmp/matches.csv"
cp "$tmp/out" "$tmp/first"
mkdir "$tmp/bare"
cp -r "$town/photos" "$town/photos.csv" "$tmp/bare"
expect 1 eval --data "$tmp/bare" --weights "$tmp/whole" --quiet
says err "no raster (.tif, .tiff or .vrt) found to cut the photos' cells from"
expect 0 eval --data "$tmp/bare" --imagery "$town/imagery" --weights "$tmp/whole" --quiet
diff <(head -n -2 "$tmp/first") "$tmp/out" # except the lines about written files

# Checked.
expect 0 check --data "$town" --quiet
says out "photos, cells of 30 m, 1 raster" "test (test)          6 pairs" "pictures             24"
sed '2s/,4[0-9.]*,/,46.5,/' "$town/photos.csv" > "$tmp/bare/photos.csv"
expect 1 check --data "$tmp/bare" --imagery "$town/imagery/ortho.tif" --quiet --json
says out '"disagree": 1' '"rasters": 1'
expect 1 info "$town"
says err "it looks like a data set"

# The preset learns too: it memorises the same batches.
expect 0 train --data "$town" --preset statewide-nano --batch 4 --epochs 5 --shuffle no --augment none --warm-steps 0 \
    --rate 1e-3 --rate-new 1e-3 --eval-every 0 --out "$tmp/nano"
says err "photos in $town: 18 training pairs, 6 test pairs" "a step takes"
python3 - "$tmp/nano/log.jsonl" <<'END'
import json, math, sys
losses = [json.loads(line)["loss"] for line in open(sys.argv[1])]
assert len(losses) == 20 and all(map(math.isfinite, losses)), losses
assert sum(losses[-4:]) < sum(losses[:4]) - 10, losses
END

# Options that exclude each other, and options that a network cannot use.
mkdir "$tmp/pairs"
cp -r "$demo/street" "$demo/aerial" "$tmp/pairs"
printf 'id,street,aerial,lat,lon\n%s\n' "$(for i in 1 2 3 4; do echo "$i,street/$i.png,aerial/$i.png,4$i.5,8.25"; done)" \
    > "$tmp/pairs/pairs.csv"
expect 1 train --data "$tmp/pairs" --preset statewide-nano --batch 2 --out "$tmp/no"
says err "its aerial pictures are files" "photos.csv (image,lat,lon) and the rasters in imagery/"
expect 1 train --data "$town" --preset nano --batch 2 --out "$tmp/no"
says err "a data set of photos" "a folder with pairs.csv"
refuses() { # WORDS OPTION...
    local words=$1
    shift
    expect 1 train --batch 2 --out "$tmp/no" "$@"
    refused "does not apply" "$words"
}
refuses "--turn" --data "$town" --preset statewide-nano --turn yes
refuses "--elevation" --data "$town" --preset statewide-nano --elevation -40,40
refuses "--ground-metres" --data "$town" --init "$tmp/tiny.safetensors" --ground-metres 50
refuses "--contrast" --data "$tmp/pairs" --preset sample4geo-nano --contrast yes
refuses "--smoothing" --data "$tmp/pairs" --preset nano --smoothing 0.1
refuses "--around" --data "$tmp/pairs" --preset nano --around 10
expect 1 train --data "$tmp/pairs" --imagery "$town/imagery" --preset nano --batch 2 --out "$tmp/no"
refused "whose aerial pictures are files"
expect 1 train --data "$tmp/pairs" --preset statewide-nano --batch 2 --out "$tmp/no" # before the plan
refused "its aerial pictures are files, but this network takes several pictures"
expect 1 train --data "$town" --preset nano --batch 2 --out "$tmp/no"
refused "it is a data set of photos"
[ ! -e "$tmp/no" ]

# Frozen backbones: --rate 0.
expect 0 $begin --out "$tmp/frozen" --rate 0 --eval-every 0 --steps 5
python3 - "$tmp/tiny.safetensors" "$tmp/frozen/last.safetensors" <<'END'
import json, sys
def read(path):
    data = open(path, "rb").read()
    size = int.from_bytes(data[:8], "little")
    head = json.loads(data[8:8 + size])
    return {k: data[8 + size + v["data_offsets"][0]:8 + size + v["data_offsets"][1]]
            for k, v in head.items() if k != "__metadata__"}
a, b = map(read, sys.argv[1:])
changed = {k.split(".", 2)[1] for k in a if a[k] != b[k]}
assert changed == {"head"}, changed
END

# Imported weights are trained further with small steps, keep their own input format, and record their origin.
for preset in sample4geo-nano frgeo-nano statewide; do
    data=$tmp/pairs
    if [ $preset = statewide ]; then
        cp "$tmp/tiny.safetensors" "$tmp/plain.safetensors"
        data=$town
    else
        expect 0 init --preset $preset --seed 1 --out "$tmp/plain.safetensors" --force
    fi
    python3 - "$tmp/plain.safetensors" "$tmp/published.safetensors" <<'END'
import json, sys
data = open(sys.argv[1], "rb").read()
size = int.from_bytes(data[:8], "little")
head = json.loads(data[8:8 + size])
head["__metadata__"]["source"] = "a test's imagination"
config = json.loads(head["__metadata__"]["config"])
config["elevation"] = [-35, 40]
config["ground_m"] = 77.5
head["__metadata__"]["config"] = json.dumps(config)
text = json.dumps(head).encode()
text += b" " * (-len(text) % 8)
open(sys.argv[2], "wb").write(len(text).to_bytes(8, "little") + text + data[8 + size:])
END
    for part in fresh tuned; do
        weights=plain
        [ $part = fresh ] || weights=published
        expect 0 train --data "$data" --init "$tmp/$weights.safetensors" --batch 2 --epochs 2 --eval-every 0 --warm-up 0 \
            --out "$tmp/$preset-$part"
    done
    says err "fine-tuned from a test's imagination" "a tenth of those for untrained weights"
    expect 0 train --resume "$tmp/$preset-tuned" --quiet
    python3 - "$tmp/$preset-fresh" "$tmp/$preset-tuned" <<'END'
import json, sys
def about(run):
    data = open(run + "/last.safetensors", "rb").read()
    meta = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    return meta, [json.loads(line)["lr"] for line in open(run + "/log.jsonl")]
(plain, rates), (tuned, small) = map(about, sys.argv[1:])
assert "source" not in plain and tuned["source"] == "fine-tuned from a test's imagination", tuned
assert len(rates) == len(small) > 1 and all(abs(s / r - 0.1) < 1e-4 for r, s in zip(rates, small) if r > 0), (rates, small)
config = json.loads(tuned["config"])
assert config["elevation"] == [-35, 40], config
assert config["ground_m"] == (77.5 if config["model"] != "statewide" else 40), config
END
done
