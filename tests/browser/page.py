#!/usr/bin/env python3
"""page.py PROGRAM FOLDER - everything that the page must do, in a real browser against the real service.

FOLDER is an empty one for a town and a map of it. What the page shows is held against what `geoviewmatch locate --json`
prints of the same pictures.
"""
import json
import math
import os
import sys
import time

import browser
import looks
from helpers import DONE, asked, calm, circle_asked, opened, same, table, wait_for_question
from town import Server, Town
from troubles import bare, broken, busy, empty, locked, plain, stopped

# ---------------------------------------------------------------- the checks, in the order in which a visit goes

def drop(page, town):
    page.give("drop", town.photos[0])
    page.until(DONE % 1, "the answer")
    want = town.locate(town.photos[0])["hits"]
    same(page, want, "a dropped panorama")
    calm(page)
    assert page.run("document.querySelectorAll('#answer .tile img').length") == 5
    assert page.run("document.querySelectorAll('#map .pin.best').length") == 1
    assert page.run("document.querySelectorAll('#map .pin.other').length") == len(want) - 1
    reach = page.run("(() => { const box = document.querySelector('#map .reach').getBoundingClientRect();"
                     "return [box.width, box.height]; })()")
    assert min(reach) > 20, reach
    assert page.run("Number(getComputedStyle(document.querySelector('.pin.other')).opacity)") < 0.9
    facts = page.text(".facts")
    assert "%.3f" % want[0]["score"] in facts, facts
    assert "%.1f m" % want[0]["gps_m"] in facts or "%.0f m" % want[0]["gps_m"] in facts, (facts, want[0])
    assert page.run("document.querySelectorAll('#map .pin.own').length") == 1
    assert "m" in page.text(".leaflet-control-scale-line")


def pointer(page):
    """The coordinates under the pointer, and the map's own imagery below them."""
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
    """A map too small to be seen has no imagery there, and that is no error."""
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
    assert page.run("document.querySelector('[aria-current]').innerText").startswith(names[3])


def exports(page, town, folder):
    """Both files parse, agree with each other and with `locate`."""
    features = json.loads(page.download(lambda: page.click("#geojson"), "answers.geojson", folder))
    rows = table(page, folder)
    assert features["type"] == "FeatureCollection" and len(features["features"]) == len(rows) > 4
    photos = {os.path.basename(path): path for path in town.photos}
    want = {name: town.locate(photos[name])["hits"] for name in {row["photo"] for row in rows}}
    for feature, row in zip(features["features"], rows):
        properties, hit = feature["properties"], want[row["photo"]][int(row["rank"]) - 1]
        lon, lat = feature["geometry"]["coordinates"]
        assert properties["photo"] == row["photo"] and str(properties["rank"]) == row["rank"]
        for value in (lat, float(row["lat"])):
            assert abs(value - hit["lat"]) < 1e-7, (feature, row, hit)
        for value in (lon, float(row["lon"])):
            assert abs(value - hit["lon"]) < 1e-7, (feature, row, hit)
        assert (row["map"], row["heading_asked"], row["near_lat"], row["problem"]) == ("map.gpkg", "", "", ""), row
        assert len(row["weights"]) > 7 and properties["weights"] == row["weights"], row
        assert abs(float(row["gps_lat"]) - hit["lat"]) < 0.01 and abs(float(row["gps_lon"]) - hit["lon"]) < 0.01, row
        for name in ("half_tile_m", "score", "gps_m"):
            assert abs(float(row[name]) - hit[name]) < 1e-3, (name, row, hit)
            assert abs(properties[name] - hit[name]) < 1e-3, (name, properties, hit)


# The heat maps of picture and tile: how far each is from what it lies over (turned as it is), 0..255 in the mean, and
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
    page.until("!document.querySelector('#heat[open]')", "the dialog's end")
    assert page.run("document.activeElement.matches('.tile')")


def circle(page, town, folder):
    """Drawn by dragging, moved by its middle, then gone."""
    page.click(".fit")
    page.click("#circle-draw")
    box = page.run("(() => { const b = document.getElementById('map').getBoundingClientRect();"
                   "return [b.left, b.top, b.width, b.height]; })()")
    start = box[0] + box[2] * 0.55, box[1] + box[3] * 0.6
    before = len(asked(page))
    page.drag(start, (start[0] + 80, start[1]))
    page.until("document.getElementById('circle-draw').getAttribute('aria-pressed') === 'false'", "the drawing's end")
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
    name = os.path.basename(town.photos[0])
    row = next(row for row in table(page, folder) if row["photo"] == name)
    near = "%.8f,%.8f" % (float(row["near_lat"]), float(row["near_lon"]))
    assert (near, row["within_m"]) == (third["near"], third["within"]), (row, third)
    before = len(asked(page))
    page.click("#circle-remove")
    wait_for_question(page, before)
    assert "near" not in asked(page)[-1]
    same(page, town.locate(town.photos[0])["hits"], "without a circle")


def heading(page, town):
    """The slider turns the picture and searches with it."""
    offset = "document.querySelector('#answer .panorama').style.backgroundPositionX"
    before, turned = len(asked(page)), page.run(offset)
    page.run("document.getElementById('heading').focus()")
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
    page.click(".heading button:last-child")
    wait_for_question(page, before)
    assert asked(page)[-1]["heading"] == "find"
    page.until("document.querySelector('.heading output').textContent.includes('found')", "where the heading is from")
    same(page, town.locate("--heading", "find", town.photos[0])["hits"], "a heading that was found")
    before = len(asked(page))
    left, y, width = page.run("(() => { const b = document.getElementById('heading').getBoundingClientRect();"
                              "return [b.left, b.top + b.height / 2, b.width]; })()")
    page.drag((left + width / 4, y), (left + width * 0.6, y))
    wait_for_question(page, before)
    degrees = asked(page)[-1]["heading"]
    assert len(asked(page)) == before + 1 and 190 < int(degrees) < 240, asked(page)[before:]
    same(page, town.locate("--heading", degrees, town.photos[0])["hits"], "a heading set by pointer")
    before = len(asked(page))
    page.click(".heading button:first-child")
    wait_for_question(page, before)


def antimeridian(chromium, town):
    """A town across it: whole on the map, with what belongs to it, and longitudes below 180 wherever they are told."""
    folder = os.path.join(town.folder, "antimeridian")
    os.mkdir(folder)
    town = Town(town.program, folder, metres=300, pairs=4, origin="45,180")
    inside = """['.pin.best', '.pin.own', '.footprint'].map((kind) => {
        const box = document.querySelector('#map ' + kind).getBoundingClientRect();
        const map = document.getElementById('map').getBoundingClientRect();
        return box.left > map.left && box.right < map.right && box.top > map.top && box.bottom < map.bottom;
    })"""
    with Server(town.program, town.map) as server:
        page = opened(chromium, server.address)
        page.give("drop", *town.photos)
        page.until(DONE % 4, "answers at the antimeridian")
        calm(page)
        sides = set()
        for k, photo in enumerate(town.photos):
            page.click("#entries li:nth-child(%d) button" % (k + 1))
            want = town.locate(photo)["hits"]
            same(page, want, "a panorama at the antimeridian")
            page.run("document.querySelector('.fit').click()")
            calm(page)
            assert page.run(inside) == [True] * 3, (want[0], page.run(inside))
            sides.add(want[0]["lon"] > 0)
        assert sides == {True, False}, "the town has places on one side only"
        drawn = page.run("[...document.querySelectorAll('#map .leaflet-tile')].filter((i) => i.naturalWidth === 256)"
                         ".map((i) => i.getBoundingClientRect().left)")
        assert len(set(drawn)) > 1 and page.text("#map-note") == "", drawn
        x, y = page.middle("#map")
        lons = []
        for off in (-90, 90):
            page.mouse("mouseMoved", x + off, y)
            lons.append(float(page.text("#pointer").split(",")[1]))
        assert lons[0] > 179.9 and lons[1] < -179.9, lons
        page.click("#entries li:first-child button")
        page.run("document.querySelector('.fit').click()")
        before = len(asked(page))
        page.click("#circle-place")
        circle_asked(page, town, before, "a circle across the antimeridian")
        for off in (-30, 30):
            before = len(asked(page))
            x, y = page.middle(".handle.middle")
            page.drag((x, y), (x + off, y))
            query = circle_asked(page, town, before, "a circle moved across the antimeridian")
            assert abs(float(query["near"].split(",")[1])) <= 180, query
            now = page.middle(".handle.middle")
            assert math.dist(now, (x + off, y)) < 10, (now, x + off, y)  # where it was dropped, not a world away
        assert page.errors == [], page.errors
        page.close()
    os.rename(os.path.join(folder, "town", "ortho.tif"), os.path.join(folder, "gone.tif"))
    with Server(town.program, town.map) as server:
        page = opened(chromium, server.address)
        page.until("document.querySelectorAll('#map .outline').length > 3", "outlines at the antimeridian")
        left = page.run("[...document.querySelectorAll('#map .outline')].map((o) => o.getBoundingClientRect().left)")
        assert min(left) < page.middle("#map")[0] - 60 and max(left) > page.middle("#map")[0] - 10, left
        for _ in range(6):
            page.run("document.querySelector('.leaflet-control-zoom-out').click()")
        page.until("document.getElementById('map-note').textContent.includes('Zoom in for single tiles')", "a hint")
        assert page.run("document.querySelectorAll('#map .outline').length") == 0
        page.close()


def colours(page):
    """Dark differs from light, by the system's wish and by the switch, and text is legible in both."""
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
    page.give("drop", *town.photos[:3])
    page.until(DONE % 3, "answers on a phone")
    looks.fits(page)
    for selector in ("#file", "#circle-draw", "#circle-place", "#heading", ".places .copy", "#answer .tile"):
        x, y = page.middle(selector)
        assert 0 < x < 360 and 0 < y < 740, (selector, x, y)
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


def keyboard(chromium, server, town, folder):
    """The whole of a visit without a pointer."""
    page = opened(chromium, server.address)
    looks.tab_to(page, ".skip", 1)
    page.press("Enter")
    page.until("document.activeElement.id === 'answer'", "the skip link's end")
    page.run("document.activeElement.blur()")
    looks.tab_to(page, "#theme")
    page.press(" ")
    page.press(" ")
    looks.tab_to(page, "#file", 1)
    page.call("Page.setInterceptFileChooserDialog", enabled=True)
    page.press("Enter")
    page.wait(lambda: page.choosers, "the file dialog")
    page.call("DOM.setFileInputFiles", backendNodeId=page.choosers[0], files=[town.photos[0]])
    page.until(DONE % 1, "the answer")
    looks.tab_to(page, ".entry")
    page.press("Enter")
    looks.tab_to(page, "#csv")
    saved = page.download(lambda: page.press("Enter"), "answers.csv", folder)
    assert saved.startswith("photo,rank,lat,lon"), saved
    looks.tab_to(page, "#map", 4)
    here = page.text("#pointer")
    page.press("ArrowRight")
    page.until("document.getElementById('pointer').textContent !== %s" % json.dumps(here), "the map's move")
    looks.tab_to(page, ".pin.best")
    page.press("Enter")
    page.until("document.activeElement.matches('.place')", "the mark's answer")
    page.run("document.querySelector('.leaflet-control-zoom-out').focus()")
    looks.tab_to(page, "#circle-place")
    before = len(asked(page))
    page.press(" ")
    circle_asked(page, town, before, "a circle placed by keyboard")
    looks.tab_to(page, "#circle-radius", 1)
    page.call("Input.dispatchKeyEvent", type="rawKeyDown", key="a", code="KeyA", modifiers=2, commands=["selectAll"])
    page.type("80")
    before = len(asked(page))
    page.press("Enter")
    assert circle_asked(page, town, before, "a radius typed")["within"] == "80"
    page.run("document.querySelector('.handle.middle').focus()")
    before = len(asked(page))
    page.press("ArrowLeft")
    circle_asked(page, town, before, "a circle moved by keyboard")
    page.run("document.getElementById('circle-radius').focus()")
    looks.tab_to(page, "#circle-remove", 1)
    before = len(asked(page))
    page.press("Enter")
    wait_for_question(page, before)
    looks.tab_to(page, "#heading")
    before = len(asked(page))
    page.press("ArrowRight")
    wait_for_question(page, before)
    assert "heading" in asked(page)[-1]
    looks.tab_to(page, ".places .copy")
    looks.tab_to(page, "#answer .tile")
    page.press("Enter")
    page.until("document.querySelectorAll('#heat[open] img:not(.loading)').length === 3", "the heat maps")
    looks.named(page, "with the dialog open")
    page.press("Escape")
    page.until("document.activeElement.matches('#answer .tile')", "the way back to the tile")
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
    heat(page)
    circle(page, town, folder)
    heading(page, town)
    colours(page)
    assert page.errors == [], page.errors
    own = (server.address, "blob:" + server.address, "data:")
    strangers = [url for url in page.requests if not url.startswith(own)]
    assert strangers == [], strangers
    broken(page, server, town, folder)
    plain(page, town, folder)
    busy(page, town)
    stopped(page, server, town)
    page.close()


def main(program, folder):
    if browser.find() is None:
        sys.exit("page.py: there is no chromium; on Debian: apt-get install chromium")
    town = Town(program, folder)

    def timed(check, *words):
        start = time.monotonic()
        check(*words)
        print("%s: %.1f s" % (check.__name__, time.monotonic() - start), flush=True)

    with browser.Browser() as chromium:
        with Server(program, town.map) as server:
            timed(phone, chromium, server, town)
            timed(keyboard, chromium, server, town, folder)
            timed(visit, chromium, server, town, folder)
        for check in (empty, locked, bare, antimeridian):
            timed(check, chromium, town)
    print("the page does what it must")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: page.py PROGRAM FOLDER")
    main(*sys.argv[1:])
