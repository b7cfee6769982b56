#!/usr/bin/env python3
"""Draw examples/demo: four tiles of an invented town from above and four panoramas taken in them.

    python3 tools/make_demo.py examples/demo

The town has a height and a colour at each position. A tile shows the colours from above, north up. A panorama (a full
360 x 180 degrees) walks outwards from the camera along each of its columns and paints whatever rises above everything
before it, so both views show the same town. Uses only Python's standard library; the bytes are the same each time.
"""
import math
import os
import struct
import sys
import zlib

LAT, LON = 45.0, -30.0  # the town's origin, in the middle of the Atlantic
TILE, SIDE = 200, 64.0  # pixels and metres of a tile
WIDTH, CAMERA = 480, 2.5  # pixels of a panorama; metres above the ground

# Positions of the tiles' centres and cameras, metres east and north of the origin; the heading of the panorama's centre
# column. A heading other than north is written into the picture (XMP GPano).
PLACES = [(-60, 40, 0), (45, 62, 0), (-46, -41, 90), (66, -34, 0)]

GRASS, ROAD, LINE, PATH, WATER = (96, 128, 72), (112, 112, 116), (220, 220, 210), (176, 164, 140), (64, 96, 136)
ROOFS = [(150, 72, 56), (120, 84, 72), (92, 96, 108), (170, 120, 80), (136, 56, 60)]
WALLS = [(214, 200, 176), (196, 178, 160), (224, 220, 212), (184, 150, 128)]
TREE, SKY = (52, 92, 48), (150, 186, 224)


def draw(*key):
    """A number in [0, 1) that depends only on the key."""
    return zlib.crc32(repr(key).encode()) / 2**32


def roads(x, y):
    """Distance to the middle of the nearest of the town's roads."""
    bend = 6 * math.sin(x / 40)
    return min(abs(y - 40 - bend), abs(y + 46 + bend), abs(x + 58 + y / 12), abs(x - 55 + y / 9))


def town(x, y):
    """Height in metres, colour from above and wall colour at a position."""
    if (x - 10) ** 2 / 900 + (y + 5) ** 2 / 260 < 1:
        return 0, WATER, WATER
    d = roads(x, y)
    if d < 3.5:
        dash = d < 0.25 and (x + y) % 6 < 3
        return 0, LINE if dash else ROAD, ROAD
    if d < 5:
        return 0, PATH, PATH
    cx, cy = math.floor(x / 15), math.floor(y / 15)
    kind = draw("kind", cx, cy)
    px, py = (cx + 0.5) * 15, (cy + 0.5) * 15
    if kind < 0.55 and roads(px, py) > 10:
        wide, deep = 4 + 2.5 * draw("w", cx, cy), 3.5 + 2.5 * draw("d", cx, cy)
        if abs(x - px) < wide and abs(y - py) < deep:
            roof = ROOFS[int(5 * draw("roof", cx, cy))]
            light = 1.0 if y < py else 0.8  # the ridge runs east; the sun stands in the south
            rise = 2.5 * (1 - abs(y - py) / deep)
            colour = tuple(int(light * c) for c in roof)
            return 4 + 4 * int(2 * draw("floors", cx, cy)) + rise, colour, WALLS[int(4 * draw("wall", cx, cy))]
    elif kind > 0.7:
        tx, ty = px + 8 * draw("tx", cx, cy) - 4, py + 8 * draw("ty", cx, cy) - 4
        size = 1.5 + 2.5 * draw("ts", cx, cy)
        if roads(tx, ty) > 6.5 and (x - tx) ** 2 + (y - ty) ** 2 < size**2:
            return 2.2 * size, TREE, (44, 78, 42)
    mown = 1 if math.floor(x / 7 + y / 19) % 2 else 0.94
    return 0, tuple(int(mown * c) for c in GRASS), GRASS


def tile(east, north):
    step = SIDE / TILE
    return [[town(east + (c + 0.5) * step - SIDE / 2, north - (r + 0.5) * step + SIDE / 2)[1] for c in range(TILE)]
            for r in range(TILE)]


def panorama(east, north, heading):
    height = WIDTH // 2
    rows = [[tuple(min(255, int(c * (0.8 + 0.4 * r / height))) for c in SKY)] * WIDTH for r in range(height)]
    for c in range(WIDTH):
        azimuth = math.radians(heading + (c + 0.5 - WIDTH / 2) * 360 / WIDTH)
        dx, dy = math.sin(azimuth), math.cos(azimuth)
        bottom, far = height, 0.3  # rows from bottom on are painted
        while far < 220 and bottom > 0:
            x, y = east + far * dx, north + far * dy
            high, above, wall = town(x, y)
            top = int(height * (0.5 - math.atan2(high - CAMERA, far) / math.pi))
            for r in range(max(top, 0), bottom):
                colour = above
                if high > 1:
                    z = CAMERA + far * math.tan(math.pi * (0.5 - (r + 0.5) / height))
                    colour = wall if z < high - 0.5 else above
                    if wall in WALLS and z < high - 2.5 and z % 4 > 1.4 and z % 4 < 3 and (x + y) % 3 < 1.2:
                        colour = (70, 84, 100)  # windows
                rows[r][c] = colour
            bottom = min(bottom, max(top, 0))
            far += max(0.06, far * 0.006)
    return rows


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(path, rows, xmp=None):
    raw, above = bytearray(), bytes(3 * len(rows[0]))
    for row in rows:
        line = bytes(v for pixel in row for v in pixel)
        raw += b"\2" + bytes((a - b) & 255 for a, b in zip(line, above))  # filter "up"
        above = line
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0))
    if xmp:
        data += chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp.encode())
    data += chunk(b"IDAT", zlib.compress(bytes(raw), 9)) + chunk(b"IEND", b"")
    with open(path, "wb") as f:
        f.write(data)


def gpano(heading):
    return ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" '
            f'GPano:ProjectionType="equirectangular" GPano:PoseHeadingDegrees="{heading}"/></rdf:RDF></x:xmpmeta>')


def main(folder):
    for view in ("aerial", "street"):
        os.makedirs(os.path.join(folder, view), exist_ok=True)
    lines = ["image,lat,lon,metres"]
    for i, (east, north, heading) in enumerate(PLACES, 1):
        write_png(os.path.join(folder, f"aerial/{i}.png"), tile(east, north))
        write_png(os.path.join(folder, f"street/{i}.png"), panorama(east, north, heading), heading and gpano(heading))
        lat = LAT + north / 111320
        lon = LON + east / (111320 * math.cos(math.radians(LAT)))
        lines.append(f"aerial/{i}.png,{lat:.7f},{lon:.7f},{SIDE:g}")
    with open(os.path.join(folder, "tiles.csv"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
