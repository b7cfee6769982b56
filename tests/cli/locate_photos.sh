#!/bin/bash
# Ordinary photos with weights that take any camera: their camera in each format, what corrects it, and what is refused.
. tests/cli/common.bash

expect 0 init --from nano --preset nano-photo --out "$tmp/w.safetensors"
expect 0 world --photos --out "$tmp/town" --pairs 4 --metres 300 --margin 80 --pixel 0.5 --shape 4:3,3:4 --fov 50,90 \
    --orientation any --seed 5 --quiet
expect 0 index --raster "$tmp/town/imagery/ortho.tif" --weights "$tmp/w.safetensors" --out "$tmp/map.gpkg" --quiet
photos=$tmp/town/photos
locate=(locate --weights "$tmp/w.safetensors" --index "$tmp/map.gpkg" --quiet)

# The camera is read from the EXIF, also of photos that are stored turned.
expect 0 "${locate[@]}" --json "$photos"
python3 - "$tmp/out" "$tmp/town/photos.csv" <<'END'
import csv, json, sys
answers = json.load(open(sys.argv[1]))
truths = list(csv.DictReader(open(sys.argv[2])))
assert len(answers) == len(truths) == 4
for answer, truth in zip(answers, truths):
    camera = answer["camera"]
    assert answer["photo"].endswith(truth["image"]), (answer, truth)
    assert camera["lens"] == "pinhole" and camera["fov_from"] == "focal_35mm" and camera["warnings"] == [], camera
    assert abs(camera["fov"] - float(truth["fov"])) < 2, (camera, truth)
    assert camera["heading_from"] == "exif" and abs(camera["heading"] - float(truth["heading"])) < 0.02, (camera, truth)
    assert camera["pitch"] is None and not answer["heading_estimated"]
    assert answer["hits"][0]["heading"] == camera["heading"]
END

# Options correct the camera, and so does a list; an option goes before the list.
first=$photos/000001.jpg
camera() { # camera EXPRESSION OPTIONS...
    local expression=$1
    shift
    expect 0 "${locate[@]}" --json "$@" "$first"
    python3 -c "import json, sys; a = json.load(open(sys.argv[1]))[0]; c = a['camera']; assert $expression, a" "$tmp/out"
}
camera 'abs(c["fov"] - 80) < 1e-6 and c["fov_from"] == "option" and c["pitch"] == 2 and c["roll"] == -1' --fov 80 --pitch 2 --roll -1
camera 'c["lens"] == "fisheye"' --lens fisheye
camera 'c["k1"] == -0.1 and c["k2"] == 0.02' --lens -0.1,0.02
camera 'c["lens"] == "cylinder" and abs(c["fov"] - 180) < 1e-6' --projection cylinder --fov 180
camera 'c["heading"] == 350 and c["heading_from"] == "option" and a["hits"][0]["heading"] == 350' --heading -10
camera 'c["heading"] is None and c["heading_from"] is None and a["heading_estimated"]' --heading find
camera 'c["lens"] == "sphere" and c["fov"] == 360' --panorama yes
camera 'c["fov_from"] == "option" and c["pitch_from"] == "option" and c["lens_from"] == "option"' --known "$tmp/town/photos.csv"
camera 'abs(c["fov"] - 55) < 1e-6 and c["pitch_from"] == "option"' --known "$tmp/town/photos.csv" --fov 55
printf 'image,lat,lon,lens,focal35\nphotos/000001.jpg,45,-30,"0.1,0",30\n' > "$tmp/town/list.csv"
camera 'c["k1"] == 0.1 and c["fov_from"] == "option" and c["heading_from"] == "exif"' --known "$tmp/town/list.csv"
printf 'image,lat,lon,fov\nphotos/000001.jpg,45,-30,0\n' > "$tmp/town/list.csv"
expect 1 "${locate[@]}" --known "$tmp/town/list.csv" "$first"
refused 'list.csv, line 2: fov "0" is not a number from 1 to 360'
printf 'image,lat,lon,lens\nphotos/000001.jpg,45,-30,wide\n' > "$tmp/town/list.csv"
expect 1 "${locate[@]}" --known "$tmp/town/list.csv" "$first"
refused 'list.csv, line 2: lens "wide" is none of pinhole, fisheye, cylinder, sphere and K1,K2'

# Without metadata the field of view is assumed, and flagged in every format; the heading is estimated.
python3 -B -c 'import sys; sys.path.insert(0, "tests/browser"); from helpers import *; write(sys.argv[2], without_exif(sys.argv[1]))' \
    "$first" "$tmp/bare.jpg"
expect 0 "${locate[@]}" --top 1 "$tmp/bare.jpg"
says out "  heading " ", estimated" "  field of view " " degrees, assumed"
expect 0 "${locate[@]}" --top 1 --format lines "$tmp/bare.jpg" "$first"
says out "(assumed)  $tmp/bare.jpg"
fails grep -q "(assumed)  $first" "$tmp/out"
expect 0 "${locate[@]}" --top 1 --format csv "$tmp/bare.jpg" "$first"
python3 - "$tmp/out" <<'END'
import csv, sys
bare, own = csv.DictReader(open(sys.argv[1]))
assert bare["fov_from"] == "assumed" and bare["heading_from"] == "" and bare["heading_estimated"] == "1", bare
assert own["fov_from"] == "focal_35mm" and own["heading_from"] == "exif" and 40 < float(own["fov"]) < 95, own
END
expect 0 "${locate[@]}" --top 1 --format geojson "$tmp/bare.jpg"
python3 - "$tmp/out" <<'END'
import json, sys
camera = json.load(open(sys.argv[1]))["features"][0]["properties"]["camera"]
assert camera["fov_from"] == "assumed" and "assumed" in camera["warnings"][0], camera
END

# A full panorama stays one.
expect 0 "${locate[@]}" --json --heading 0 --top 1 $demo/street/1.png
python3 - "$tmp/out" <<'END'
import json, sys
camera = json.load(open(sys.argv[1]))[0]["camera"]
assert camera["lens"] == "sphere" and camera["fov"] == 360, camera
END

# The report shows what the network saw.
expect 0 "${locate[@]}" --top 2 --report "$tmp/report" "$first" $demo/street/1.png
[ "$(grep -o 'What the network saw of' "$tmp/report/index.html" | wc -l)" = 1 ]
grep -q 'from EXIF: 35 mm equivalent focal length' "$tmp/report/index.html"
expect 0 heatmap --weights "$tmp/w.safetensors" --view street --fov 70 --out "$tmp/heat.png" "$first"
expect 0 embed --weights "$tmp/w.safetensors" --view street --out "$tmp/f.safetensors" "$first" "$tmp/bare.jpg"
says out "features of 2 pictures" "; 1 with an assumed field of view"
expect 0 eval --protocol metres --weights "$tmp/w.safetensors" --index "$tmp/map.gpkg" --photos "$tmp/town/photos.csv"
says out "4 photos, "

# What cannot be located, in one sentence each.
expect 1 "${locate[@]}" --fov 20 "$first"
refused "000001.jpg: a field of view of 20.0 degrees is too narrow to be located; expected at least 25"
expect 1 "${locate[@]}" --pitch 90 "$first"
refused "000001.jpg: it shows nothing between -45 and 45 degrees of elevation"
expect 1 "${locate[@]}" --fov 200 "$first"
refused "000001.jpg: a pinhole camera cannot see 200 degrees; give its lens"
expect 2 "${locate[@]}" --fov 60 --focal35 30 "$first"
refused "--fov and --focal35 exclude each other"
expect 1 locate --index "$tmp/map.gpkg" --weights "$(nano)" --fov 60 "$first"
refused "--fov is unsupported with these weights: they take full panoramas only"
expect 1 embed --weights "$(nano)" --view street --roll 2 --out "$tmp/g.safetensors" "$first"
refused "--roll is unsupported with these weights"
expect 1 heatmap --weights "$(nano)" --view street --roll 2 --out "$tmp/g.png" "$first"
refused "--roll is unsupported with these weights"
expect 2 embed --weights "$tmp/w.safetensors" --view aerial --fov 60 --out "$tmp/g.safetensors" $demo/aerial/1.png
refused "--fov requires --view street"

# The service answers the same, and takes the camera as parameters; other weights refuse them.
python3 -B tests/serve/cameras.py "$GEOVIEWMATCH" "$tmp/map.gpkg" "$tmp/w.safetensors" "$first" "$tmp/bare.jpg"
