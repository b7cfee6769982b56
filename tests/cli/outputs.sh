#!/bin/bash
# No command overwrites a file that is not its own. For each output: another program's file at that path, a link to one,
# or an input is refused; the command's own earlier output is overwritten without a message.
. tests/cli/common.bash
w=$(nano)
mkdir "$tmp/data"
cp -r $demo/street $demo/aerial "$tmp/data"
{
    echo id,street,aerial,lat,lon,split
    for i in 1 2 3 4; do echo "$i,street/$i.png,aerial/$i.png,48.00$i,11,$([ $i -lt 3 ] && echo train || echo val)"; done
} > "$tmp/data/pairs.csv"
small=tests/golden/net_narrow.safetensors

# Files of others: text, a picture, a list, tensors.
mkdir "$tmp/strange"
echo 'a day of work' > "$tmp/strange/notes"
cp $demo/aerial/1.png "$tmp/strange/photo.png"
printf 'query,rank\nmine,1\n' > "$tmp/strange/list.csv"
python3 - "$tmp/strange" <<'END'
import json, struct, sys
for name, metadata in (("other", {"format": "pt"}), ("config", {"config": '{"model": "bert"}'})):
    head = json.dumps({"__metadata__": metadata, "x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    open(f"{sys.argv[1]}/{name}.safetensors", "wb").write(struct.pack("<Q", len(head)) + head + b"abcd")
END
cp $GEOVIEWMATCH "$tmp/strange/program"

# guarded COMMAND...: a command whose last argument is its output, in place of "OUT".
guarded() {
    local stranger out=$tmp/out.file
    for stranger in "$tmp/strange"/*; do
        cp "$stranger" "$out"
        expect 1 "${@/OUT/$out}"
        says err "$out: it exists and is not " " written by GeoViewMatch; choose another output file, or overwrite it with --force"
        cmp "$stranger" "$out"
        rm "$out"
        ln -s "$stranger" "$out"
        sum=$(cksum < "$stranger")
        expect 1 "${@/OUT/$out}"
        says err "$out: it is a symbolic link to a file that is not "
        expect 1 "${@/OUT/$out}" --force
        says err "$out: it is a symbolic link to a file that is not "
        [ "$sum" = "$(cksum < "$stranger")" ]
        [ -L "$out" ]
        rm "$out"
    done
    ln -s "$tmp/nowhere" "$out"
    expect 1 "${@/OUT/$out}"
    says err "$out: it is a dangling symbolic link"
    [ -L "$out" ]
    [ ! -e "$tmp/nowhere" ]
    rm "$out"
    : > "$out" # as mktemp makes it
    expect 0 "${@/OUT/$out}"
    [ -s "$out" ]
    expect 0 "${@/OUT/$out}" # its own earlier output
    mv "$out" "$tmp/own.file"
    ln -s "$tmp/own.file" "$out"
    expect 0 "${@/OUT/$out}"
    [ -L "$out" ]
    rm "$out" "$tmp/own.file"
    cp "$tmp/strange/notes" "$out"
    expect 0 "${@/OUT/$out}" --force
    fails cmp -s "$tmp/strange/notes" "$out"
    rm "$out"
}
guarded embed --weights "$w" --view aerial --out OUT $demo/aerial/1.png
guarded heatmap --weights "$w" --view aerial --out OUT $demo/aerial/1.png
guarded init --preset nano --out OUT
guarded check --data "$tmp/data" --list OUT
guarded eval --data "$tmp/data" --weights $small --quiet --matches OUT
guarded eval --data "$tmp/data" --weights $small --quiet --gallery-picture OUT

for files in "--matches F --gallery-picture F" "--gallery-picture F --cache F" "--matches F --cache F"; do
    expect 2 eval --data "$tmp/data" --weights $small ${files//F/$tmp/one}
    refused "--matches, --gallery-picture and --cache must be different files"
    [ ! -e "$tmp/one" ]
done

# Never an input, not even under another name and with --force; nor a file of the data set that is read.
cp "$w" "$tmp/w.safetensors"
ln "$tmp/w.safetensors" "$tmp/same.safetensors"
ln -s w.safetensors "$tmp/link.safetensors"
cp -r "$tmp/data" "$tmp/kept"
reads="this command reads it and would overwrite it; choose another output file"
for out in w same link; do
    for more in "" --force; do
        expect 1 init --from "$tmp/w.safetensors" --float16 --out "$tmp/$out.safetensors" $more
        refused "$tmp/$out.safetensors: $reads"
        expect 1 embed --weights "$tmp/w.safetensors" --view aerial --out "$tmp/$out.safetensors" $more $demo/aerial/1.png
        lines err 1
        cmp "$w" "$tmp/w.safetensors"
    done
done
expect 1 init --preset nano --backbone "$tmp/w.safetensors" --out "$tmp/w.safetensors"
refused "$reads"
expect 1 heatmap --view aerial --out "$tmp/data/aerial/1.png" --force "$tmp/data/aerial/1.png"
refused "$reads"
expect 1 heatmap --side-by-side "$tmp/data/aerial/1.png" --out "$tmp/data/aerial/1.png" --force "$tmp/data/street/1.png"
refused "$reads"
expect 1 embed --view aerial --out "$tmp/data/pairs.csv" --force "$tmp/data/aerial" "$tmp/data"
refused "data/pairs.csv: it is in a folder that this command reads"
for out in pairs.csv street/1.png; do
    expect 1 check --data "$tmp/data" --list "$tmp/data/$out" --force
    refused "$out: it is in a folder that this command reads"
    for option in matches gallery-picture; do
        expect 1 eval --data "$tmp/data" --weights $small --$option "$tmp/data/$out" --force
        refused "$out: it is in a folder that this command reads"
    done
    expect 1 eval --data "$tmp/data" --weights $small --quiet --cache "$tmp/data/$out"
    refused "$out: it is not a picture cache and is left unchanged; choose another"
done
diff -r "$tmp/kept" "$tmp/data"
expect 0 eval --data "$tmp/data" --weights $small --quiet --matches "$tmp/data/matches.csv"
expect 0 eval --data "$tmp/data" --weights $small --quiet --matches "$tmp/data/matches.csv" # its own, in any folder

# A cache, and the temporary file beside it.
for name in cache cache.part; do
    cp "$tmp/strange/photo.png" "$tmp/$name"
    expect 1 eval --data "$tmp/data" --weights $small --quiet --cache "$tmp/cache"
    refused "$tmp/$name: it is not a picture cache and is left unchanged; choose another"
    cmp "$tmp/strange/photo.png" "$tmp/$name"
    rm "$tmp/$name"
done

# A run's files.
train="train --data $tmp/data --init $small --batch 2 --epochs 3 --eval-every 0 --quiet"
mkdir "$tmp/run"
for name in log.jsonl last.safetensors best.safetensors state.safetensors; do
    for stranger in "cp $tmp/strange/notes" "ln -s $tmp/nowhere"; do
        $stranger "$tmp/run/$name"
        expect 1 $train --out "$tmp/run"
        lines err 1
        [ ! -e "$tmp/nowhere" ]
        rm "$tmp/run/$name"
    done
done
expect 0 $train --out "$tmp/run" --steps 1
for name in log.jsonl last.safetensors best.safetensors; do
    mv "$tmp/run/$name" "$tmp/kept.file" || true
    cp "$tmp/strange/notes" "$tmp/run/$name"
    expect 1 train --resume "$tmp/run" --quiet
    lines err 1
    says err "$tmp/run/$name: it "
    cmp "$tmp/strange/notes" "$tmp/run/$name"
    rm "$tmp/run/$name"
    [ ! -e "$tmp/kept.file" ] || mv "$tmp/kept.file" "$tmp/run/$name"
done
printf '{"step": 9' >> "$tmp/run/log.jsonl" # a line truncated by a kill
expect 0 train --resume "$tmp/run" --quiet
[ "$(wc -l < "$tmp/run/log.jsonl")" = 3 ]

# A drawn town: the folder must be new or empty, unless --force is given; links in it are refused even then.
mkdir "$tmp/town"
cp "$tmp/strange/notes" "$tmp/town/pairs.csv"
expect 1 world --out "$tmp/town" --pairs 1 --quiet
refused "$tmp/town: the folder is not empty"
cmp "$tmp/strange/notes" "$tmp/town/pairs.csv"
rm "$tmp/town/pairs.csv"
mkdir "$tmp/elsewhere" "$tmp/town/street"
ln -s ../../strange/notes "$tmp/town/street/000001.jpg"
expect 1 world --out "$tmp/town" --pairs 1 --quiet --force
refused "street/000001.jpg: it is a symbolic link"
rm -r "$tmp/town"/*
for link in street:elsewhere aerial:elsewhere ortho.tif:strange/notes; do
    ln -s "../${link#*:}" "$tmp/town/${link%:*}"
    expect 1 world --out "$tmp/town" --pairs 1 --quiet --force
    refused "$tmp/town/${link%:*}: it is a symbolic link"
    rm "$tmp/town/${link%:*}"
done
[ -z "$(ls "$tmp/elsewhere")" ]
[ "$(cat "$tmp/strange/notes")" = 'a day of work' ]

# A log of requests is added to; another file is not.
expect 0 world --out "$tmp/ortho" --ortho --metres 200 --pairs 1 --quiet
expect 0 index --raster "$tmp/ortho/ortho.tif" --out "$tmp/map.gpkg" --quiet
for stranger in "$tmp/strange"/*; do
    cp "$stranger" "$tmp/log"
    expect 1 serve --index "$tmp/map.gpkg" --port 0 --log "$tmp/log"
    says err "$tmp/log: it exists and is not a log of requests written by GeoViewMatch; choose another output file"
    cmp "$stranger" "$tmp/log"
done
echo '2026-01-31T12:34:56Z GET /v1/map 200 320 1.5 ms' > "$tmp/log"
"$GEOVIEWMATCH" serve --index "$tmp/map.gpkg" --port 0 --log "$tmp/log" > /dev/null 2> "$tmp/err" & pid=$!
until grep -q serving "$tmp/err"; do kill -0 $pid; sleep 0.05; done
kill -TERM $pid
wait $pid
grep -q '^2026-01-31T' "$tmp/log"
[ -z "$(find "$tmp" -name '*.tmp')" ]
