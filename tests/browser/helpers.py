"""What the checks of page.py share: what the page has asked and shows, what `locate` says."""
import contextlib
import csv
import io
import json
import math
import time
import urllib.error
import urllib.parse
import urllib.request

import browser

# So many pictures are answered.
DONE = ("document.querySelectorAll('[data-state=done]').length === %d"
        " && !document.querySelector('#answer[aria-busy=true]')")
HIT = "[...document.querySelectorAll('.places .where')].map((e) => e.textContent)"


def shown(hit):
    """A place as the page writes it."""
    return "%.6f, %.6f" % (hit["lat"] + 0.0, hit["lon"] + 0.0)


def same(page, hits, what):
    """The page shows these places, in this order."""
    want = [shown(hit) for hit in hits]
    page.until("JSON.stringify(%s) === %s" % (HIT, json.dumps(json.dumps(want, separators=(",", ":")))),
               "%s: %s" % (what, want))


def asked(page):
    """The queries of all questions so far."""
    return [dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)) for url in page.requests
            if "/v1/locate" in url]


def apart(a, b):
    """Metres between two places that are near each other."""
    lon = math.remainder(a["lon"] - b["lon"], 360)
    return math.hypot((a["lat"] - b["lat"]) * 111132, lon * 111320 * math.cos(math.radians(a["lat"])))


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def without_exif(path):
    """A JPEG's bytes without its segments APP1, which have EXIF and XMP."""
    with open(path, "rb") as file:
        data = file.read()
    kept, at = data[:2], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2:at + 4], "big")
        kept += b"" if data[at + 1] == 0xE1 else data[at:end]
        at = end
    return kept + data[at:]


def refusal(server, path):
    """The sentence with which the service refuses a picture."""
    with open(path, "rb") as file:
        question = urllib.request.Request(server.address + "v1/locate", file.read(), {"Content-Type": "image/jpeg"})
    try:
        urllib.request.urlopen(question)
    except urllib.error.HTTPError as error:
        assert error.headers.get_content_type() == "application/problem+json", error.headers
        return json.load(error)["detail"]
    raise AssertionError(path + " was taken")


def opened(chromium, address, width=1280, height=800):
    page = chromium.open(width, height)
    page.prefer(reduced_motion="reduce", color_scheme="light")
    page.go(address)
    page.until("document.querySelector('.welcome')", "the map's description")
    return page


def calm(page):
    """Every picture that was asked for is drawn."""
    page.until("[...document.querySelectorAll('#map .leaflet-tile')].every((i) => i.matches('.leaflet-tile-loaded'))"
               " && [...document.querySelectorAll('#answer .tile img')].every((i) => i.naturalWidth > 0)",
               "the pictures")


def wait_for_question(page, before):
    end = time.monotonic() + browser.PATIENCE
    while len(asked(page)) == before:
        assert time.monotonic() < end, "no question was asked"
        time.sleep(0.02)
    page.until("!document.querySelector('#answer[aria-busy=true]')", "its answer")


def circle_asked(page, town, before, what):
    """The last question had a circle, and the answers are those of `locate` with it, all inside."""
    wait_for_question(page, before)
    query = asked(page)[-1]
    hits = town.locate("--near", query["near"], "--within", query["within"], town.photos[0])["hits"]
    assert hits, query
    same(page, hits, what)
    lat, lon = (float(v) for v in query["near"].split(","))
    assert apart(hits[0], {"lat": lat, "lon": lon}) <= float(query["within"]) + 32, (hits[0], query)
    return query


@contextlib.contextmanager
def rest_held(page):
    """The page's waits for the user to come to rest end with this block, however long the block takes."""
    page.run("""(() => {
        window.kept = { set: setTimeout, clear: clearTimeout, held: new Map() };
        window.setTimeout = (run, ms, ...values) => {
            if (ms < 300 || ms > 400) return kept.set.call(window, run, ms, ...values);
            const id = -1 - kept.held.size - Math.random();
            kept.held.set(id, run);
            return id;
        };
        window.clearTimeout = (id) => kept.held.delete(id) || kept.clear.call(window, id);
    })()""")
    yield
    page.run("""(() => {
        Object.assign(window, { setTimeout: kept.set, clearTimeout: kept.clear });
        for (const run of kept.held.values()) run();
    })()""")


def table(page, folder):
    """The rows of the CSV file."""
    return list(csv.DictReader(io.StringIO(page.download(lambda: page.click("#csv"), "answers.csv", folder))))
