#!/bin/bash
# Fresh weights, and what `info` reports for them and for other files.
. tests/cli/common.bash

expect 0 init --preset nano --seed 7 --out "$tmp/a.safetensors"
says out "a.safetensors: 2942780 parameters, fingerprint "
lines err 0
expect 0 init --preset nano --seed 7 --out "$tmp/b.safetensors"
cmp "$tmp/a.safetensors" "$tmp/b.safetensors"
expect 0 init --preset nano --seed 8 --out "$tmp/b.safetensors"
! cmp -s "$tmp/a.safetensors" "$tmp/b.safetensors" || { echo "another seed gave the same weights"; exit 1; }

expect 0 info "$tmp/a.safetensors"
says out "a.safetensors: GeoViewMatch weights" "parameters     2942780" \
    "Swin V2, dim 24, depths 2,2,2,2, heads 1,2,4,8, window 4" \
    "street view    64 x 320 pixels, elevations -45 to 45 degrees" \
    "aerial view    128 x 128 pixels, 64 m on the ground" \
    "2304 numbers, from stages 3 4 with 8 masks each"
if grep -q warning "$tmp/out"; then echo 'a warning of nothing'; exit 1; fi
expect 0 info --json "$tmp/a.safetensors"
python3 - "$tmp/out" <<'END'
import json, sys
i = json.load(open(sys.argv[1]))
m = i["multiply_adds"]
assert i["kind"] == "weights" and i["parameters"] == 2942780 and i["features"] == 2304 and len(i["fingerprint"]) == 16
assert i["config"]["stages"] == [3, 4] and "warning" not in i
for view in (m["street"], m["aerial"]):
    assert view["all"] == view["linear"] + view["position_bias"] + view["qkv"] + view["attention"]
    assert view["paper"] == view["linear"] + view["position_bias"]
assert m["pair"] == m["street"]["all"] + m["aerial"]["all"]
assert m["pair_paper"] == m["street"]["paper"] + m["aerial"]["paper"]
json.dump(i["config"], open(sys.argv[1] + ".json", "w"))
END

# Custom configurations: the one that info printed, and one with all stages, which gives a warning.
expect 0 init --config "$tmp/out.json" --seed 7 --out "$tmp/b.safetensors"
cmp "$tmp/a.safetensors" "$tmp/b.safetensors"
expect 0 init --config "$tmp/out.json" --stages 1,2,3,4 --out "$tmp/all.safetensors"
says err "warning: the masks of stage 1 alone hold 21523456 of its 25871932 parameters"
expect 0 info "$tmp/all.safetensors"
says out "warning        the masks of stage 1 alone hold 21523456 of its 25871932 parameters"
expect 0 info --json "$tmp/all.safetensors"
says out '"warning": "the masks of stage 1'
rm "$tmp/all.safetensors"

# Photos, and several pictures of a place.
expect 0 init --preset statewide-nano --out "$tmp/cells.safetensors"
expect 0 info "$tmp/cells.safetensors"
says out "street view    96 x 128 pixels, any photo" \
    "aerial view    4 x (96 x 96) pixels, at 0.4, 0.8, 1.6, 3.2 m a pixel; bearing 180 up; cells of 30 m" \
    "256 numbers, from the last map by 16 softmaxes over its positions" "logits         36 times the cosine"
fails grep -q "paper's count" "$tmp/out" # of GeoViewMatch's own paper
expect 0 info "$tmp/a.safetensors"
says out "paper's count"
expect 0 info --json "$tmp/cells.safetensors"
python3 -c 'import json, sys; json.dump(json.load(sys.stdin)["config"], sys.stdout)' < "$tmp/out" > "$tmp/cells.json"
expect 0 init --config "$tmp/cells.json" --out "$tmp/same.safetensors"
cmp "$tmp/cells.safetensors" "$tmp/same.safetensors"

# A network for photos takes the weights of one for panoramas, and adds what they lack.
expect 0 init --from "$tmp/a.safetensors" --preset nano-photo --out "$tmp/photo.safetensors"
says out "photo.safetensors: 2942948 parameters" \
    "64 x 320 pixels, elevations -45 to 45 degrees, or a part of them, all round, headings within 9 degrees"
expect 0 info --json "$tmp/photo.safetensors"
says out '"visible": true' '"wrap": true' '"heading_tolerance": 9.0'
expect 0 embed --view street --weights "$tmp/photo.safetensors" --out "$tmp/photo.f" examples/demo/street/1.png
expect 0 embed --view street --weights "$tmp/a.safetensors" --out "$tmp/plain.f" examples/demo/street/1.png
python3 - "$tmp/photo.f" "$tmp/plain.f" <<'END'
import json, sys
a, b = (open(name, "rb").read()[-2304 * 4:] for name in sys.argv[1:])
assert a == b  # fresh blocks are the identity, so windows over the edge change nothing yet
END
expect 1 init --from "$tmp/photo.safetensors" --preset nano --out "$tmp/back.safetensors"
refused "unexpected tensor 'street.backbone.patch_embed.unseen'"
expect 1 init --from "$tmp/a.safetensors" --preset paper --out "$tmp/back.safetensors"
refused "expected (96, 3, 4, 4)"

# Other files.
mkdir "$tmp/one"
cp $demo/aerial/1.png "$tmp/one/1 \"x\".png"
expect 0 embed --weights "$tmp/a.safetensors" --view aerial --out "$tmp/f.safetensors" "$tmp/one"
expect 0 info "$tmp/f.safetensors"
says out "f.safetensors: 1 tensor, 2304 numbers" "view: aerial" "features F32 [1, 2304]"
expect 0 info --json "$tmp/f.safetensors"
python3 - "$tmp/out" "$tmp/one/1 \"x\".png" <<'END'
import json, sys
i = json.load(open(sys.argv[1]))
assert i["kind"] == "tensors" and i["tensors"] == [{"name": "features", "dtype": "F32", "shape": [1, 2304]}]
assert json.loads(i["metadata"]["names"]) == [sys.argv[2]]
END

# Unreadable input, unwritable output: the old file is kept.
echo old > "$tmp/old.safetensors"
echo '{"model": "geoviewmatch"}' > "$tmp/c.json"
expect 1 init --config "$tmp/c.json" --out "$tmp/old.safetensors" --force
refused 'c.json: the configuration lacks "'
expect 1 init --config "$tmp/nothing.json" --out "$tmp/old.safetensors" --force
refused "nothing.json: cannot open it: No such file or directory"
expect 1 init --preset nano --backbone "$tmp/nothing" --out "$tmp/old.safetensors" --force
refused "nothing: cannot open it"
expect 1 init --preset nano --backbone "$tmp/a.safetensors" --out "$tmp/old.safetensors" --force
refused "a.safetensors: tensor 'patch_embed.proj.weight' is missing"
[ "$(cat "$tmp/old.safetensors")" = old ]
expect 1 init --preset nano --out "$tmp"
refused "it is a directory"
expect 1 init --preset nano --out "$tmp/no/where.safetensors"
refused "where.safetensors: cannot create it: No such file or directory"
expect 1 init --preset nano --out /dev/full
refused "/dev/full: it is not a regular file"
for bad in "$tmp/nothing" "$tmp" /dev/null $demo/tiles.csv; do
    expect 1 info "$bad"
    refused "$bad: "
done
: > "$tmp/empty"
expect 1 info "$tmp/empty"
refused "empty: the file is empty"
status=0
"$GEOVIEWMATCH" info "$tmp/a.safetensors" > /dev/full 2> "$tmp/err" || status=$?
[ $status = 1 ]
says err "cannot write to standard output"
[ -z "$(find "$tmp" -name '*.tmp')" ]
