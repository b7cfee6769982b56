#!/bin/bash
# Overhead imagery to a map on disk: rasters, lists, web-map tiles; killed and run again; tiles added and removed. A
# refusal leaves the map unchanged.
. tests/cli/common.bash
w=$(nano)
map=$tmp/map.gpkg

# Two pictures of 200 x 200 pixels of 0.4 m with a world file, 100 m apart.
for i in 1 2; do
    cp $demo/aerial/$i.png "$tmp/$i.png"
    printf '0.4\n0\n0\n-0.4\n%s.2\n5539999.8\n' $((500000 + 100 * i)) > "$tmp/$i.pgw"
done
utm=(--weights "$w" --crs EPSG:32633)
one=("${utm[@]}" --out "$map" --raster "$tmp/1.png")

# contents MAP: its content, except its id; checks that it is valid.
contents() {
    tail -c +4097 "${1%.gpkg}.features" | md5sum
    python3 - "$1" <<'END'
import hashlib, os, sqlite3, sys
c = sqlite3.connect(sys.argv[1])
ask = lambda q: c.execute(q).fetchall()
assert ask("PRAGMA integrity_check") == [("ok",)]
facts = dict(ask("SELECT key, value FROM geoviewmatch"))
tiles = ask("SELECT row, source, lat, lon, metres, geom FROM tiles ORDER BY fid")
assert len(tiles) == ask("SELECT count(*) FROM rtree_tiles_geom")[0][0] <= int(facts["rows"])
assert os.path.getsize(sys.argv[1][:-4] + "features") == 4096 + 2 * int(facts["rows"]) * int(facts["width"])
print(len(tiles), hashlib.md5(repr(tiles).encode()).hexdigest(), facts["jobs"])
END
}

# same A B: two maps have the same content.
same() {
    diff <(contents "$1") <(contents "$2") || { echo "$1 and $2 differ"; exit 1; }
}

# ------------------------------------------------------------------ a raster

expect 1 index --weights "$w" --out "$map" --raster "$tmp/1.png"
refused "1.png: it has a geotransform but no coordinate system; name it, for example --crs EPSG:25832"
[ ! -e "$map" ]
expect 0 index "${one[@]}"
lines err 1 # the plan
says err "1.png: 200 x 200 pixels of 0.4 m: 4 places for tiles of 64 m, every 32 m"
says out "$map: 4 tiles"
contents "$map" > "$tmp/first"
python3 - "$map" <<'END'
import sqlite3, sys
for lat, lon, metres in sqlite3.connect(sys.argv[1]).execute("SELECT lat, lon, metres FROM tiles"):
    assert metres == 64 and abs(lat - 50.01196) < 2e-4 and abs(lon - 15.00195) < 3e-4, (lat, lon, metres)
END
expect 0 index "${one[@]}"
says out "$map: already complete, 4 tiles"
contents "$map" | diff - "$tmp/first"
expect 0 info "$map"
says out "GeoViewMatch map" "tiles          4" "building       complete" "latitude 50.01" "$tmp/1.png: 4 tiles"
expect 0 info --json "$map"
python3 - "$tmp/out" <<'END'
import json, sys
m = json.load(open(sys.argv[1]))
assert m["kind"] == "map" and m["tiles"] == 4 and m["complete"] and len(m["fingerprint"]) == 16
assert m["sources"][0]["tiles"] == 4 and 50 < m["extent"]["south"] < m["extent"]["north"] < 50.02
END

# ------------------------------------------------------------------ refusals leave the map unchanged

expect 1 index "${one[@]}" --stride-metres 16
refused "map.gpkg: the map exists, from other sources or with other options; add to it (--add)"
expect 1 index "${utm[@]}" --out "$map" --raster "$tmp/2.png"
refused "or choose another name"
expect 0 init --preset nano --seed 8 --out "$tmp/other.safetensors"
expect 1 index "${one[@]}" --weights "$tmp/other.safetensors"
refused "map.gpkg: the map was made with weights of fingerprint "
expect 1 index "${one[@]}" "$tmp/gone.png" --add
refused "gone.png: cannot open it"
ln -s 1.png "$tmp/link.png"
for name in 1.png ./1.png link.png; do
    expect 1 index "${one[@]}" "$tmp/$name" --add
    refused "$name: it is given twice"
done
echo text > "$tmp/text.tif"
expect 1 index "${one[@]}" "$tmp/text.tif" --add
refused "text.tif: unsupported or corrupt raster"
head -c 200 "$tmp/2.png" > "$tmp/void.png"
cp "$tmp/2.pgw" "$tmp/void.pgw"
expect 1 index "${utm[@]}" --out "$map" --raster "$tmp/void.png" --add
lines out 0
says err "void.png: part of it cannot be read" "map.gpkg: nothing was added, as none of 4 places has a tile"
for bad in 1,2,3 'POINT(1 2)' north; do
    expect 1 index --out "$map" --remove "$bad"
    refused "invalid area \"$bad\""
done
contents "$map" | diff - "$tmp/first"

# ------------------------------------------------------------------ added and removed

expect 0 index "${utm[@]}" --out "$map" --raster "$tmp/2.png" --add
says out "$map: 4 tiles"
contents "$map" > "$tmp/both"
[[ $(sed -n 2p "$tmp/both") == "8 "* ]]
expect 0 index "${one[@]}" --add
says out "already complete"
contents "$map" | diff - "$tmp/both"
expect 0 index --out "$map" --remove 'POLYGON((15.0026 50, 15.0026 51, 16 51, 16 50, 15.0026 50))'
says out "$map: 4 tiles removed"
expect 0 info "$map"
says out "tiles          4" "1.png: 4 tiles"

# --add restores removed tiles: all tiles of these sources again, once, whatever else is in the map.
second=("${utm[@]}" --out "$map" --raster "$tmp/2.png")
expect 0 index "${second[@]}"
says out "$map: already complete, 0 tiles, 4 removed (--add adds them again)"
expect 0 index "${second[@]}" --add
says out "$map: 4 tiles"
expect 0 index "${second[@]}" --add
says out "$map: already complete, 4 tiles"
expect 0 index --out "$map" --remove '15.0026,50,16,50.01196' # the southern ones
says out "$map: 2 tiles removed"
expect 0 index "${second[@]}" --add
expect 0 info "$map"
says out "tiles          8" "building       complete" "1.png: 4 tiles" "2.png: 4 tiles"
python3 - "$map" <<'END'
import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
tiles = c.execute("SELECT source, lat, lon, row FROM tiles ORDER BY row").fetchall()
assert len({t[1:3] for t in tiles}) == 8 and [t[3] for t in tiles] == [0, 1, 2, 3, 12, 13, 14, 15], tiles
END
contents "$map" > /dev/null
expect 1 index --weights "$w" --out "$tmp/none.gpkg" --tiles $demo/tiles.csv --add
refused "none.gpkg: there is no such map to add to"

# ------------------------------------------------------------------ killed, and disk full

big=("${utm[@]}" --raster "$tmp/1.png" "$tmp/2.png" --tile-metres 32 --stride-metres 6)
expect 0 index "${big[@]}" --out "$tmp/whole.gpkg"
says out "$tmp/whole.gpkg: 162 tiles"

# part MAP: the number of committed tiles if the map is incomplete, else 0.
part() {
    "$GEOVIEWMATCH" info --json "$1" 2> /dev/null |
        python3 -c 'import json, sys; m = json.loads(sys.stdin.read() or "{}"); print(0 if m.get("complete", 1) else m["tiles"])'
}

# Killed after a commit that is not the last. There is one commit a second, so some kill must succeed; if the machine
# finishes sooner, the next stride is more work.
for stride in 4 2 1 0.5; do
    long=("${utm[@]}" --raster "$tmp/1.png" "$tmp/2.png" --tile-metres 32 --stride-metres $stride)
    rm -f "$tmp"/killed.*
    landed=0 before=0
    for try in 1 2; do
        "$GEOVIEWMATCH" index "${long[@]}" --out "$tmp/killed.gpkg" > /dev/null 2>&1 & pid=$!
        while kill -0 $pid 2> /dev/null && [ "$(part "$tmp/killed.gpkg")" -le $before ]; do sleep 0.02; done
        kill -9 $pid 2> /dev/null || true
        wait $pid 2> /dev/null || true
        got=$(part "$tmp/killed.gpkg")
        [ "$got" -gt $before ] && landed=$((landed + 1)) before=$got
    done
    [ $landed = 0 ] || break
done
[ $landed -ge 1 ] || { echo "no kill landed between two commits"; exit 1; }
expect 0 index "${long[@]}" --out "$tmp/killed.gpkg"
expect 0 index "${long[@]}" --out "$tmp/long.gpkg"
same "$tmp/killed.gpkg" "$tmp/long.gpkg"
[ -z "$(find "$tmp" -name '*.tmp*')" ]

# Killed at other moments, also while the files are created.
for delay in 0.02 0.05 0.1 0.2 0.4; do
    "$GEOVIEWMATCH" index "${big[@]}" --out "$tmp/early.gpkg" > /dev/null 2>&1 & pid=$!
    sleep $delay
    kill -9 $pid 2> /dev/null || true
    wait $pid 2> /dev/null || true
    [ ! -e "$tmp/early.gpkg" ] || "$GEOVIEWMATCH" info "$tmp/early.gpkg" > /dev/null
done
expect 0 index "${big[@]}" --out "$tmp/early.gpkg"
same "$tmp/early.gpkg" "$tmp/whole.gpkg"

# Several processes make the same map at once: one makes it; the others say so or find it finished.
rounds=12
if grep -q __asan_init "$GEOVIEWMATCH"; then rounds=4; fi # there each takes seconds
for i in $(seq $rounds); do
    rm -f "$tmp"/both.*
    pids=()
    for k in 1 2 3; do
        "$GEOVIEWMATCH" index "${utm[@]}" --raster "$tmp/1.png" --out "$tmp/both.gpkg" > "$tmp/out$k" 2> "$tmp/err$k" & pids+=($!)
    done
    good=0
    for k in 1 2 3; do
        if wait ${pids[k - 1]}; then
            good=$((good + 1))
        else
            grep -qF "both.gpkg: another process is building or changing this map" "$tmp/err$k" || { cat "$tmp/err$k"; exit 1; }
        fi
    done
    [ $good -ge 1 ]
    contents "$tmp/both.gpkg" | diff - "$tmp/first"
    [ "$(cd "$tmp" && echo both.*)" = "both.features both.gpkg" ]
done

# Ctrl-C: what to do, and the end that a signal has. It is given once the plan is said, and before the work is done.
rm -f "$tmp"/killed.*
setsid env --default-signal=INT "$GEOVIEWMATCH" index "${long[@]}" --out "$tmp/killed.gpkg" > "$tmp/out" 2> "$tmp/err" & pid=$!
while kill -0 $pid && [ ! -e "$tmp/killed.gpkg" ]; do sleep 0.02; done
kill -INT $pid
status=0
wait $pid || status=$?
[ $status = 130 ] || { echo "status $status after Ctrl-C"; exit 1; }
says err "geoviewmatch: interrupted; run the same command again to continue"
lines out 0

# limited BLOCKS ARGUMENT...: fails if files may have at most BLOCKS KB.
limited() {
    local got=0 blocks=$1
    shift
    (ulimit -f "$blocks" && exec "$GEOVIEWMATCH" "$@" --quiet) > "$tmp/out" 2> "$tmp/err" || got=$?
    [ $got = 1 ] || { echo "status $got under ulimit -f $blocks"; cat "$tmp/err"; exit 1; }
}
limited 500 index "${big[@]}" --out "$tmp/full.gpkg"
refused "full.features: cannot write it: File too large"
expect 0 index "${big[@]}" --out "$tmp/full.gpkg"
same "$tmp/full.gpkg" "$tmp/whole.gpkg"
limited 40 index "${one[@]}" --out "$tmp/small.gpkg"
refused "small.gpkg: cannot write it: File too large"
[ -z "$(find "$tmp" -name 'small.*' -o -name '*.tmp*')" ]

# ------------------------------------------------------------------ lists and web-map tiles

expect 0 index --weights "$w" --out "$tmp/list.gpkg" --tiles $demo/tiles.csv
says out "$tmp/list.gpkg: 4 tiles"
mkdir -p "$tmp/xyz/18/140000" "$tmp/xyz/19/280001" "$tmp/xyz/10/5"
cp $demo/aerial/1.png "$tmp/xyz/18/140000/90000.png"
cp $demo/aerial/1.png "$tmp/xyz/10/5/6.png"
cp $demo/aerial/2.png "$tmp/xyz/19/280001/180001.png"
cp $demo/aerial/2.png "$tmp/xyz/19/280001/notes.png"
echo broken > "$tmp/xyz/19/280001/180002.jpg"
expect 1 index --weights "$w" --out "$tmp/xyz.gpkg" --xyz "$tmp/xyz"
lines err 2
says err "xyz: 2 pictures, one tile each" "19/280001/180002.jpg: unsupported format; expected a JPEG"
says out "$tmp/xyz.gpkg: 1 tile, 1 that could not be read and is missing (--add retries)"
expect 1 index --weights "$w" --out "$tmp/xyz.gpkg" --xyz "$tmp/xyz"
lines err 1
says err "19/280001/180002.jpg: it could not be read and is missing from the map"
says out "$tmp/xyz.gpkg: already complete, 1 tile, 1 that could not be read and is missing"
python3 - "$tmp/xyz.gpkg" <<'END'
import json, sqlite3, sys
with sqlite3.connect(sys.argv[1]) as base: # interrupted, in a job without a list of what could not be read
    (jobs,), = base.execute("SELECT value FROM geoviewmatch WHERE key = 'jobs'")
    job, = json.loads(jobs)
    del job["holes"]
    job.update(done=1, failed=0, complete=False)
    base.execute("UPDATE geoviewmatch SET value = ? WHERE key = 'jobs'", (json.dumps([job]),))
END
expect 1 index --weights "$w" --out "$tmp/xyz.gpkg" --xyz "$tmp/xyz"
says err "19/280001/180002.jpg: unsupported format"
says out "$tmp/xyz.gpkg: 1 tile, 1 that could not be read and is missing"
python3 - "$tmp/xyz.gpkg" <<'END'
import math, sqlite3, sys
(source, lat, lon, metres), = sqlite3.connect(sys.argv[1]).execute("SELECT source, lat, lon, metres FROM tiles")
assert source.endswith("xyz/19/280001/180001.png"), source
n = 2 ** 19
assert abs(lon - (280001.5 / n * 360 - 180)) < 1e-9
assert abs(lat - math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * 180001.5 / n))))) < 1e-9
assert abs(metres / (40075016.7 / n * math.cos(math.radians(lat))) - 1) < 0.005
END
rm -r "$tmp/xyz/19/280001/180001.png" "$tmp/xyz/18" "$tmp/xyz/10"
expect 1 index --weights "$w" --out "$tmp/gone.gpkg" --xyz "$tmp/xyz/19"
refused "no tile z/x/y"
expect 1 index --weights "$w" --out "$tmp/gone.gpkg" --xyz "$tmp/xyz"
lines out 0
says err "gone.gpkg: not made, as none of 1 places has a tile: 0 are empty, 1 cannot be read"
[ -z "$(find "$tmp" -name 'gone.*')" ]

# A raster with missing parts: readable tiles are indexed; the rest is reported at each run until it can be read.
mkdir "$tmp/torn"
cp $demo/aerial/1.png "$tmp/torn/whole.png"
for name in whole torn; do cp "$tmp/1.pgw" "$tmp/torn/$name.pgw"; done
head -c $(($(stat -c %s "$tmp/torn/whole.png") * 7 / 10)) "$tmp/torn/whole.png" > "$tmp/torn/torn.png"
torn=(index "${utm[@]}" --out "$tmp/torn.gpkg" --raster "$tmp/torn/torn.png" "$tmp/2.png" --tile-metres 32)
expect 1 "${torn[@]}"
says err "torn.png: part of it cannot be read"
cp "$tmp/out" "$tmp/first"
for again in 1 2; do
    expect 1 "${torn[@]}"
    lines err 1
    says err "torn/torn.png: " " could not be read and are missing from the map"
    diff <(sed 's/already complete, //' "$tmp/out") "$tmp/first"
done
expect 1 "${torn[@]}" --add
says err "torn.png: part of it cannot be read"
diff "$tmp/out" "$tmp/first"
cp "$tmp/torn/whole.png" "$tmp/torn/torn.png"
expect 0 "${torn[@]}" --add
says out "$tmp/torn.gpkg: 32 tiles"
expect 0 "${torn[@]}"
says out "already complete, 32 tiles"
lines err 0

# ------------------------------------------------------------------ changed sources

# changed PATTERN ARGUMENT...: indexing fails with this sentence, with and without --add, and leaves the map unchanged.
changed() {
    local pattern=$1
    shift
    contents "$tmp/change.gpkg" > "$tmp/before"
    for add in "" --add; do
        expect 1 index --weights "$w" --out "$tmp/change.gpkg" "$@" $add
        refused "change.gpkg: " "$pattern has changed since the map was built; choose another name"
    done
    contents "$tmp/change.gpkg" | diff - "$tmp/before"
    rm "$tmp"/change.*
}
cp $demo/aerial/[12].png "$tmp"
printf 'image,lat,lon\n1.png,50,15\n2.png,50.01,15\n' > "$tmp/list.csv"
expect 0 index --weights "$w" --out "$tmp/change.gpkg" --tiles "$tmp/list.csv"
expect 0 index --weights "$w" --out "$tmp/change.gpkg" --tiles "$tmp/list.csv"
says out "already complete, 2 tiles"
sed -i s/50.01/50.02/ "$tmp/list.csv"
changed list.csv --tiles "$tmp/list.csv"
expect 0 index --weights "$w" --out "$tmp/change.gpkg" --tiles "$tmp/list.csv"
cp $demo/aerial/1.png "$tmp/2.png"
changed list.csv --tiles "$tmp/list.csv"
expect 0 index --weights "$w" --out "$tmp/change.gpkg" --tiles "$tmp/list.csv"
echo 1.png,50.03,15 >> "$tmp/list.csv"
changed list.csv --tiles "$tmp/list.csv"

cp "$tmp/1.png" "$tmp/r.png"
cp "$tmp/1.pgw" "$tmp/r.pgw"
rasters=(--crs EPSG:32633 --raster "$tmp/r.png" "$tmp/2.png")
expect 0 index --weights "$w" --out "$tmp/change.gpkg" "${rasters[@]}"
touch "$tmp/r.png" # as if it were another picture of that size
changed r.png "${rasters[@]}"
expect 0 index --weights "$w" --out "$tmp/change.gpkg" "${rasters[@]}"
cp "$tmp/2.pgw" "$tmp/r.pgw"
changed r.png "${rasters[@]}"

# The new tiles replace the old ones once any of these were removed.
expect 0 index --weights "$w" --out "$tmp/change.gpkg" "${rasters[@]}"
cp "$tmp/1.pgw" "$tmp/r.pgw"
expect 0 index --out "$tmp/change.gpkg" --remove 15.0026,50,16,50.01196
expect 1 index --weights "$w" --out "$tmp/change.gpkg" "${rasters[@]}"
refused "r.png has changed"
expect 0 index --weights "$w" --out "$tmp/change.gpkg" "${rasters[@]}" --add
expect 0 info "$tmp/change.gpkg"
says out "tiles          8" "longitude 15.00"
rm "$tmp"/change.*

mkdir -p "$tmp/web/19/280001"
cp $demo/aerial/2.png "$tmp/web/19/280001/180001.png"
expect 0 index --weights "$w" --out "$tmp/change.gpkg" --xyz "$tmp/web"
cp $demo/aerial/1.png "$tmp/web/19/280001/180001.png"
changed web --xyz "$tmp/web"

# ------------------------------------------------------------------ files that are not our maps

echo text > "$tmp/text.gpkg"
expect 1 index --weights "$w" --out "$tmp/text.gpkg" --tiles $demo/tiles.csv
refused "text.gpkg: it is not a GeoPackage"
[ "$(cat "$tmp/text.gpkg")" = text ]
rm "$tmp/list.features"
expect 1 index --weights "$w" --out "$tmp/list.gpkg" --tiles $demo/tiles.csv
refused "list.features: cannot open it: No such file or directory"
expect 1 index --weights "$w" --out "$tmp/list.zip" --tiles $demo/tiles.csv
refused "list.zip: expected a map's name, which ends in .gpkg"

# ------------------------------------------------------------------ files of others, and changed maps

echo "my notes, one day of work" > "$tmp/town.features"
expect 1 index --quiet --weights "$w" --out "$tmp/town.gpkg" --tiles $demo/tiles.csv
refused "town.features: it exists and does not belong to a map; move it away, or choose another name for the map"
[ "$(cat "$tmp/town.features")" = "my notes, one day of work" ]
echo "alias x=y" > "$tmp/victim"
ln -s victim "$tmp/link.features"
expect 1 index --quiet --weights "$w" --out "$tmp/link.gpkg" --tiles $demo/tiles.csv
refused "link.features: it is a symbolic link"
[ "$(cat "$tmp/victim")" = "alias x=y" ]
[ ! -e "$tmp/town.gpkg" ]
[ ! -e "$tmp/link.gpkg" ]

python3 -c "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE layer (fid INTEGER)')" "$tmp/layers.gpkg"
sum=$(cksum < "$tmp/layers.gpkg")
for more in "--tiles $demo/tiles.csv" "--tiles $demo/tiles.csv --add" "--remove 0,0,1,1"; do
    expect 1 index --quiet --weights "$w" --out "$tmp/layers.gpkg" $more
    refused "layers.gpkg: it is a GeoPackage, but not one made by \`geoviewmatch index\`"
    [ "$sum" = "$(cksum < "$tmp/layers.gpkg")" ]
    [ ! -e "$tmp/layers.features" ]
done

# Features of another length, with the fingerprint of the same weights.
python3 - "$map" "$tmp" <<'END'
import shutil, sqlite3, struct, sys
width = int(dict(sqlite3.connect(sys.argv[1]).execute("SELECT key, value FROM geoviewmatch"))["width"])
for name, w, rows in ("w1", 1, 4), ("whalf", width // 2, 4), ("wtwice", 2 * width, 2):
    path = f"{sys.argv[2]}/{name}"
    shutil.copy(sys.argv[1], path + ".gpkg")
    data = bytearray(open(sys.argv[1][:-4] + "features", "rb").read())
    data[12:16] = struct.pack("<I", w)
    open(path + ".features", "wb").write(data)
    c = sqlite3.connect(path + ".gpkg")
    for (trigger,) in c.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        c.execute(f'DROP TRIGGER "{trigger}"')
    c.execute("UPDATE geoviewmatch SET value = ? WHERE key = 'width'", (str(w),))
    c.execute("UPDATE geoviewmatch SET value = ? WHERE key = 'rows'", (str(rows),))
    c.execute("DELETE FROM tiles WHERE row >= ?", (rows,))
    c.commit()
END
for name in w1 whalf wtwice; do
    for command in "locate --index $tmp/$name.gpkg $demo/street/1.png" "serve --port 0 --index $tmp/$name.gpkg" \
        "index --quiet --crs EPSG:32633 --raster $tmp/2.png --add --out $tmp/$name.gpkg"; do
        expect 1 $command --weights "$w"
        refused "$name.gpkg: its features have " "from these weights; the file is corrupt"
    done
done

# ------------------------------------------------------------------ rasters and folders of other kinds

mkdir -p "$tmp/tms/19/280001"
cp $demo/aerial/1.png "$tmp/tms/19/280001/$((2 ** 19 - 1 - 180001)).PNG"
expect 0 index --weights "$w" --out "$tmp/tms.gpkg" --tms "$tmp/tms"
says err "tms: 1 picture, one tile each, rows counted from the south"
echo '<TileMap><SRS>EPSG:3857</SRS><TileSets profile="mercator"/></TileMap>' > "$tmp/tms/tilemapresource.xml"
expect 0 index --weights "$w" --out "$tmp/said.gpkg" --xyz "$tmp/tms"
for name in tms said; do
    python3 - "$tmp/$name.gpkg" <<'END'
import math, sqlite3, sys
(lat,), = sqlite3.connect(sys.argv[1]).execute("SELECT lat FROM tiles")
assert abs(lat - math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * 180001.5 / 2 ** 19))))) < 1e-9
END
done
mkfifo "$tmp/pipe"
for place in pipe "$tmp/pipe"; do
    cat > "$tmp/mosaic.vrt" <<END
<VRTDataset rasterXSize="200" rasterYSize="200"><SRS>EPSG:32633</SRS><GeoTransform>500100, 0.4, 0, 5540000, 0, -0.4</GeoTransform>
<VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename relativeToVRT="1">$place</SourceFilename></SimpleSource>
</VRTRasterBand></VRTDataset>
END
    expect 1 index --quiet --weights "$w" --out "$tmp/pipe.gpkg" --raster "$tmp/mosaic.vrt"
    refused "mosaic.vrt: it is read together with " "pipe, which is not a regular file"
done

# ------------------------------------------------------------------ another working folder, and everything moved

mkdir -p "$tmp/work/photos" "$tmp/work/maps"
cp $demo/aerial/1.png "$tmp/1.pgw" "$tmp/work/photos"
program=$(realpath "$GEOVIEWMATCH")
(cd "$tmp/work" && "$program" index --quiet "${utm[@]}" --raster photos/1.png --out maps/m.gpkg) > "$tmp/out"
(cd "$tmp/work/maps" && "$program" index --quiet "${utm[@]}" --raster ../photos/1.png --out m.gpkg) > "$tmp/out"
says out "m.gpkg: already complete, 4 tiles"
pictures() { # 1 if the report lacks the imagery of its tile, else 0
    rm -rf "$tmp/report"
    "$GEOVIEWMATCH" locate --quiet --weights "$w" --index "$1" --top 1 --report "$tmp/report" $demo/street/1.png \
        > "$tmp/out" 2> "$tmp/err" || true
    if grep -qF "not found where it was" "$tmp/err" "$tmp/report/index.html"; then echo 1; else echo 0; fi
}
[ "$(pictures "$tmp/work/maps/m.gpkg")" = 0 ]
mv "$tmp/work" "$tmp/elsewhere"
[ "$(pictures "$tmp/elsewhere/maps/m.gpkg")" = 0 ]
(cd "$tmp/elsewhere" && "$program" index --quiet "${utm[@]}" --raster photos/1.png --out maps/m.gpkg) > "$tmp/out"
says out "m.gpkg: already complete, 4 tiles"
mv "$tmp/elsewhere/photos" "$tmp/away"
[ "$(pictures "$tmp/elsewhere/maps/m.gpkg")" = 1 ]

# ------------------------------------------------------------------ usage

expect 2 index --weights "$w" --tiles a.csv
refused "--out is required"
expect 2 index --weights "$w" --out "$map"
refused "exactly one of --raster, --tiles, --xyz and --tms is required"
expect 2 index --weights "$w" --out "$map" --tiles a.csv --xyz b
refused "exactly one of --raster, --tiles, --xyz and --tms is required"
expect 2 index --weights "$w" --out "$map" --tiles a.csv --tile-metres 30
refused "--tile-metres, --stride-metres, --crs, --alpha and --near require --raster"
expect 2 index --tile-metres 0
refused "--tile-metres takes metres from 1 to 20000, got '0'"
expect 2 index --alpha maybe
refused "--alpha takes yes or no, got 'maybe'"
expect 2 index --weights "$w" --out "$map" --tiles a.csv --alpha no
refused "--tile-metres, --stride-metres, --crs, --alpha and --near require --raster"
expect 2 index --weights "$w" --out "$map" --tms a --xyz b
refused "exactly one of --raster, --tiles, --xyz and --tms is required"
expect 2 index --stride-metres far
refused "--stride-metres takes metres from 0.01 to 100000, got 'far'"
expect 2 index --weights "$w" --out "$map" --xyz d stray
refused "unexpected argument 'stray'"
expect 2 index --out "$map" --remove 1,2,3,4 --xyz d
refused "--remove cannot be combined with imagery"
