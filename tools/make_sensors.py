#!/usr/bin/env python3
"""Writes src/image/sensors.def: the width of cameras' sensors.

    apt-get source colmap
    tools/make_sensors.py colmap-*/src/util/camera_specs.cc > src/image/sensors.def

COLMAP's list (BSD-3-Clause) was made from digicamdb.com, as OpenSfM's. Of a name with several widths none is kept."""

import re
import sys

# Words that a camera's EXIF has and the list lacks, or the reverse; src/image/sensors.c drops them too.
SERIES = ("alpha", "coolpix", "cybershot", "digitalcamera", "digitalixus", "digimax", "easyshare", "exilim", "finepix",
          "lumix", "optio", "photosmart", "powershot", "zoom")


def plain(name):
    name = re.sub("[^a-z0-9]", "", name.lower())
    for word in SERIES:
        name = name.replace(word, "")
    return name


def main():
    text = open(sys.argv[1], encoding="utf-8").read()
    widths, maker = {}, None
    for found in re.finditer(r'specs\["([^"]+)"\]|emplace_back\(\s*"([^"]+)",\s*([0-9.]+)f\)', text):
        if found[1]:
            maker = plain(found[1])
        else:
            widths.setdefault((maker, plain(found[2])), set()).add(float(found[3]))
    rows = {}
    for (maker, model), width in widths.items():
        if model and len(width) == 1:
            rows.setdefault((maker, width.pop()), []).append(model)
    count = sum(len(models) for models in rows.values())
    print(f"/* sensors.def - SENSORS(maker, width of the sensor in mm, models): {count:,} cameras.\n"
          " *\n * Facts from COLMAP 3.8, src/util/camera_specs.cc (BSD-3-Clause; from digicamdb.com). Written by "
          "tools/make_sensors.py. */")
    for (maker, width), models in sorted(rows.items()):
        line = ""
        for model in sorted(models) + [None]:
            head = f'SENSORS("{maker}", {width:g}, "'
            if line and (model is None or len(head + line + model) > 117):
                print(f'{head}{line}")')
                line = ""
            line += (" " if line else "") + (model or "")


main()
