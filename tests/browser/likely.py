"""likely.py - p beside the answers of weights whose scores give one, and all scores as a layer over the map."""
import copy
import json
import os

from helpers import DONE, calm, opened, table
from many import exports
from town import Server

# Of the layer: the position of its strongest pixel, its size, and the number of transparent pixels.
LAYER = """(() => {
    const image = document.querySelector('#map img.scores'), W = image.naturalWidth, H = image.naturalHeight;
    const canvas = Object.assign(document.createElement('canvas'), { width: W, height: H }).getContext('2d');
    canvas.drawImage(image, 0, 0);
    const alpha = canvas.getImageData(0, 0, W, H).data.filter((v, i) => i % 4 === 3);
    const best = alpha.indexOf(Math.max(...alpha)), box = image.getBoundingClientRect();
    return {x: box.left + (best % W + 0.5) * box.width / W, y: box.top + (Math.floor(best / W) + 0.5) * box.height / H,
            wide: box.width / W, most: alpha[best], bare: [...alpha].filter((v) => v === 0).length, W, H};
})()"""


def weighted(town):
    """The same town, with a map for weights that give p."""
    other = copy.copy(town)
    folder = os.path.join(town.folder, "likely")
    os.mkdir(folder)
    weights, other.map, other.told = os.path.join(folder, "w.safetensors"), os.path.join(folder, "map.gpkg"), {}
    town.run("init", "--preset", "sample4geo-nano", "--out", weights, "--quiet")
    town.run("index", "--weights", weights, "--raster", os.path.join(town.folder, "town", "ortho.tif"), "--out", other.map,
             "--quiet")
    other.weights = ["--weights", weights]
    other.run = lambda word, *words: town.run(word, *(other.weights if word == "locate" else []), *words)
    return other


def likely(chromium, town):
    town = weighted(town)
    with Server(town.program, town.map, 0, *town.weights) as server:
        page = opened(chromium, server.address)
        page.choose("#file", town.photos[0], town.photos[1])
        page.until(DONE % 2, "two answers")
        told = town.locate(town.photos[0])
        page.until("document.querySelector('#answer h2').textContent === %s" % json.dumps(os.path.basename(town.photos[0])),
                   "the first photo")
        facts = page.text(".facts")
        for part in ("p (uncalibrated)", "%.3f" % told["hits"][0]["p"], "p within 25, 50, 100 m",
                     ", ".join("%.*f" % (3 if told["p_within_%d_m" % m] >= 0.01 else 4, told["p_within_%d_m" % m])
                               for m in (25, 50, 100)), "within %.0f m" % told["radius_90_m"]):
            assert part in facts, (part, facts)
        exports(page, town, town.folder)
        assert all(row["calibrated"] == "0" and 0 < float(row["p"]) < 1 for row in table(page, town.folder))
        layer(page, town, server)
        assert page.errors == [], page.errors
        page.close()


def layer(page, town, server):
    """The switch shows and hides it; it is strongest at the best tile, and follows the selected photo."""
    page.click("#layers")
    assert page.run("document.querySelectorAll('#map img.scores').length") == 0
    assert not any("/v1/scores" in url for url in page.requests)
    page.click("#scores-shown")
    page.until("document.querySelector('#map img.scores')?.complete && document.querySelector('#scores-legend .ramp')",
               "the layer")
    page.press("Escape")
    calm(page)
    seen = page.run(LAYER)
    assert (seen["W"], seen["H"]) == (9, 9) and seen["bare"] == 0 and seen["most"] > 200, seen
    page.mouse("mouseMoved", seen["x"], seen["y"])
    lat, lon = (float(v) for v in page.text("#pointer").split(","))
    best = town.locate("--merge", "no", "--top", "1", town.photos[0])["hits"][0]
    assert abs(lat - best["lat"]) < 1.2e-4 and abs(lon - best["lon"]) < 1.7e-4, (lat, lon, best)  # within its pixel
    assert "p of a tile, uncalibrated" in page.run("document.getElementById('scores-legend').textContent")
    page.run("document.querySelector('#entries .entry:not([aria-current=true]) button, #entries li:last-child button')"
             ".click()")
    page.until("performance.getEntriesByType('resource').filter((e) => e.name.includes('/v1/scores')).length === 2"
               " && document.querySelector('#map img.scores')", "the other photo's layer")
    page.click("#layers")
    saved = page.download(lambda: page.click("#layers-panel button"), os.path.basename(town.photos[1])[:-4] + ".tif",
                          town.folder, "latin-1")
    assert saved.startswith("II*\0") and "GeoViewMatch scores" in saved, saved[:300]
    page.click("#scores-shown")
    assert page.run("document.querySelectorAll('#map img.scores').length") == 0
    page.press("Escape")
