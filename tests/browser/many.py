"""many.py - all pictures of a visit together: files, a table, one area or heading for all."""
import csv
import io
import json
import os

from helpers import DONE, asked, calm, same, wait_for_question, without_exif, write

COLUMNS = "[...document.querySelectorAll('#table tbody tr')].map((r) => [...r.children].map((c) => c.innerText.trim()))"


def lines(text):
    """The lines of a CSV file of `locate` or the page with the photo's base name and without the source, which only the
    program knows."""
    head, *rows = csv.reader(io.StringIO(text))
    for row in rows:
        row[0] = os.path.basename(row[0])
        row[head.index("source")] = ""
    return [head, *rows]


def exports(page, town, folder):
    """Both files equal those that `locate` writes for the same photos."""
    order = page.run("[...document.querySelectorAll('#entries .name')].map((e) => e.textContent)")
    photos = [next(path for path in town.photos if path.endswith("/" + name)) for name in reversed(order)]
    saved = page.download(lambda: page.click("#csv"), "answers.csv", folder)
    want = lines(town.run("locate", "--index", town.map, "--format", "csv", "--quiet", *photos))
    got = lines(saved)
    assert got[0] == want[0] and len(got) == len(want) > 8, (got[0], want[0])
    for mine, theirs in zip(got[1:], want[1:]):
        for name, a, b in zip(got[0], mine, theirs):
            decimals = len(b.partition(".")[2])
            assert a == b or (decimals and len(a.partition(".")[2]) == decimals  # the last digit may differ
                              and abs(float(a) - float(b)) < 1.5 * 10 ** -decimals), (name, mine, theirs)
    mine = json.loads(page.download(lambda: page.click("#geojson"), "answers.geojson", folder))
    theirs = json.loads(town.run("locate", "--index", town.map, "--format", "geojson", "--quiet", *photos))
    assert mine["type"] == "FeatureCollection" and mine["map"]["name"] == "map.gpkg", mine
    assert len(mine["map"]["weights"]) > 7 and len(mine["features"]) == len(theirs["features"])
    for a, b in zip(mine["features"], theirs["features"]):
        assert a["type"] == "Feature" and a["geometry"]["type"] == "Point"
        assert a["question"] == {"near": None, "within_m": None, "heading": None, "panorama": False, "fov": None}, a
        assert all(abs(x - y) < 1e-7 for x, y in zip(a["geometry"]["coordinates"], b["geometry"]["coordinates"])), (a, b)
        assert set(a["properties"]) == set(b["properties"]) - {"source"}, (a, b)
        assert a["properties"]["photo"] == os.path.basename(b["properties"]["photo"])
        assert a["properties"]["weak"] == b["properties"]["weak"]
        for name in ("lat", "lon", "score", "margin", "heading", "gps_m"):
            assert abs(a["properties"][name] - b["properties"][name]) < 1e-4, (name, a, b)


def summed_up(page, town):
    """The table has all photos, sorts by any column and links to each; the list shows that it can be scrolled."""
    photos = {os.path.basename(path): path for path in town.photos}
    page.click("#table-open")
    rows = page.run(COLUMNS)
    assert len(rows) == page.run("document.querySelectorAll('.entry').length") == 4, rows
    weak = 0
    for name, outcome, lat, lon, score, margin, off in rows:
        told = town.locate(photos[name])
        hit, weak = told["hits"][0], weak + told["weak"]
        assert outcome == ("weak" if told["weak"] else "clear"), (outcome, told)
        assert (lat, lon) == ("%.6f" % (hit["lat"] + 0.0), "%.6f" % (hit["lon"] + 0.0)), (lat, lon, hit)
        assert abs(float(score) - hit["score"]) < 6e-4 and abs(float(margin) - told["margin"]) < 6e-4, (rows, told)
        assert off.endswith(" m") and abs(float(off[:-2]) - hit["gps_m"]) <= 0.51, (off, hit)
    said = page.text("#table-summary")
    assert said.startswith("4 photos: ") and ("%d weak" % weak in said) == (weak > 0) and "own GPS" in said, said
    assert page.text("#summary") == said
    for falls in (False, True):
        page.click("#table thead th:nth-child(6) button")
        margins = [float(row[5]) for row in page.run(COLUMNS)]
        assert margins == sorted(margins, reverse=falls), margins
        assert page.run("document.querySelectorAll('#table th')[5].ariaSort") == ("descending" if falls else "ascending")
    name = page.run(COLUMNS)[-1][0]
    page.click("#table tbody tr:last-child button")
    page.until("!document.querySelector('#table[open]')", "the table to close")
    same(page, town.locate(photos[name])["hits"], "a picture chosen in the table")
    more = "[...document.getElementById('entries').classList].sort().join()"
    page.run("document.getElementById('entries').scrollLeft = 0")
    page.until(more + " === 'more-right'", "a sign that the list continues")
    page.click("#entries-older")
    page.until(more + ".includes('more-left')", "a sign that it starts earlier")
    page.run("document.getElementById('entries').scrollLeft = 0")
    page.click("#entries li:last-child button")
    same(page, town.locate(town.photos[0])["hits"], "the first picture again")


def own_gps(page, town):
    """A search near the photo's own GPS position, with the circle on the map."""
    photo = town.photos[0]
    before = len(asked(page))
    page.run("document.getElementById('circle-radius').value = 60")
    page.click("#area-own")
    wait_for_question(page, before)
    assert asked(page)[-1] == {"near": "exif", "within": "60"}, asked(page)[-1]
    same(page, town.locate("--near", "exif", "--within", 60, photo)["hits"], "near its own GPS")
    assert "60 m of its GPS position" in page.text(".results"), page.text(".results")
    assert page.run("document.querySelectorAll('#map .search').length") == 1
    assert page.run("""(() => {
        const [ring, pin] = ['.search', '.pin.own'].map((kind) => {
            const box = document.querySelector('#map ' + kind).getBoundingClientRect();
            return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
        });
        return Math.hypot(ring[0] - pin[0], ring[1] - pin[1]) < 4;
    })()""")
    before = len(asked(page))
    page.run("(() => { const field = document.getElementById('circle-radius'); field.value = 90;"
             "field.dispatchEvent(new Event('change')); })()")
    wait_for_question(page, before)
    assert asked(page)[-1] == {"near": "exif", "within": "90"}, asked(page)[-1]
    assert page.errors == [], page.errors
    path = write(os.path.join(town.folder, "nowhere.jpg"), without_exif(photo))
    page.choose("#file", path)
    page.until("document.querySelector('#answer .problem')", "a message about a photo without GPS")
    assert "GPS" in page.text("#answer .problem p"), page.text("#answer .problem")
    assert len(page.errors) == 1 and " 422 " in page.errors.pop(), page.errors
    page.until("document.querySelector('#answer .picture').childElementCount > 0", "the preview, which moves the buttons")
    page.click("#answer .problem button:first-child")  # search the whole map
    page.until("document.querySelector('#answer .verdict')", "its answer on the whole map")
    assert "near" not in asked(page)[-1], asked(page)[-1]


def for_all(page):
    """One area, then one heading, for all pictures; those that have it already are not sent again."""
    count = page.run("document.querySelectorAll('.entry').length")
    before = len(asked(page))
    page.click("#circle-place")
    wait_for_question(page, before)
    page.until("!document.getElementById('area-all').hidden", "the offer of the circle for all")
    before = len(asked(page))
    page.click("#area-all")
    page.until("document.getElementById('area-all').hidden", "an area for all")
    page.until(DONE % count, "answers about all")
    questions = asked(page)[before:]
    assert len(questions) == count - 1 and len({(q["near"], q["within"]) for q in questions}) == 1, questions
    before = len(asked(page))
    page.click(".heading button:nth-child(2)")
    wait_for_question(page, before)
    page.until("!document.querySelector('.heading button:last-child').hidden", "the offer of the heading for all")
    before = len(asked(page))
    page.click(".heading button:last-child")
    page.until(DONE % count + " && document.querySelector('.heading button:last-child').hidden", "answers about all")
    questions = asked(page)[before:]
    assert len(questions) == count - 1 and {q["heading"] for q in questions} == {"find"}, questions
    before = len(asked(page))
    page.click("#area-whole")
    wait_for_question(page, before)
    calm(page)
