#!/bin/bash
# `info PHOTO`: the camera from the metadata and from options, each value with its source.
. tests/cli/common.bash

# An aerial picture as a phone's photo: 35 mm equivalent, turned, with a heading from magnetic north, in July 2022.
python3 - $demo/aerial/1.png "$tmp/photo.png" <<'END'
import struct, sys, zlib

picture = [(0x10F, 2, b"Nokia\0"), (0x112, 3, struct.pack(">H", 6))]
camera = [(0x9003, 2, b"2022:07:02 10:00:00\0"), (0xA405, 3, struct.pack(">H", 26))]
gps = [(1, 2, b"N\0"), (2, 5, struct.pack(">6I", 51, 1, 30, 1, 0, 1)), (3, 2, b"W\0"),
       (4, 5, struct.pack(">6I", 0, 1, 6, 1, 0, 1)), (16, 2, b"M\0"), (17, 5, struct.pack(">2I", 359, 1))]
size = {2: 1, 3: 2, 4: 4, 5: 8}


def directory(at, entries):
    head, data = struct.pack(">H", len(entries)), b""
    for tag, kind, value in entries:
        head += struct.pack(">HHI", tag, kind, len(value) // size[kind])
        if len(value) > 4:
            head += struct.pack(">I", at + 6 + 12 * len(entries) + len(data))
            data += value
        else:
            head += value.ljust(4, b"\0")
    return head + bytes(4) + data


length = len(directory(8, picture + [(0x8769, 4, bytes(4)), (0x8825, 4, bytes(4))]))
second = directory(8 + length, camera)
third = 8 + length + len(second)
exif = b"MM\0*\0\0\0\x08" + directory(8, picture + [(0x8769, 4, struct.pack(">I", 8 + length)),
                                                    (0x8825, 4, struct.pack(">I", third))]) + second
exif += directory(third, gps)
png = open(sys.argv[1], "rb").read()
chunk = b"eXIf" + exif
open(sys.argv[2], "wb").write(png[:33] + struct.pack(">I", len(exif)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[33:])
END

# camera EXPRESSION OPTIONS...: a Python expression that holds for the camera of `info --json`.
camera() {
    local expression=$1
    shift
    expect 0 info --json "$@" "$tmp/photo.png"
    python3 -c "import json, sys; i = json.load(open(sys.argv[1])); c = i['camera']; assert $expression, i" "$tmp/out"
}

expect 0 info "$tmp/photo.png"
says out "GPS position   51.500000, -0.100000" "orientation    6, turned upright" "camera         Nokia" \
    "field of view  60.9 x 60.9 degrees, from EXIF: 35 mm equivalent focal length, 26 mm" \
    "heading        359.5 degrees, from EXIF: 359.0 from magnetic north, and a declination of 0.5 degrees in 2022"
camera 'c["fov_from"] == "focal_35mm" and 60.8 < c["fov"] < 61.2 and c["orientation"] == 6 and c["maker"] == "Nokia" and "model" not in c and c["warnings"] == []'
camera 'c["heading_from"] == "exif" and 359.4 < c["heading"] < 359.7 and 0.4 < c["declination"] < 0.7 and i["heading"] == 359'
camera 'c["pitch"] is None and c["pitch_from"] is None and c["roll"] is None'
camera 'c["heading"] == 350 and c["heading_from"] == "option" and "declination" not in c' --heading -10
camera 'abs(c["fov"] - 90) < 1e-6 and c["fov_from"] == "option" and c["pitch"] == 3 and c["roll"] == -2' --fov 90 --pitch 3 --roll -2
camera 'c["lens"] == "pinhole" and c["k1"] == -0.2 and c["k2"] == 0.03 and c["lens_from"] == "option"' --lens -0.2,0.03
camera 'c["lens"] == "fisheye" and abs(c["fov"] - 200) < 1e-6' --lens fisheye --fov 200
camera 'c["lens"] == "cylinder" and abs(c["fov"] - 180) < 1e-6' --projection cylinder --fov 180
camera 'c["lens"] == "sphere" and c["circle"]["left"] * 6 == c["circle"]["width"]*2' --projection sphere --fov 120
camera '28 < c["fov"] < 35' --focal35 50
expect 0 info --fov 20 "$tmp/photo.png"
says out "field of view  20.0 x 20.0 degrees, as given" "warning        the field of view is below 25 degrees"
expect 0 info $demo/aerial/1.png
says out "degrees, assumed" "warning        the field of view is assumed"

for bad in "--fov 0.5" "--fov x" "--focal35 0" "--pitch 91" "--roll 181" "--lens wide" "--lens 1" "--lens 1,3" "--projection round" \
    "--fov 60 --focal35 30" "--lens fisheye --projection sphere"; do
    expect 2 info $bad "$tmp/photo.png"
    lines out 0
done
for other in nano tests tests/golden/net_narrow.safetensors; do
    expect 2 info --fov 60 $other
    refused "--fov is about a picture's camera, and $other is no picture"
done
expect 1 info --fov 200 "$tmp/photo.png"
refused "photo.png: a pinhole camera cannot see 200 degrees; give its lens"
expect 1 info --fov 120 --lens -0.9,0 "$tmp/photo.png"
refused "photo.png: with the distortion -0.9, 0 the lens cannot see 120 degrees"
