"""troubles.py - messages of the page about bad pictures, about a service that is busy, locked or gone, and about a map
without tiles or without imagery. page.py runs these checks."""
import json
import math
import os
import urllib.request

from helpers import DONE, asked, calm, circle_asked, opened, refusal, same, table, without_exif, write
from town import Server, Town  # also makes tests/serve importable
from service import png


def broken(page, server, town, folder):
    """A message says what is wrong with each bad picture; what the page can detect itself is not sent."""
    def problem(path):
        page.choose("#file", path)
        page.until("document.querySelector('#answer h2')?.textContent === %s"
                   " && document.querySelector('#answer .problem')" % json.dumps(os.path.basename(path)), "a sentence about " + path)
        return page.text("#answer .problem p").strip()

    for path in (write(os.path.join(folder, "torn.jpg"), open(town.photos[0], "rb").read()[:300]),
                 write(os.path.join(folder, "words.jpg"), b"no picture at all, whatever its name says\n" * 20),
                 write(os.path.join(folder, "square.png"), png(256, 256))):
        said = problem(path)
        want = refusal(server, path)
        assert said.rstrip(".").lower() == want.rstrip(".").lower(), (said, want)
        assert "/" not in said.replace("application/", "").replace("docs/real-weights.md", ""), said
    assert "panorama" in said, said
    page.click("#answer .problem button:last-child")
    page.until("document.querySelector('#help[open]') && document.activeElement.id === 'help-photos'",
               "what to do instead")
    page.press("Escape")
    trusted(page)
    before, limits = len(asked(page)), json.load(urllib.request.urlopen(server.address + "v1/map"))["limits"]
    side = math.isqrt(limits["pixels"]) + 1
    said = problem(write(os.path.join(folder, "wide.png"), png(2 * side, side)))
    assert "megapixels" in said and "not sent" in said, said
    with open(os.path.join(folder, "heavy.jpg"), "wb") as file:
        file.truncate(limits["body_bytes"] + 1)
    said = problem(os.path.join(folder, "heavy.jpg"))
    assert "MiB" in said and "not sent" in said, said
    said = problem(write(os.path.join(folder, "nothing.jpg"), b""))
    assert "empty" in said, said
    assert len(asked(page)) == before
    said = problem(write(os.path.join(folder, "=1+2,3.jpg"), b""))
    rows = table(page, folder)
    assert rows[-1]["photo"] == "'=1+2,3.jpg" and rows[-1]["problem"] == said and rows[-1]["lat"] == "", rows[-1]
    page.run("""(() => {
        const dataTransfer = new DataTransfer();
        for (let i = 0; i < 400; i++) dataTransfer.items.add(new File([], i + '.jpg'));
        document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }));
    })()""")
    page.until("document.querySelectorAll('#entries [data-state=failed]').length > 400", "a drop of hundreds")
    page.click("#forget")
    page.until("document.querySelector('.welcome') && document.getElementById('visit').hidden", "a page like new")


def trusted(page):
    """A picture refused as not a full panorama is accepted if the user declares it one, and has heat maps."""
    before = len(page.requests)
    page.run("""(async () => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 400, height: 300 });
        const context = canvas.getContext('2d'), dataTransfer = new DataTransfer();
        for (let i = 0; i < 200; i++) {
            context.fillStyle = `hsl(${i * 47 % 360} 60% ${20 + i * 13 % 60}%)`;
            context.fillRect(i * 61 % 400, i * 37 % 300, 70, 50);
        }
        const picture = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
        dataTransfer.items.add(new File([picture], 'four_thirds.png', { type: 'image/png' }));
        document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }));
    })()""")
    page.until("document.querySelector('#answer h2').textContent === 'four_thirds.png'"
               " && document.querySelector('#answer .problem button')", "a refusal")
    said = page.text("#answer .problem p")
    assert "is not a full panorama" in said and "--panorama" not in said, said  # the page has a button for it
    assert "panorama" not in asked(page)[-1], asked(page)[-1]
    page.click("#answer .problem button:first-child")
    page.until("document.querySelector('#answer .verdict')", "an answer to the declared panorama")
    assert asked(page)[-1]["panorama"] == "yes", asked(page)[-1]
    assert "as you confirmed" in page.text(".results"), page.text(".results")
    page.click("#answer .tile")
    page.until("document.querySelectorAll('#heat[open] img:not(.loading)').length === 3", "its heat maps")
    page.press("Escape")
    heats = [url for url in page.requests[before:] if "/v1/heatmap" in url]
    assert len(heats) == 2 and all("panorama=yes" in url for url in heats), heats


def plain(page, town, folder):
    """A picture without GPS and heading: no mark of its own, no distance, a heading that was found. If its file has
    changed since, the page says so and keeps the answer."""
    path = write(os.path.join(folder, "plain.jpg"), without_exif(town.photos[0]))
    hits = town.locate(path)["hits"]
    page.choose("#file", path)
    page.until(DONE % 1, "an answer without GPS")
    same(page, hits, "a picture without GPS")
    assert page.run("document.querySelectorAll('#map .pin.own').length") == 0
    assert "GPS" not in page.text(".facts") and "estimated" in page.text(".heading output")
    with open(path, "ab") as file:
        file.write(b"changed")
    page.click(".heading button:nth-child(2)")
    page.until("document.querySelector('#answer .problem')", "a message about a changed file")
    assert page.text("#answer .problem").strip() == "This file can no longer be read.", page.text("#answer .problem")
    assert page.text("#notice") == ""
    same(page, hits, "the answer before")
    page.click("#forget")
    page.until("document.querySelector('.welcome') && document.getElementById('visit').hidden", "a page like new")


def busy(page, town):
    """The page asks a busy server again after the announced time; it asks for a token that is required, and sends
    it."""
    page.call("Fetch.enable", patterns=[{"urlPattern": "*/v1/locate*"}])
    before = len(asked(page))
    page.choose("#file", town.photos[0])

    def reply(code, *headers):
        held = page.held()
        page.call("Fetch.fulfillRequest", requestId=held["requestId"], responseCode=code, responseHeaders=[
            {"name": name, "value": value} for name, value in (("Content-Type", "application/problem+json"), *headers)])

    for _ in range(8):
        reply(503, ("Retry-After", "0.5"))
    page.until("document.querySelector('#answer .problem button')", "a way to ask a busy server again")
    before += 8
    page.click("#answer .problem button")
    reply(503, ("Retry-After", "1"))
    page.until("document.getElementById('live').textContent.includes('busy')"
               " && document.getElementById('busy').textContent.includes('busy')", "a message about a busy server")
    reply(401, ("WWW-Authenticate", "Bearer"))
    page.until("document.querySelector('#token[open]')", "the question for a token")
    page.type("a-token")
    page.press("Enter")
    held = page.held()
    assert held["request"]["headers"].get("Authorization") == "Bearer a-token", held["request"]["headers"]
    page.call("Fetch.disable")
    page.until(DONE % 1, "the answer after all")
    assert page.text("#busy") == ""
    assert len(asked(page)) == before + 3, asked(page)
    kept = page.run("JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie")
    assert "a-token" not in kept, kept


def stopped(page, server, town):
    """A message appears if the server is gone; once it is back, a button asks again."""
    server.stop()
    page.choose("#file", town.photos[1])
    page.until("document.querySelector('#answer .problem button')", "a message about a stopped server")
    assert "does not answer" in page.text("#answer .problem")
    with Server(town.program, town.map, server.port):
        page.click("#answer .problem button")
        page.until("document.querySelector('#answer .places')", "the answer of the new server")
        same(page, town.locate(town.photos[1])["hits"], "after the server came back")


def lost_imagery(page):
    """A message says that squares of the map did not load, and why."""
    page.call("Fetch.enable", patterns=[{"urlPattern": "*/v1/imagery/*"}])
    before = len(page.requests)
    page.run("document.querySelector('.leaflet-control-zoom-in').click()")
    page.wait(lambda: page.paused, "the request of a square")
    while not page.run("document.getElementById('map-note').textContent"):
        for held in page.take_held():
            page.call("Fetch.failRequest", requestId=held["requestId"], errorReason="ConnectionReset")
    assert "could not be loaded. The server does not answer" in page.text("#map-note"), page.text("#map-note")
    page.call("Fetch.disable")
    page.take_held()
    assert len(page.requests) > before
    page.click(".fit")
    page.until("document.getElementById('map-note').textContent === ''", "the imagery again")
    calm(page)


# ---------------------------------------------------------------- visits of other kinds

def empty(chromium, town):
    with Server(town.program, town.empty_map()) as server:
        page = opened(chromium, server.address)
        assert "empty" in page.text("#notice") and "empty" in page.text(".welcome")
        page.give("drop", town.photos[0])
        page.until("document.getElementById('notice').textContent.includes('empty')", "the sentence")
        assert not asked(page) and page.errors == [], page.errors
        page.close()


def locked(chromium, town):
    """A service with a token: the page asks until it is correct, then sends it with every request, pictures too."""
    path = os.path.join(town.folder, "token")
    write(path, b"open-sesame\n")
    with Server(town.program, town.map, 0, "--token", path) as server:
        page = chromium.open(1280, 800)
        page.go(server.address)
        for token in ("wrong", "open-sesame"):
            page.until("document.querySelector('#token[open]') && document.activeElement.id === 'token-text'",
                       "the question for a token")
            page.type(token)
            page.press("Enter")
            if token == "wrong":
                page.until("document.getElementById('token-notice').textContent.includes('rejected')", "a refusal")
        page.until("document.querySelector('.welcome')", "the map's description")
        page.give("drop", town.photos[0])
        page.until(DONE % 1, "the answer")
        calm(page)
        assert page.run("[...document.querySelectorAll('#map .leaflet-tile')].some((i) => i.naturalWidth === 256)")
        page.close()


def bare(chromium, town):
    """A map whose rasters are missing: outlines of its tiles, and answers nevertheless."""
    raster = os.path.join(town.folder, "town", "ortho.tif")
    os.rename(raster, raster + ".gone")
    with Server(town.program, town.map) as server:
        page = opened(chromium, server.address)
        page.until("document.querySelectorAll('#map .outline').length > 20", "the tiles' outlines")
        page.give("drop", town.photos[0])
        page.until(DONE % 1, "the answer")
        page.until("document.querySelectorAll('#answer .tile.gone').length === 5", "messages about missing pictures")
        assert not any("/v1/imagery/" in url for url in page.requests)
        page.close()
    os.rename(raster + ".gone", raster)


def antimeridian(chromium, town):
    """A town across the antimeridian: drawn whole with its marks, and longitudes are below 180 everywhere."""
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
        assert sides == {True, False}, "all answers are on one side"
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
            assert math.dist(now, (x + off, y)) < 10, (now, x + off, y)  # at the drop position, not a world away
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
        page.until("document.getElementById('map-note').textContent.includes('Zoom in to see single tiles')", "a hint")
        assert page.run("document.querySelectorAll('#map .outline').length") == 0
        page.close()
