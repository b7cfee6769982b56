"""sight.py - what a visitor sees first: the map without anything around it, without seams, sharp; the help; the drawing
options."""
import base64
import json
import struct
import zlib

from helpers import calm, opened

BOX = """(() => {
    const box = document.querySelector(%s).getBoundingClientRect();
    return [box.left, box.top, box.right, box.bottom];
})()"""
# For each square on the map: its side in pixels of the file and of the page, and the number of transparent pixels.
SQUARES = """[...document.querySelectorAll('#map .leaflet-tile')].filter((image) => image.naturalWidth > 0).map((image) => {
    const side = image.naturalWidth;
    const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side }).getContext('2d');
    canvas.drawImage(image, 0, 0);
    const bare = canvas.getImageData(0, 0, side, side).data.filter((v, i) => i % 4 === 3 && v === 0).length;
    return [side, image.getBoundingClientRect().width, bare];
})"""


def black_png(side):
    """A PNG of one colour, one bit per pixel."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + side // 8) * side))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def ground_around(page, which):
    """Around the footprint there is only the map's background colour."""
    left, top, right, bottom = page.run(BOX % json.dumps("#map .footprint"))
    ground = page.run("getComputedStyle(document.getElementById('map')).backgroundColor")
    middle = (top + bottom) / 2
    for x, y in ((left - 48, middle), (right + 8, middle), ((left + right) / 2, bottom + 8)):
        colours = {pixel for row in page.pixels(x, y, 40, 40) for pixel in row}
        assert ["rgb(%d, %d, %d)" % pixel for pixel in colours] == [ground], (which, x, y, colours, ground)
    inside = {pixel for row in page.pixels(left + 40, top + 40, 60, 60) for pixel in row}
    assert len(inside) > 100, (which, inside)


def files(page, server):
    """A square partly covered by imagery is a PNG, one fully covered is a JPEG, and others do not exist."""
    info = server.json("GET", "/v1/map")
    kinds = set()
    for path in sorted({"/" + url.split("/", 3)[3] for url in page.requests if "/v1/imagery/" in url}):
        status, headers, body = server.ask("GET", path)
        kinds.add(headers.get("content-type"))
        if status == 200:
            assert body[:3] == (b"\x89PN" if headers["content-type"] == "image/png" else b"\xff\xd8\xff"), path
            assert server.ask("GET", path, None, {"If-None-Match": headers["etag"]})[0] == 304, path
    assert info["imagery"] and kinds - {None} == {"image/png", "image/jpeg"}, kinds


def without_lines(chromium, server):
    """With 1.25 screen pixels per page pixel, squares of one colour join without seams."""
    page = chromium.open(1280, 800, 1.25)
    page.prefer(reduced_motion="reduce", color_scheme="light")
    black = base64.b64encode(black_png(256)).decode()
    page.call("Fetch.enable", patterns=[{"urlPattern": "*/v1/imagery/*"}])
    page.go(server.address)
    page.until("document.querySelector('.footprint')", "the map")
    while not page.run("[...document.querySelectorAll('#map .leaflet-tile')].every((i) => i.naturalWidth > 0"
                       " && i.matches('.leaflet-tile-loaded'))"
                       " && document.querySelectorAll('#map .leaflet-tile').length > 1"):
        for held in page.take_held():
            page.call("Fetch.fulfillRequest", requestId=held["requestId"], responseCode=200, body=black,
                      responseHeaders=[{"name": "Content-Type", "value": "image/png"}])
    left, top, right, bottom = page.run(BOX % json.dumps("#map .footprint"))
    colours = {pixel for row in page.pixels(left + 30, top + 30, right - left - 60, bottom - top - 60) for pixel in row}
    assert colours == {(0, 0, 0)}, sorted(colours)[-5:]
    page.close()


def first_sight(chromium, server):
    page = opened(chromium, server.address)
    calm(page)
    ground_around(page, "light")
    squares = page.run(SQUARES)
    assert any(bare for *_, bare in squares), squares
    assert {(file, shown) for file, shown, _ in squares} == {(256, 256)}, squares
    page.prefer(color_scheme="dark", reduced_motion="reduce")
    ground_around(page, "dark")
    page.run("document.querySelector('.leaflet-control-zoom-in').click()")
    calm(page)
    files(page, server)
    assert len(page.text(".welcome").split()) > 40 and page.errors == [], page.errors
    page.close()
    page = chromium.open(360, 740, 2)
    page.prefer(reduced_motion="reduce", color_scheme="light")
    page.go(server.address)
    page.until("document.querySelector('.welcome')", "the map's description")
    calm(page)
    assert {(file, shown) for file, shown, _ in page.run(SQUARES)} == {(256, 128)}, page.run(SQUARES)
    page.close()
    without_lines(chromium, server)


def helping(page, server):
    """The page's help about itself."""
    version = server.json("GET", "/v1/map")["version"]
    page.click("#help-open")
    said = page.text("#help")
    for word in ("360 degrees", "JPEG", "Score", "Margin", "Weak", "GPS", "geoviewmatch demo", "Apache License", version):
        assert word in said, (word, said)
    status, headers, _ = server.ask("GET", page.run("document.querySelector('#help a').pathname"))
    assert (status, headers["content-type"]) == (200, "application/json")
    page.press("Escape")
    page.until("!document.querySelector('#help[open]')", "the help to close")


def layers(page):
    """The imagery's strength and the footprint can be changed and restored."""
    strength = "Number(getComputedStyle(document.querySelector('#map .leaflet-layer')).opacity)"
    page.click("#layers")
    page.run("document.getElementById('imagery-strength').focus()")
    page.press("Home")
    assert page.run(strength) == 0
    page.press("End")
    assert page.run(strength) == 1
    for shown in (0, 1):
        page.click("#footprint-shown")
        assert (page.run("document.querySelectorAll('#map .footprint').length") > 0) == shown
    page.press("Escape")
    assert page.run("document.getElementById('layers-panel').hidden")
