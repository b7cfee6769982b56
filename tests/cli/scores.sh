#!/bin/bash
# p over all tiles, uncalibrated and calibrated, and the scores of all tiles as a GeoTIFF.
. tests/cli/common.bash

expect 0 world --ortho --out "$tmp/town" --metres 300 --pairs 3 --turn yes --seed 3 --quiet
expect 0 init --preset sample4geo-nano --out "$tmp/w.safetensors" --quiet # its loss is a softmax
expect 0 index --weights "$tmp/w.safetensors" --raster "$tmp/town/ortho.tif" --out "$tmp/map.gpkg" --quiet
photos=("$tmp"/town/street/*.jpg)
with_p="locate --weights $tmp/w.safetensors --index $tmp/map.gpkg --quiet"

# p sums to 1 over all tiles, and follows the softmax.
expect 0 $with_p --json --merge no --top 1000 "${photos[0]}"
cp "$tmp/out" "$tmp/all.json"
expect 0 $with_p --json "${photos[0]}"
python3 - "$tmp/all.json" "$tmp/out" <<'END'
import json, math, sys
every, merged = (json.load(open(path))[0] for path in sys.argv[1:])
hits = every["hits"]
assert every["calibrated"] is False and len(hits) == 81
assert abs(sum(h["p"] for h in hits) - 1) < 1e-6
scales = [math.log(hits[0]["p"] / h["p"]) / (hits[0]["score"] - h["score"]) for h in hits[5:]]
assert max(scales) - min(scales) < 1e-2 * scales[0] and 10 < scales[0] < 20, scales  # 1 / 0.07 at first

def metres(a, b):
    r = math.radians
    h = (math.sin(r(a["lat"] - b["lat"]) / 2) ** 2 +
         math.cos(r(a["lat"])) * math.cos(r(b["lat"])) * math.sin(r(a["lon"] - b["lon"]) / 2) ** 2)
    return 2 * 6371008.8 * math.asin(math.sqrt(h))

for m in 25, 50, 100:  # around the answer's position
    want = sum(h["p"] for h in hits if metres(h, merged["hits"][0]) <= m)
    assert abs(merged["p_within_%d_m" % m] - want) < 1e-6, (m, merged, want)
inside = sum(h["p"] for h in hits if metres(h, merged["hits"][0]) < merged["radius_90_m"] - 1e-3)
assert inside < 0.9 <= inside + 0.05, inside
assert 0 < merged["hits"][0]["p"] <= 1 and sum(h["p"] for h in merged["hits"]) < 1
END
expect 0 $with_p "${photos[0]}"
says out "(uncalibrated): within 25 m " "; 0.9 within " "    score       p "
expect 0 $with_p --format lines "${photos[0]}"
says out " (uncalibrated)  "
expect 0 $with_p --format csv "${photos[0]}"
python3 - "$tmp/out" <<'END'
import csv, sys
for row in csv.DictReader(open(sys.argv[1])):
    assert row["calibrated"] == "0" and 0 < float(row["p"]) < 1 and float(row["p_within_100_m"]) < 1, row
    assert float(row["radius_90_m"]) > 0 and row["problem"] == ""
END
expect 0 $with_p --report "$tmp/report" "${photos[0]}"
grep -q "<dt>p (uncalibrated)</dt>" "$tmp/report/index.html"

# Its folder must exist before the work.
expect 1 $with_p --heat "$tmp/nowhere/scores.tif" "${photos[0]}"
says err "scores.tif: cannot write it"
lines out 0

# The map stores what was fitted: a temperature flattens p, and the probability of being off the map takes its share.
fit() {
    python3 - "$tmp/map.gpkg" "$1" <<'END'
import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
base.execute("delete from geoviewmatch where key = 'calibration'")
base.execute("insert into geoviewmatch (key, value) values ('calibration', ?)", (sys.argv[2],))
base.commit()
END
}
fit '{"temperature": 3, "elsewhere": 15}'
expect 0 $with_p --json --merge no --top 1000 "${photos[0]}"
python3 - "$tmp/all.json" "$tmp/out" <<'END'
import json, math, sys
before, after = (json.load(open(path))[0] for path in sys.argv[1:])
a, b = before["hits"], after["hits"]
assert after["calibrated"] is True
for i in 5, 40, 80:
    assert abs(math.log(a[0]["p"] / a[i]["p"]) - 3 * math.log(b[0]["p"] / b[i]["p"])) < 1e-3
rest = 1 - sum(h["p"] for h in b)  # exp(b / T) in the sum
scale = math.log(a[0]["p"] / a[80]["p"]) / (a[0]["score"] - a[80]["score"])
assert abs(rest / b[0]["p"] - math.exp((15 - scale * b[0]["score"]) / 3)) < 1e-2 * rest / b[0]["p"], rest
END
expect 0 $with_p "${photos[0]}"
says out "  p 0."
fails grep -q uncalibrated "$tmp/out"
for damaged in '{"temperature": 0}' '{"temperature": 1e-300}' '{"temperature": 1, "elsewhere": 1e300}'; do
    fit "$damaged"
    expect 1 $with_p "${photos[0]}"
    refused "map.gpkg: its table \`geoviewmatch\` is corrupt"
done
fit '{"temperature": 1}'

# All scores: a file for one photo, a folder for several. The file covers the map's area.
expect 0 $with_p --heat "$tmp/scores.tif" "${photos[0]}"
expect 0 info --json "$tmp/map.gpkg"
python3 - "$tmp/scores.tif" "$tmp/out" <<'END'
import json, struct, sys
data, area = open(sys.argv[1], "rb").read(), json.load(open(sys.argv[2]))
at, = struct.unpack("<I", data[4:8])
count, = struct.unpack("<H", data[at:at + 2])
kinds, tags = {2: "s", 3: "H", 4: "I", 12: "d"}, {}
for i in range(count):
    tag, kind, n, where = struct.unpack("<HHI4s", data[at + 2 + 12 * i:at + 14 + 12 * i])
    size = struct.calcsize("<%d%s" % (n, kinds[kind]))
    text = where[:size] if size <= 4 else data[struct.unpack("<I", where)[0]:][:size]
    tags[tag] = struct.unpack("<%d%s" % (n, kinds[kind]), text)
width, height, bands = tags[256][0], tags[257][0], tags[277][0]
(dx, dy, _), (_, _, _, west, north, _) = tags[33550], tags[33922]
assert (bands, tags[339]) == (2, (3, 3)) and tags[42113][0].rstrip(b"\0") == b"nan", tags  # floats, nodata
assert tags[305][0].startswith(b"GeoViewMatch") and b">p<" in tags[42112][0], tags
# The centres of the outermost tiles are half a pixel inside the raster's edge.
box = [west + dx / 2, north - (height - 0.5) * dy, west + (width - 0.5) * dx, north - dy / 2]
assert (width, height) == (9, 9) and all(abs(a - b) < 0.3 * dx for a, b in
                                        zip(box, (area["extent"][k] for k in ("west", "south", "east", "north")))), box
END
expect 0 $with_p --heat "$tmp/scores.tif" "${photos[0]}" # its own file is overwritten
expect 1 $with_p --heat "$tmp/scores.tif" "${photos[@]}"
refused "scores.tif: --heat takes a folder for 3 photos"
mkdir "$tmp/other"
cp "${photos[0]}" "$tmp/other/000002.png"
expect 0 $with_p --heat "$tmp/heat" "${photos[@]}" "$tmp/other/000002.png"
[ "$(ls "$tmp/heat")" = "$(printf '%s\n' 000001.tif 000002-2.tif 000002.tif 000003.tif)" ]
echo "somebody's" > "$tmp/mine.tif"
expect 1 $with_p --heat "$tmp/mine.tif" "${photos[0]}"
refused "mine.tif"
expect 0 $with_p --heat "$tmp/mine.tif" --force "${photos[0]}"
expect 1 $with_p --heat "$tmp/town/ortho.tif" "${photos[0]}"
refused "ortho.tif"
expect 0 locate --index "$tmp/map.gpkg" --weights "$tmp/w.safetensors" --near exif --within 60 --heat "$tmp/near.tif" --quiet "${photos[0]}"
[ "$(stat -c %s "$tmp/near.tif")" -gt 0 ]

# Scores of other weights give no probability: none is shown, and the file has one band.
expect 0 index --raster "$tmp/town/ortho.tif" --out "$tmp/nano.gpkg" --quiet
expect 0 locate --index "$tmp/nano.gpkg" --heat "$tmp/nano.tif" --json --quiet "${photos[0]}"
python3 - "$tmp/out" <<'END'
import json, sys
photo = json.load(open(sys.argv[1]))[0]
assert photo["calibrated"] is None and not any(key.startswith(("p", "radius")) for key in photo if key != "photo")
assert all("p" not in hit for hit in photo["hits"])
END

# Weights for photos, on a map of cells: the position is the mean of the cells within 45 m, weighted by p; no heading.
expect 0 world --photos --out "$tmp/streets" --pairs 3 --metres 300 --margin 60 --test 0 --seed 5 --quiet
expect 0 init --preset statewide-nano --out "$tmp/cells.safetensors" --quiet
expect 0 index --weights "$tmp/cells.safetensors" --raster "$tmp/streets/imagery/ortho.tif" --out "$tmp/cells.gpkg" --quiet
streets=("$tmp"/streets/photos/*)
with_cells="locate --weights $tmp/cells.safetensors --index $tmp/cells.gpkg --quiet"
expect 0 $with_cells --json --merge no --top 1000 "${streets[0]}"
cp "$tmp/out" "$tmp/all.json"
expect 0 $with_cells --json --heat "$tmp/cells.tif" "${streets[0]}"
cp "$tmp/out" "$tmp/merged.json"
python3 - "$tmp/all.json" "$tmp/out" <<'END'
import json, math, sys
every, merged = (json.load(open(path))[0] for path in sys.argv[1:])
cells, hits = every["hits"], merged["hits"]
assert 90 < len(cells) < 1000 and abs(sum(c["p"] for c in cells) - 1) < 1e-6

def metres(a, b):
    east = (a["lon"] - b["lon"]) * math.cos(math.radians(a["lat"]))
    return 111195 * math.hypot(a["lat"] - b["lat"], east)

taken = set()
for hit in hits:  # each from its best cell, without those of better answers
    best = next(c for c in cells if c["tile"] == hit["tile"])
    near = [c for c in cells if metres(c, best) < 45]
    for name in "lat", "lon":
        mean = sum(c["p"] * c[name] for c in near) / sum(c["p"] for c in near)
        assert abs(hit[name] - mean) < 1e-7, (name, hit, mean)
    own = [c for c in near if c["tile"] not in taken]
    assert abs(hit["p"] - sum(c["p"] for c in own)) < 1e-6 and len(near) >= 3, (hit, len(near))
    taken |= {c["tile"] for c in near}
    assert hit["heading"] is None and hit["score"] == best["score"]
assert all(metres(a, b) > 20 for i, a in enumerate(hits) for b in hits[:i])
END
expect 0 $with_cells --format csv "${streets[@]}"
python3 - "$tmp/out" <<'END'
import csv, sys
assert all(row["heading"] == "" and row["p"] for row in csv.DictReader(open(sys.argv[1])))
END
expect 0 $with_cells --format lines --report "$tmp/report" --force "${streets[@]}"
fails grep -q "nan" "$tmp/out"
fails grep -q "its centre" "$tmp/report/index.html"

# The service gives the same, and its layer matches its description.
python3 -B - "$GEOVIEWMATCH" "$tmp/cells.gpkg" "$tmp/cells.safetensors" "${streets[0]}" "$tmp/merged.json" "$tmp/cells.tif" \
    "$tmp"/town/street/000001.jpg <<'END'
import base64, json, struct, sys
sys.path[:0] = ["tests/serve"]
from schema import check
from service import Service
program, index, weights, photo, told, tiff, panorama = sys.argv[1:]
told = json.load(open(told))[0]
with Service(program, index, "--weights", weights) as service:
    api = service.json("GET", "/openapi.json")
    assert service.json("GET", "/v1/map")["weights"]["photos"] is True
    for path in photo, panorama:  # the panorama as eight views
        answer = service.locate(path)
        check(answer, {"$ref": "#/components/schemas/Answer"}, api)
        assert ("views" in answer) == (path == panorama), answer
    answer = service.locate(photo)
    for name in "calibrated", "p_within_25_m", "p_within_50_m", "p_within_100_m", "radius_90_m":
        assert abs(answer[name] - told[name]) < 1e-4 * (1 + told[name]), (name, answer, told)
    for a, b in zip(answer["answers"], told["hits"]):
        assert abs(a["p"] - b["p"]) < 1e-5 and a["heading"] is None
    body, kind = open(photo, "rb").read(), {"Content-Type": "image/jpeg"}
    scores = service.json("POST", "/v1/scores", body, kind)
    check(scores, {"$ref": "#/components/schemas/Scores"}, api)
    png = base64.b64decode(scores["image"].partition(",")[2])
    width, height = struct.unpack(">II", png[16:24])
    west, south, east, north = scores["bounds"]
    hit = told["hits"][0]
    assert west < hit["lon"] < east and south < hit["lat"] < north
    assert abs((north - south) / height * 111195 - scores["pixel_m"]) < 0.01 and abs(scores["pixel_m"] - 30) < 0.1
    assert scores["score_high"] <= told["hits"][0]["score"] + 1e-5 and 0 < scores["p_high"] < 1
    status, headers, file = service.ask("POST", "/v1/scores?format=tiff", body, kind)
    assert (status, headers["content-type"]) == (200, "image/tiff")
    assert len(file) == len(open(tiff, "rb").read()) and file[:4] == b"II*\0"
    said = service.json("POST", "/v1/heatmap", open(panorama, "rb").read(), kind, status=422)
    assert "views" in said["detail"], said
    assert "several pictures" in service.problem(422, "GET", "/v1/heatmap?tile=0")
    service.stop()
END
