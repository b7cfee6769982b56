#!/bin/bash
# Maps of cells, for weights that see a place at several zooms: made, killed and resumed, near a place; messages about
# coarse imagery and its edge; refusals.
. tests/cli/common.bash
w=$tmp/w.safetensors map=$tmp/map.gpkg
expect 0 init --preset statewide-nano --seed 3 --out "$w"
expect 0 world --out "$tmp/town" --pairs 2 --photos --metres 200 --margin 30 --pixel 0.25 --projection utm --origin 42.36,-71.06
town=(index --weights "$w" --raster "$tmp/town/imagery/ortho.tif")

# contents MAP: its content, except its id.
contents() {
    tail -c +4097 "${1%.gpkg}.features" | md5sum
    python3 - "$1" <<'END'
import hashlib, sqlite3, sys
c = sqlite3.connect(sys.argv[1])
tiles = c.execute("SELECT row, source, lat, lon, metres, cell, geom FROM tiles ORDER BY fid").fetchall()
jobs = c.execute("SELECT value FROM geoviewmatch WHERE key = 'jobs'").fetchone()[0]
print(len(tiles), hashlib.md5(repr(tiles).encode()).hexdigest(), jobs)
END
}

# ------------------------------------------------------------------ made

expect 0 "${town[@]}" --out "$map"
says err "1 raster, 0.25 m a pixel: " " cells of 30 m"
says out "map.gpkg: " " cells, 0.0" " km2, " " s a km2, " " MB, " " partly without imagery (white there)"
contents "$map" > "$tmp/first"
python3 - "$map" "$w" <<'END'
import json, math, os, sqlite3, sys
c = sqlite3.connect(sys.argv[1])
R, rows = 6378137, c.execute("SELECT cell, lat, lon, metres FROM tiles").fetchall()
assert 49 <= len(rows) <= 80, len(rows) # a square of 200 m; the corners of cells decide
for cell, lat, lon, metres in rows:
    row, col = map(int, cell.split(","))
    p = row * 30 / R
    assert metres == 30 and abs(math.degrees(p) - lat) < 1e-12
    assert abs(math.degrees(col * 30 / (R * math.cos(p))) - lon) < 1e-11
assert len(set(r[0] for r in rows)) == len(rows)
assert os.path.getsize(sys.argv[1][:-4] + "features") == 4096 + 512 * len(rows) # 256 numbers of 16 bits
job = json.loads(c.execute("SELECT value FROM geoviewmatch WHERE key = 'jobs'").fetchone()[0])[0]
m = job["imagery"]
assert m["kind"] == "cells" and m["zooms"] == [0.4, 0.8, 1.6, 3.2] and m["bearing"] == 180
assert m["levels"] == [[0, 0, 1, 2]] and job["partly"] > 20, job
END
expect 0 "${town[@]}" --out "$map"
says out "map.gpkg: already complete, " " km2, "
contents "$map" | diff - "$tmp/first"
expect 0 info "$map"
says out "cells          30 m, each in pictures of 0.4, 0.8, 1.6, 3.2 m a pixel" "in part" "ortho.tif: "
expect 0 locate --weights "$w" --index "$map" --report "$tmp/report" "$tmp"/town/photos/*
says out "2 photos located"
[ "$(grep -c 'no picture' "$tmp/report/index.html")" = 0 ]

# ------------------------------------------------------------------ killed

part() {
    "$GEOVIEWMATCH" info --json "$1" 2> /dev/null |
        python3 -c 'import json, sys; m = json.loads(sys.stdin.read() or "{}"); print(0 if m.get("complete", 1) else m["tiles"])'
}
landed=0
for try in 1 2 3; do
    rm -f "$tmp"/killed.*
    "$GEOVIEWMATCH" "${town[@]}" --threads 1 --out "$tmp/killed.gpkg" > /dev/null 2>&1 & pid=$!
    while kill -0 $pid 2> /dev/null && [ "$(part "$tmp/killed.gpkg")" = 0 ]; do sleep 0.02; done
    kill -9 $pid 2> /dev/null || true
    wait $pid 2> /dev/null || true
    [ "$(part "$tmp/killed.gpkg")" = 0 ] || { landed=1; break; }
done
expect 0 "${town[@]}" --threads 1 --out "$tmp/killed.gpkg"
[ $landed = 0 ] || fails grep -q "already complete" "$tmp/out"
expect 0 "${town[@]}" --threads 1 --out "$tmp/whole.gpkg"
diff <(contents "$tmp/killed.gpkg") <(contents "$tmp/whole.gpkg")

# ------------------------------------------------------------------ near a place

near=(--near 42.36,-71.06 --within 80)
expect 0 "${town[@]}" "${near[@]}" --json --out "$tmp/near.gpkg"
python3 - "$map" "$tmp/near.gpkg" "$tmp/out" <<'END'
import json, math, sqlite3, sys
ask = lambda f: dict((r[0], r[1:]) for r in sqlite3.connect(f).execute("SELECT cell, lat, lon, row FROM tiles"))
rows = lambda f: open(f[:-4] + "features", "rb").read()[4096:]
all, near, said = ask(sys.argv[1]), ask(sys.argv[2]), json.load(open(sys.argv[3]))
off = lambda lat, lon: 111195 * math.hypot(lat - 42.36, (lon + 71.06) * math.cos(math.radians(42.36)))
assert set(near) == {k for k, v in all.items() if off(*v[:2]) <= 80} and 18 <= len(near) <= 26, len(near)
assert said["tiles"] == said["made"] == len(near) and said["cell_m"] == 30 and said["bytes"] > 0
# A cell has the same features in the other map: its pictures do not depend on what else is indexed.
a, b = rows(sys.argv[1]), rows(sys.argv[2])
same = [a[512 * all[k][2]:512 * all[k][2] + 512] == b[512 * v[2]:512 * v[2] + 512] for k, v in near.items()]
assert sum(same) > 0.9 * len(same), same
END
expect 1 "${town[@]}" --near 43,-71 --within 80 --out "$tmp/far.gpkg"
refused "no imagery lies within 80 m of 43.000000,-71.000000"
expect 2 "${town[@]}" --near 43,-71 --out "$tmp/far.gpkg"
refused "--near requires --within"
expect 0 index --weights "$(nano)" --raster "$tmp/town/imagery/ortho.tif" "${near[@]}" --out "$tmp/tiles.gpkg"
says out "tiles.gpkg: " " tiles"

# ------------------------------------------------------------------ shared pictures

expect 0 "${town[@]}" "${near[@]}" --share --out "$tmp/shared.gpkg"
expect 0 "${town[@]}" "${near[@]}" --share --out "$tmp/shared.gpkg"
says out "complete"
expect 1 "${town[@]}" "${near[@]}" --out "$tmp/shared.gpkg"
refused "the map exists, from other sources or with other options"
expect 1 "${town[@]}" --near 42.36,-71.06 --within 40 --add --out "$tmp/shared.gpkg"
refused "shared.gpkg: a map cannot mix cells that share pictures with cells that do not; choose"
expect 0 info "$tmp/shared.gpkg"
says out "0.4, 0.8, 1.6, 3.2 m a pixel, the coarse ones shared"
python3 - "$tmp/shared.gpkg" "$tmp/near.gpkg" <<'END'
import math, sqlite3, struct, sys
def read(f):
    tiles = sqlite3.connect(f).execute("SELECT cell, lat, lon, row FROM tiles").fetchall()
    raw = open(f[:-4] + "features", "rb").read()[4096:]
    return [(c, a, o, struct.unpack("<256e", raw[512 * r:512 * r + 512])) for c, a, o, r in tiles]
shared, exact = map(read, sys.argv[1:3])
assert all(c[0] == "s" for c, *_ in shared) and 18 <= len(shared) <= 26, len(shared)
# The nearest cell of the other lattice, at most 21 m away, is more similar than cells farther away.
close, far = [], []
for _, lat, lon, f in shared:
    for _, a, o, g in exact:
        off = 111195 * math.hypot(lat - a, (lon - o) * math.cos(math.radians(lat)))
        (close if off < 16 else far if off > 60 else []).append(sum(x * y for x, y in zip(f, g)))
assert sum(close) / len(close) > sum(far) / len(far), (len(close), len(far))
END
# The correct cell of a photo is also one of that lattice.
photos=("$tmp"/town/photos/*)
printf 'image,lat,lon\n%s,42.36003,-71.06004\n' "${photos[0]}" > "$tmp/known.csv"
expect 0 eval --protocol metres --weights "$w" --index "$tmp/shared.gpkg" --photos "$tmp/known.csv" --quiet
says out "shared.gpkg: 1 photos, " "  the right tile           0.00"
expect 1 index --weights "$(nano)" --raster "$tmp/town/imagery/ortho.tif" --share --out "$tmp/none.gpkg"
refused "sharing pictures needs weights with three or four zooms"

# ------------------------------------------------------------------ coarse imagery, and other sources than rasters

for i in 0.8 3.3; do
    cp $demo/aerial/1.png "$tmp/$i.png"
    printf '%s\n0\n0\n-%s\n500100.2\n5539999.8\n' $i $i > "$tmp/$i.pgw"
done
coarse=(index --weights "$w" --crs EPSG:32633)
expect 0 "${coarse[@]}" --raster "$tmp/0.8.png" --out "$tmp/coarse.gpkg"
says err "0.8.png: its ground sample distance is 0.8 m, but the weights were trained with 0.4 m or finer"
expect 1 "${coarse[@]}" --raster "$tmp/3.3.png" --out "$tmp/none.gpkg"
refused "3.3.png: its ground sample distance, 3.3 m, is too coarse for pictures of 0.4 m a pixel; use finer imagery"
expect 1 index --weights "$w" --tiles $demo/tiles.csv --out "$tmp/none.gpkg"
refused "these weights need several zooms of each place, cut from georeferenced rasters"
expect 1 "${town[@]}" --tile-metres 64 --out "$tmp/none.gpkg"
refused "these weights have a fixed cell size"
[ ! -e "$tmp/none.gpkg" ]
