"""Helpers of page.py's checks: requests and content of the page, results of `locate`."""
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

# True if %d pictures have their answers.
DONE = ("document.querySelectorAll('[data-state=done]').length === %d"
        " && !document.querySelector('#answer[aria-busy=true]')")
HIT = "[...document.querySelectorAll('.places .where')].map((e) => e.textContent)"


def shown(hit):
    """A position as the page formats it."""
    return "%.6f, %.6f" % (hit["lat"] + 0.0, hit["lon"] + 0.0)


def same(page, hits, what):
    """Wait until the page shows these positions, in this order."""
    want = [shown(hit) for hit in hits]
    page.until("JSON.stringify(%s) === %s" % (HIT, json.dumps(json.dumps(want, separators=(",", ":")))),
               "%s: %s" % (what, want))


def asked(page):
    """The query parameters of all location requests so far."""
    return [dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)) for url in page.requests
            if "/v1/locate" in url]


def apart(a, b):
    """Metres between two nearby positions."""
    lon = math.remainder(a["lon"] - b["lon"], 360)
    return math.hypot((a["lat"] - b["lat"]) * 111132, lon * 111320 * math.cos(math.radians(a["lat"])))


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def without_exif(path):
    """A JPEG's bytes without its APP1 segments, which contain EXIF and XMP."""
    with open(path, "rb") as file:
        data = file.read()
    kept, at = data[:2], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2:at + 4], "big")
        kept += b"" if data[at + 1] == 0xE1 else data[at:end]
        at = end
    return kept + data[at:]


def refusal(server, path):
    """The sentence in the service's refusal of a picture."""
    with open(path, "rb") as file:
        question = urllib.request.Request(server.address + "v1/locate", file.read(), {"Content-Type": "image/jpeg"})
    try:
        urllib.request.urlopen(question)
    except urllib.error.HTTPError as error:
        assert error.headers.get_content_type() == "application/problem+json", error.headers
        return json.load(error)["detail"]
    raise AssertionError(path + " was accepted")


def opened(chromium, address, width=1280, height=800):
    page = chromium.open(width, height)
    page.prefer(reduced_motion="reduce", color_scheme="light")
    page.go(address)
    page.until("document.querySelector('.welcome')", "the map's description")
    return page


def calm(page):
    """Wait until every requested picture is drawn."""
    page.until("[...document.querySelectorAll('#map .leaflet-tile')].every((i) => i.matches('.leaflet-tile-loaded'))"
               " && [...document.querySelectorAll('#answer .tile img')].every((i) => i.naturalWidth > 0)",
               "the pictures")


def wait_for_question(page, before):
    end = time.monotonic() + browser.PATIENCE
    while len(asked(page)) == before:
        assert time.monotonic() < end, "no request was sent"
        time.sleep(0.02)
    page.until("!document.querySelector('#answer[aria-busy=true]')", "its answer")


def circle_asked(page, town, before, what):
    """The last request had a circle, and the answers are those of `locate` with it, all inside."""
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
    """The page waits until the user pauses; these waits end with this block, however long the block takes."""
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
