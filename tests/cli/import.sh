#!/bin/bash
# Import of published weights: what is recognised and refused, what `info` reports of them later, and that training
# continues from them.
. tests/cli/common.bash
data=tests/golden/import

expect 0 import $data/statewide.safetensors --out "$tmp/statewide.safetensors" --licence "CC BY 4.0" \
    --source "the authors' page"
lines err 0
says out "statewide, as statewide: 132 tensors, 5484 numbers, all used" "pixels, any photo" \
    "0.2, 0.4, 0.8, 1.6 m a pixel; bearing 180 up; cells of 30 m" "licence        CC BY 4.0" \
    "source         statewide.safetensors (statewide), from the authors' page"
expect 0 import $data/sample4geo.pth --as sample4geo-vigor --out "$tmp/vigor.safetensors"
says out "Sample4Geo, as sample4geo-vigor: " "384 x 768 pixels, elevations -90 to 90" "73 m on the ground" \
    "licence        not stated"
expect 0 import $data/frgeo.pth.tar --as frgeo-cvusa --float16 --out "$tmp/frgeo.safetensors"
says out "FRGeo, as frgeo-cvusa: " "128 x 512 pixels, elevations -32.7273 to 32.7273" "174.4 m on the ground"

# The origin is kept with the weights; the fingerprint does not depend on it.
expect 0 info "$tmp/statewide.safetensors"
says out "source         statewide.safetensors (statewide), from the authors' page" "licence        CC BY 4.0"
expect 0 info --json "$tmp/statewide.safetensors"
python3 - "$tmp/out" <<'END'
import json, sys
i = json.load(open(sys.argv[1]))
assert i["source"] == "statewide.safetensors (statewide), from the authors' page" and i["licence"] == "CC BY 4.0"
assert i["config"]["model"] == "statewide" and i["config"]["dims"] == [3, 4, 5, 6] and i["config"]["heads"] == 2
assert i["config"]["aerial_input"]["zooms"] == [0.2, 0.4, 0.8, 1.6] and i["config"]["cell_m"] == 30
END
expect 0 init --from "$tmp/statewide.safetensors" --out "$tmp/again.safetensors"
expect 0 info "$tmp/again.safetensors"
says out "licence        CC BY 4.0"
expect 0 import $data/statewide.safetensors --out "$tmp/other.safetensors" --licence "another"
fingerprint() { "$GEOVIEWMATCH" info "$1" | grep fingerprint; }
[ "$(fingerprint "$tmp/statewide.safetensors")" = "$(fingerprint "$tmp/other.safetensors")" ]
expect 0 info $demo/../../models/nano.safetensors
fails grep -q licence "$tmp/out"

# `info` also describes files of other programs.
expect 0 info $data/frgeo.pth.tar
says out "frgeo.pth.tar: 126 tensors, 5348 numbers" "module.query_net.downsample_layers.0.0.weight F32 [3, 3, 4, 4]"

# A backbone from PyTorch's file.
echo '{"model":"sample4geo","dims":[3,4,5,6],"depths":[1,1,2,1],"street":[64,320],"aerial":[64,64]}' > "$tmp/tiny.json"
expect 0 init --config "$tmp/tiny.json" --backbone $data/convnext.pth --out "$tmp/tiny.safetensors"

# Training starts from imported weights and says so, also after an interruption.
expect 0 world --out "$tmp/town" --pairs 12 --seed 1
expect 0 train --init "$tmp/vigor.safetensors" --data "$tmp/town" --epochs 2 --batch 4 --quiet --steps 1 --out "$tmp/run"
expect 0 train --resume "$tmp/run" --quiet --steps 3
expect 0 info "$tmp/run/last.safetensors"
says out "source         fine-tuned from sample4geo.pth (Sample4Geo)" "licence        not stated"

# Drone pictures have no heading: they are used unturned, among tiles of the same weights.
expect 0 import $data/sample4geo.pth --as sample4geo-university --out "$tmp/drone.safetensors"
says out "384 x 384 pixels, from above, as by a drone"
expect 0 index --weights "$tmp/drone.safetensors" --tiles $demo/tiles.csv --out "$tmp/drone.gpkg" --quiet
expect 0 locate --weights "$tmp/drone.safetensors" --index "$tmp/drone.gpkg" --format json $demo/aerial/3.png
python3 - "$tmp/out" <<'END'
import json, sys
photo, = json.load(open(sys.argv[1]))
best = photo["hits"][0]
assert best["source"] == "aerial/3.png" and best["score"] > 0.9999 and best["heading"] is None, best
END
expect 1 locate --weights "$tmp/drone.safetensors" --index "$tmp/drone.gpkg" --heading 20 $demo/aerial/3.png
refused "--heading is unsupported with these weights"
expect 1 train --init "$tmp/drone.safetensors" --data "$tmp/town" --spin 0.5 --out "$tmp/none"
refused "--spin does not apply" "are not full panoramas"
expect 0 train --init "$tmp/drone.safetensors" --data "$tmp/town" --batch 4 --quiet --steps 1 --out "$tmp/drones"

# A refusal leaves no files.
expect 1 import $data/sample4geo.pth --out "$tmp/x.safetensors"
refused "sample4geo.pth: it is a network of Sample4Geo" "give --as sample4geo-vigor, sample4geo-cvact"
expect 1 import $data/sample4geo.pth --as frgeo-cvusa --out "$tmp/x.safetensors"
refused "so --as takes sample4geo-vigor"
expect 2 import $data/sample4geo.pth --as sample4geo --out "$tmp/x.safetensors"
expect 1 import $data/convnext.pth --out "$tmp/x.safetensors"
refused "unsupported network" "init --backbone"
expect 1 import "$tmp/statewide.safetensors" --out "$tmp/x.safetensors"
refused "statewide.safetensors: these are already GeoViewMatch weights;"
expect 1 import $demo/street/1.png --out "$tmp/x.safetensors"
refused "1.png: expected a safetensors file or one saved by torch.save"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 709539032\n' > "$tmp/last.safetensors"
expect 1 import "$tmp/last.safetensors" --out "$tmp/x.safetensors"
refused "last.safetensors: it is a Git LFS pointer; run \`git lfs pull\` to fetch the file"
expect 1 embed --weights $data/sample4geo.pth --view aerial --out "$tmp/x.safetensors" $demo/aerial/1.png
refused "sample4geo.pth: it is a PyTorch file; \`import\` converts it"
expect 1 embed --weights $data/statewide.safetensors --view aerial --out "$tmp/x.safetensors" $demo/aerial/1.png
refused "it is not a GeoViewMatch checkpoint; \`import\` converts a published network"
expect 2 import $data/statewide.safetensors --out "$tmp/x.safetensors" --licence "$(printf '%201s' x)"
refused "at most 200 bytes"
head -c 30000 $data/sample4geo.pth > "$tmp/cut.pth"
expect 1 import "$tmp/cut.pth" --as sample4geo-vigor --out "$tmp/x.safetensors"
refused "cut.pth: " "truncated"
cp README.md "$tmp/mine"
expect 1 import $data/statewide.safetensors --out "$tmp/mine"
cmp README.md "$tmp/mine"

# A file that would run code when unpickled, in the folder where its mark would appear.
program=$GEOVIEWMATCH
[ "${program#/}" != "$program" ] || program=$PWD/$program
for file in "$PWD"/tests/golden/torch/bad_*.pth; do
    status=0
    (cd "$tmp" && "$program" import "$file" --out x.safetensors > out 2> err) || status=$?
    [ $status = 1 ] || { echo "status $status of $file"; exit 1; }
    refused "$(basename "$file"): "
done
expect 1 import tests/golden/torch/bad_system.pth --out "$tmp/x.safetensors"
refused "its pickle calls posix.system; only tensors are read, no code is run"
fails ls "$tmp"/x.safetensors "$tmp"/tests_ran_code tests_ran_code 2> /dev/null
