#!/usr/bin/env python3
"""page.py PROGRAM FOLDER - everything that the page must do, in a real browser with the real service.

FOLDER is empty; a town and a map of it are made there. The page is compared with the output of
`geoviewmatch locate --json` for the same pictures.
"""
import json
import math
import os
import sys
import time

import browser
import looks
from cameras import cameras
from helpers import DONE, apart, asked, calm, circle_asked, opened, rest_held, same, wait_for_question
from keys import keyboard
from likely import likely
from many import exports, for_all, own_gps, summed_up
from perspective import perspective
from proxy import Proxy, counted
from sight import first_sight, helping, layers
from town import Server, Town
from troubles import antimeridian, bare, broken, busy, empty, locked, lost_imagery, plain, stopped

# ---------------------------------------------------------------- the checks, in the order of a visit

def drop(page, town):
    page.give("drop", town.photos[0])
    page.until(DONE % 1, "the answer")
    want = town.locate(town.photos[0])["hits"]
    same(page, want, "a dropped panorama")
    calm(page)
    assert page.run("document.querySelectorAll('#answer .tile img').length") == 5
    assert page.run("document.querySelectorAll('#map .pin.best').length") == 1
    assert page.run("document.querySelectorAll('#map .pin.other').length") == len(want) - 1
    square(page, want[0])
    assert page.run("Number(getComputedStyle(document.querySelector('.pin.other')).opacity)") < 0.9
    judged(page, town, town.photos[0])
    facts = page.text(".facts")
    assert "%.3f" % want[0]["score"] in facts, facts
    assert "%.1f m" % want[0]["gps_m"] in facts or "%.0f m" % want[0]["gps_m"] in facts, (facts, want[0])
    assert page.run("document.querySelectorAll('#map .pin.own').length") == 1
    assert "m" in page.text(".leaflet-control-scale-line")


def square(page, hit):
    """The best tile is drawn as its square of ground; the pointer reads the coordinates of its corners."""
    left, right, top, bottom = page.run("(() => { const b = document.querySelector('#map .ground')"
                                        ".getBoundingClientRect(); return [b.left, b.right, b.top, b.bottom]; })()")
    corners = []
    for x, y in ((left + 2, top + 2), (right - 2, bottom - 2)):  # its line is two pixels wide
        page.mouse("mouseMoved", x, y)
        lat, lon = (float(v) for v in page.text("#pointer").split(","))
        corners.append({"lat": lat, "lon": lon})
    side = apart(*corners) / math.sqrt(2)
    assert abs(side - 2 * hit["half_tile_m"]) < 4, (side, hit)
    assert abs((right - left) / (bottom - top) - 1) < 0.03, (left, right, top, bottom)


def judged(page, town, photo):
    """The answer is called weak or clear, as by `locate`, with the margin."""
    want = town.locate(photo)
    said = page.text(".verdict")
    assert said.startswith("Weak:" if want["weak"] else "Clear:") and "%.3f behind" % want["margin"] in said, (said, want)


def pointer(page):
    """The coordinates under the pointer, and the map's own imagery as the background."""
    x, y = page.middle("#map")
    page.mouse("mouseMoved", x + 40, y)
    first = page.text("#pointer")
    page.mouse("mouseMoved", x - 40, y)
    second = page.text("#pointer")
    (lat, lon), (lat2, lon2) = ([float(v) for v in text.split(",")] for text in (first, second))
    assert lat == lat2 and lon2 < lon, (first, second)
    assert any("/v1/imagery/" in url for url in page.requests)
    assert page.run("[...document.querySelectorAll('#map .leaflet-tile')].some((i) => i.naturalWidth === 256)")
    assert page.run("document.querySelectorAll('#map .footprint').length") >= 1


def zoomed_out(page):
    """A map too small to be visible shows no imagery, which is not an error."""
    for _ in range(22):
        page.run("document.querySelector('.leaflet-control-zoom-out').click()")
        calm(page)
    assert page.run("document.querySelector('.leaflet-control-zoom-out').matches('.leaflet-disabled')")
    assert page.text("#map-note") == "" and page.errors == [], page.errors
    page.click(".fit")
    calm(page)


def copying(page, hit):
    page.browser.call("Browser.grantPermissions", browserContextId=page.context,
                      permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    page.click(".places .copy")
    page.until("document.getElementById('live').textContent.startsWith('Copied')", "the copy")
    text = page.run("navigator.clipboard.readText()")
    lat, lon = (float(v) for v in text.split(","))
    assert abs(lat - hit["lat"]) < 1e-7 and abs(lon - hit["lon"]) < 1e-7, (text, hit)


def choose_and_paste(page, town):
    """Several files at once, then one from the clipboard; the history has them, newest first."""
    page.choose("#file", *town.photos[1:3])
    page.until(DONE % 3, "two more answers")
    same(page, town.locate(town.photos[1])["hits"], "the first of two chosen")
    page.give("paste", town.photos[3])
    page.until(DONE % 4, "the pasted picture's answer")
    same(page, town.locate(town.photos[3])["hits"], "a pasted panorama")
    names = page.run("[...document.querySelectorAll('#entries .name')].map((e) => e.textContent)")
    assert names == [os.path.basename(town.photos[i]) for i in (3, 1, 2, 0)], names
    assert page.run("document.querySelectorAll('#map .pin.dot').length") == 3
    page.click("#entries li:last-child button")
    same(page, town.locate(town.photos[0])["hits"], "an earlier picture")
    page.until("document.querySelector('[aria-current]').innerText.startsWith(%s)" % json.dumps(names[3]), "its mark")


# The heat maps of picture and tile: the mean difference, 0..255, of each from the picture below it (turned alike), and
# the sums of their colours.
HEAT = """(async () => {
    const side = 64, [tile, street, aerial] = document.querySelectorAll('#heat img');
    const view = document.querySelector('#heat .panorama'), plain = new Image();
    plain.src = view.style.backgroundImage.slice(5, -2);
    await plain.decode();
    const pixels = (image, by) => {
        const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side }).getContext('2d');
        for (const x of [by - side, by, by + side]) canvas.drawImage(image, x, 0, side, side);
        return [...canvas.getImageData(0, 0, side, side).data];
    };
    const heats = [pixels(street, 0), pixels(aerial, 0)];
    const plains = [pixels(plain, Number(view.dataset.heading) / 360 * side), pixels(tile, 0)];
    return {
        apart: heats.map((heat, k) => heat.reduce((sum, v, i) => sum + Math.abs(v - plains[k][i]), 0) / heat.length),
        sums: heats.map((heat) => heat.reduce((sum, v) => sum + v, 0)),
    };
})()"""


def heat(page):
    page.click("#answer .tile")
    page.until("document.querySelectorAll('#heat[open] img:not(.loading)').length === 3", "the heat maps")
    sizes = page.run("[...document.querySelectorAll('#heat img')].map((i) => [i.naturalWidth, i.naturalHeight])")
    assert all(w > 0 and h > 0 for w, h in sizes), sizes
    boxes = page.run("['.street', '.tile'].map((kind) => document.querySelector('#heat ' + kind + ' img')"
                     ".getBoundingClientRect()).map((box) => [box.left, box.right, box.top, box.bottom])")
    assert boxes[0][1] <= boxes[1][0], boxes  # side by side
    all_scales = page.run(HEAT)
    before = len(page.requests)
    page.click("#heat input[value='3']")
    page.until("document.querySelectorAll('#heat img:not(.loading)').length === 3", "a stage's heat maps")
    stages = [url for url in page.requests[before:] if "heatmap" in url]
    assert len(stages) == 2 and all("stage=3" in url for url in stages), stages
    coarse = page.run(HEAT)
    assert min(all_scales["apart"] + coarse["apart"]) > 8, (all_scales, coarse)
    assert all_scales["sums"] != coarse["sums"], coarse
    page.press("Escape")
    page.until("!document.querySelector('#heat[open]')", "the dialog to close")
    assert page.run("document.activeElement.matches('.tile')")


def circle(page, town, folder):
    """Drawn by dragging, moved by its middle, then gone."""
    page.click(".fit")
    assert page.text("#circle-hint") == ""
    page.click("#circle-draw")
    assert page.text("#circle-hint").startswith("Drag on the map"), page.text("#circle-hint")
    box = page.run("(() => { const b = document.getElementById('map').getBoundingClientRect();"
                   "return [b.left, b.top, b.width, b.height]; })()")
    start = box[0] + box[2] * 0.55, box[1] + box[3] * 0.6
    before = len(asked(page))
    page.drag(start, (start[0] + 80, start[1]))
    page.until("document.getElementById('circle-draw').getAttribute('aria-pressed') === 'false'", "the drawing to end")
    assert page.text("#circle-hint") == ""
    first = circle_asked(page, town, before, "a drawn circle")
    before = len(asked(page))
    page.drag(page.middle(".handle.middle"), (start[0] - 40, start[1] - 40))
    second = circle_asked(page, town, before, "a moved circle")
    assert second["near"] != first["near"] and abs(float(second["within"]) - float(first["within"])) < 0.2
    before = len(asked(page))
    x, y = page.middle(".handle.rim")
    page.drag((x, y), (x + 30, y))
    third = circle_asked(page, town, before, "a larger circle")
    assert third["near"] == second["near"] and float(third["within"]) > float(second["within"]) + 5
    saved = json.loads(page.download(lambda: page.click("#geojson"), "answers.geojson", folder))
    name = os.path.basename(town.photos[0])
    question = next(f["question"] for f in saved["features"] if f["properties"]["photo"] == name)
    near = "%.8f,%.8f" % tuple(reversed(question["near"]))
    assert (near, question["within_m"]) == (third["near"], float(third["within"])), (question, third)
    before = len(asked(page))
    page.click("#area-whole")
    wait_for_question(page, before)
    assert "near" not in asked(page)[-1]
    same(page, town.locate(town.photos[0])["hits"], "without a circle")


def heading(page, town):
    """The slider turns the picture and searches with it."""
    offset = "document.querySelector('#answer .panorama').style.backgroundPositionX"
    before, turned = len(asked(page)), page.run(offset)
    page.run("document.getElementById('heading').focus()")
    with rest_held(page):
        page.press("Home")
        for _ in range(3):
            page.press("ArrowRight")
        assert page.run(offset) != turned
    wait_for_question(page, before)
    page.until("document.querySelector('.heading output').textContent.startsWith('3°')", "the heading")
    assert len(asked(page)) == before + 1 and asked(page)[-1]["heading"] == "3", asked(page)[before:]
    same(page, town.locate("--heading", 3, town.photos[0])["hits"], "a heading set by hand")
    assert page.run("document.activeElement.id") == "heading"
    before = len(asked(page))
    page.click(".heading button:first-child")
    wait_for_question(page, before)
    assert "heading" not in asked(page)[-1]
    same(page, town.locate(town.photos[0])["hits"], "the picture's own heading")
    before = len(asked(page))
    page.click(".heading button:nth-child(2)")
    wait_for_question(page, before)
    assert asked(page)[-1]["heading"] == "find"
    page.until("document.querySelector('.heading output').textContent.includes('estimated')", "the source of the heading")
    same(page, town.locate("--heading", "find", town.photos[0])["hits"], "a heading that was found")
    before = len(asked(page))
    left, y, width = page.run("(() => { const b = document.getElementById('heading').getBoundingClientRect();"
                              "return [b.left, b.top + b.height / 2, b.width]; })()")
    with rest_held(page):
        page.drag((left + width / 4, y), (left + width * 0.6, y))
    wait_for_question(page, before)
    degrees = asked(page)[-1]["heading"]
    assert len(asked(page)) == before + 1 and 190 < int(degrees) < 240, asked(page)[before:]
    same(page, town.locate("--heading", degrees, town.photos[0])["hits"], "a heading set by pointer")
    before = len(asked(page))
    page.click(".heading button:first-child")
    wait_for_question(page, before)


def colours(page):
    """Dark differs from light, by the system's preference and by the switch, and text is legible in both."""
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.run(ground)
    looks.legible(page, "light")
    page.prefer(color_scheme="dark", reduced_motion="reduce")
    dark = page.run(ground)
    assert dark != light
    looks.legible(page, "dark")
    page.click("#theme")
    assert page.run(ground) == light
    page.prefer(color_scheme="light", reduced_motion="reduce")
    page.click("#theme")
    assert page.run(ground) == dark and page.run("document.getElementById('theme').ariaPressed") == "true"
    page.click("#theme")
    assert page.run(ground) == light


def phone(chromium, server, town):
    page = opened(chromium, server.address, 360, 740)
    looks.fits(page)
    page.click(".welcome button")
    page.until("document.activeElement.id === 'help-photos'", "the help on photos")
    looks.fits(page)
    page.press("Escape")
    page.give("drop", *town.photos[:3])
    page.until(DONE % 3, "answers on a phone")
    looks.fits(page)
    for selector in ("#file", "#table-open", "#layers", "#area-own", "#circle-draw", "#circle-place", "#circle-radius",
                     "#heading", ".places .copy", "#answer .tile"):
        x, y = page.middle(selector)
        assert 0 < x < 360 and 0 < y < 740, (selector, x, y)
    page.click("#table-open")
    looks.fits(page)
    page.press("Escape")
    page.click("#answer .tile")
    page.until("document.querySelectorAll('#heat[open] img:not(.loading)').length === 3", "heat maps on a phone")
    looks.fits(page)
    box = page.run("(() => { const b = document.getElementById('heat').getBoundingClientRect();"
                   "return [b.left, b.right]; })()")
    assert box[0] >= 0 and box[1] <= 360, box
    page.press("Escape")
    page.prefer(color_scheme="dark", reduced_motion="reduce")
    looks.legible(page, "dark on a phone")
    assert page.errors == [], page.errors
    page.close()


def visit(chromium, server, town, folder):
    page = opened(chromium, server.address)
    looks.named(page, "at first")
    drop(page, town)
    pointer(page)
    zoomed_out(page)
    copying(page, town.locate(town.photos[0])["hits"][0])
    looks.named(page, "with an answer")
    choose_and_paste(page, town)
    exports(page, town, folder)
    summed_up(page, town)
    heat(page)
    circle(page, town, folder)
    heading(page, town)
    own_gps(page, town)
    for_all(page)
    layers(page)
    colours(page)
    assert page.errors == [], page.errors
    helping(page, server)
    own = (server.address, "blob:" + server.address, "data:")
    strangers = [url for url in page.requests if not url.startswith(own)]
    assert strangers == [], strangers
    broken(page, server, town, folder)
    plain(page, town, folder)
    busy(page, town)
    lost_imagery(page)
    assert server.proxy.lost == [], server.proxy.lost
    stopped(page, server, town)
    page.close()


def main(program, folder):
    if browser.find() is None:
        sys.exit("page.py: chromium is missing; on Debian: apt-get install chromium")
    town = Town(program, folder)

    def timed(check, *words):
        start = time.monotonic()
        check(*words)
        print("%s: %.1f s" % (check.__name__, time.monotonic() - start), flush=True)

    with browser.Browser() as chromium:
        with Server(program, town.map) as server, Proxy(server) as server.proxy:
            timed(first_sight, chromium, server)
            timed(phone, chromium, server, town)
            timed(keyboard, chromium, server, town, folder)
            timed(counted, chromium, server, town)
            timed(visit, chromium, server, town, folder)
        for check in (likely, perspective, cameras, empty, locked, bare, antimeridian):
            timed(check, chromium, town)
    print("all checks of the page passed")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: page.py PROGRAM FOLDER")
    main(*sys.argv[1:])
